"""Pages of who is let in again: the code, what is to end, and on from there."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.ending import endables_of
from pillweb.accounts.rules import HELPED
from pillweb.accounts.views.entering import (
    GUESSES,
    GUESSES_PER_ADDRESS,
    count_try,
    enter,
    typed_address,
)
from pillweb.base.clock import now
from pillweb.base.digits import read_digits
from pillweb.base.i18n import gettext as _
from pillweb.recovery.actions.using import (
    finish_recovery,
    use_recovery_code,
    use_recovery_link,
)
from pillweb.recovery.forms import EndForm, HelpedForm
from pillweb.recovery.queries import recovery_by_link, recovery_of_browser
from pillweb.recovery.views.letting_in import note_recovery
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import opened_recovery, remember_recovery

helped = Blueprint("helped", __name__)

HERE, END = "/sign-in/helped", "/let-me-in"
# Where somebody makes a new way in, once they are in.
NEW_WAY = "/account/sign-in"


@helped.get(HERE)
def show_helped() -> ResponseReturnValue:
    """Show where to type the code that a helper gave."""
    return page("recovery/helped.html", form=HelpedForm())


@helped.post(HERE)
@limiter.limit(GUESSES)
@limiter.limit(GUESSES_PER_ADDRESS, key_func=typed_address)
def post_helped() -> ResponseReturnValue:
    """Take the code, and ask what is to end."""
    form = HelpedForm()
    if not form.validate():
        return bad_form("recovery/helped.html", form=form)
    count_try(HELPED, said(form.email))
    secret = use_recovery_code(
        session(), email=said(form.email), code=read_digits(said(form.code)), now=now()
    )
    if secret is None:
        form.code.errors = [_("The e-mail address or the code is not right.")]
        return wrong_try("recovery/helped.html", form=form)
    return _go_on(secret)


def _go_on(secret: str) -> ResponseReturnValue:
    found = recovery_of_browser(session(), secret, now=now())
    note_recovery(found.account_id, found.helper_id, by_id=found.account_id)
    remember_recovery(secret)
    return go(END)


@helped.get("/l/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_link(token: str) -> ResponseReturnValue:
    """Show one button: programs that read messages open links, people press."""
    recovery_by_link(session(), token, now=now())
    return page("recovery/link.html", action=f"/l/{token}", shown=shown_here())


@helped.post("/l/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_link(token: str) -> ResponseReturnValue:
    """Take the link, and ask what is to end."""
    recovery_by_link(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/l/{token}"))
    return _go_on(use_recovery_link(session(), token, now=now()))


def _end_form(account_id: int) -> EndForm:
    ways = endables_of(session(), account_id, now=now())
    return EndForm(
        [(way.chosen_as, way.words) for way in ways],
        data={"ended": [way.chosen_as for way in ways]},
    )


@helped.get(END)
def show_end() -> ResponseReturnValue:
    """Ask what is to end: everything, unless somebody says otherwise."""
    found = recovery_of_browser(session(), opened_recovery(), now=now())
    return page("recovery/end.html", form=_end_form(found.account_id), action=END)


@helped.post(END)
def post_end() -> ResponseReturnValue:
    """End what was chosen, sign this browser in, and ask for a new way in."""
    found = recovery_of_browser(session(), opened_recovery(), now=now())
    form = _end_form(found.account_id)
    if not form.validate():
        return bad_form("recovery/end.html", form=form, action=END)
    note_recovery(found.account_id, found.helper_id, by_id=found.account_id)
    account = finish_recovery(session(), found, ended=form.ended.data or [], now=now())
    enter(account)
    return go(
        NEW_WAY, notice=_("You are in again. Make sure of a way in for next time.")
    )
