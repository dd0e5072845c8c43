"""Pages of somebody's own passkeys."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.passkeys import (
    add_passkey,
    ask_for_passkey,
    remove_passkeys,
)
from pillweb.accounts.forms import PasskeyForm
from pillweb.accounts.models import Passkey
from pillweb.accounts.queries import passkey_of
from pillweb.accounts.rules import NEW_PASSKEY, NO_PASSKEY
from pillweb.accounts.views.signing import (
    CHALLENGES,
    answered,
    browser_here,
    give,
    tell,
    this_browser,
)
from pillweb.accounts.views.ways import WAYS
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.passkeys import passkeys_work
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.security import limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

passkeys = Blueprint("passkeys", __name__)

HERE = "/account/passkeys"
NEW, ONE = f"{HERE}/new", f"{HERE}/<int:passkey_id>"


def _new_page(form: PasskeyForm) -> dict[str, object]:
    signed_in()
    return {"form": form, "action": NEW, "back_url": WAYS, "works": passkeys_work()}


@passkeys.get(NEW)
def show_new_passkey() -> ResponseReturnValue:
    """Ask what a new passkey is to be called; a button then makes it."""
    form = PasskeyForm(data={"name": this_browser()})
    return page("accounts/new_passkey.html", **_new_page(form))


@passkeys.post(f"{NEW}/ask")
@limiter.limit(CHALLENGES)
def post_new_passkey_asks() -> ResponseReturnValue:
    """Give this browser what it needs to have a passkey made."""
    viewer = signed_in()
    return give(
        ask_for_passkey(session(), browser_here(), viewer.account_id, now=now())
    )


@passkeys.post(NEW)
def post_new_passkey() -> ResponseReturnValue:
    """Keep the passkey that was made."""
    viewer, form = signed_in(), PasskeyForm()
    if not form.validate():
        return bad_form("accounts/new_passkey.html", **_new_page(form))
    verdict = add_passkey(
        session(),
        browser_here(),
        viewer.account_id,
        answer=answered(),
        name=said(form.name),
        now=now(),
    )
    if verdict.passkey is None:
        notices = [("error", verdict.words)]
        return wrong_try(
            "accounts/new_passkey.html", notices=notices, **_new_page(form)
        )
    tell(viewer.account_id, NEW_PASSKEY)
    return go(WAYS, notice=_("You can sign in with this passkey now."))


def _own(passkey_id: int) -> Passkey:
    return passkey_of(session(), signed_in().account_id, passkey_id)


def _name_page(row: Passkey, form: PasskeyForm) -> dict[str, object]:
    return {"form": form, "action": f"{HERE}/{row.id}", "back_url": WAYS}


@passkeys.get(ONE)
def show_passkey(passkey_id: int) -> ResponseReturnValue:
    """Ask what a passkey is to be called."""
    row = _own(passkey_id)
    form = PasskeyForm(data={"name": row.name})
    return page("accounts/passkey.html", **_name_page(row, form))


@passkeys.post(ONE)
def post_passkey(passkey_id: int) -> ResponseReturnValue:
    """Give a passkey another name."""
    row, form = _own(passkey_id), PasskeyForm()
    if not form.validate():
        return bad_form("accounts/passkey.html", **_name_page(row, form))
    row.name = said(form.name)
    return go(WAYS, notice=_("Saved."))


@passkeys.get(f"{ONE}/remove")
def show_passkey_removal(passkey_id: int) -> ResponseReturnValue:
    """Ask whether a passkey is to be removed."""
    row = _own(passkey_id)
    return page(
        "accounts/remove_passkey.html",
        name=row.name,
        action=f"{HERE}/{row.id}/remove",
        back_url=WAYS,
    )


@passkeys.post(f"{ONE}/remove")
def post_passkey_removal(passkey_id: int) -> ResponseReturnValue:
    """Let a passkey sign nobody in any more."""
    row = _own(passkey_id)
    remove_passkeys(session(), row.account_id, [row.id])
    tell(row.account_id, NO_PASSKEY)
    return go(WAYS, notice=_("This passkey signs nobody in any more."))
