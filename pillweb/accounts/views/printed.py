"""Pages to print codes, and to sign in with one of them."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.printed import (
    enter_by_printed_code,
    make_printed_codes,
)
from pillweb.accounts.forms import PrintedCodeForm
from pillweb.accounts.queries import printed_codes_left
from pillweb.accounts.rules import (
    NEW_PRINTED,
    PRINTED,
    grouped_code,
    read_printed_code,
)
from pillweb.accounts.views.entering import (
    GUESSES,
    GUESSES_PER_ADDRESS,
    count_try,
    enter,
    typed_address,
)
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import ngettext
from pillweb.base.links import link
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.security import limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

printed = Blueprint("printed", __name__)

CODES_HERE, ENTER_HERE = "/account/printed-codes", "/sign-in/printed-code"


def _left_words(left: int | None) -> str:
    if left is None:
        return _("You have no printed codes yet.")
    return ngettext(
        "%(num)s printed code still works.",
        "%(num)s printed codes still work.",
        left,
    )


@printed.get(CODES_HERE)
def show_codes() -> ResponseReturnValue:
    """Say how many printed codes are left."""
    left = printed_codes_left(session(), signed_in().account_id)
    return page(
        "accounts/printed_codes.html",
        action=CODES_HERE,
        left_words=_left_words(left),
        has_some=bool(left),
    )


@printed.post(CODES_HERE)
def post_codes() -> ResponseReturnValue:
    """Make ten new codes and show them, this once."""
    viewer = signed_in()
    codes = make_printed_codes(session(), viewer.account_id, now=now())
    tell(viewer.account_id, NEW_PRINTED)
    return page(
        "accounts/printed_made.html",
        codes=[grouped_code(code) for code in codes],
        where=link(ENTER_HERE),
        back_url=CODES_HERE,
    )


@printed.get(ENTER_HERE)
def show_printed_sign_in() -> ResponseReturnValue:
    """Show where to sign in with a printed code."""
    return page("accounts/printed_enter.html", form=PrintedCodeForm())


@printed.post(ENTER_HERE)
@limiter.limit(GUESSES)
@limiter.limit(GUESSES_PER_ADDRESS, key_func=typed_address)
def post_printed_sign_in() -> ResponseReturnValue:
    """Sign a browser in; the code is worth nothing after that."""
    form = PrintedCodeForm()
    if not form.validate():
        return bad_form("accounts/printed_enter.html", form=form)
    count_try(PRINTED, said(form.email))
    account = enter_by_printed_code(
        session(),
        email=said(form.email),
        code=read_printed_code(said(form.code)),
        now=now(),
    )
    if account is None:
        form.code.errors = [_("The e-mail address or the code is not right.")]
        return wrong_try("accounts/printed_enter.html", form=form)
    enter(account)
    left = printed_codes_left(session(), account.id)
    return go("/", notice=_left_words(left))
