"""Pages to show once more who one is, before what must be one's own to do."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.entering import enter_by_code
from pillweb.accounts.actions.joining import account_that_signs_in
from pillweb.accounts.actions.passkeys import ask_to_prove, prove_by_passkey
from pillweb.accounts.actions.printed import forgive_tries
from pillweb.accounts.actions.sessions import renew_session
from pillweb.accounts.forms import AgainForm, CodeForm
from pillweb.accounts.models import Account, WebSession
from pillweb.accounts.queries import passkeys_of
from pillweb.accounts.rules import OWN, PASSWORD, safe_path
from pillweb.accounts.views.entering import (
    CODES,
    GUESSES,
    GUESSES_PER_ADDRESS,
    MAILS,
    count_try,
    send_mail,
    wrong_code,
)
from pillweb.accounts.views.signing import (
    CHALLENGES,
    account_key,
    answered,
    browser_here,
    give,
)
from pillweb.base.clock import now
from pillweb.base.digits import read_digits
from pillweb.base.i18n import gettext as _
from pillweb.base.passkeys import passkeys_work
from pillweb.web.again import HERE, Waiting, waiting_here
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.security import client_key, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import (
    asked_mail,
    forget_mail,
    signed_in,
    stay_signed_in,
)

again = Blueprint("again", __name__)


def _again_page(form: AgainForm, waiting: Waiting) -> dict[str, object]:
    viewer = signed_in()
    account = session().get_one(Account, viewer.account_id)
    return {
        "form": form,
        "action": HERE,
        "carried": waiting.carried,
        "has_password": account.password_hash is not None,
        "has_passkey": passkeys_work()
        and bool(passkeys_of(session(), viewer.account_id)),
        "email": account.email,
    }


def show_waiting(waiting: Waiting) -> ResponseReturnValue:
    """Ask who it is, while a page or a form waits."""
    return page("accounts/again.html", **_again_page(AgainForm(), waiting))


@again.get(HERE)
def show_again() -> ResponseReturnValue:
    """Ask who it is."""
    signed_in()
    return show_waiting(waiting_here())


@again.post(HERE)
@limiter.limit(GUESSES)
@limiter.limit(GUESSES_PER_ADDRESS, key_func=account_key)
def post_again() -> ResponseReturnValue:
    """Take the password as proof."""
    viewer, form, waiting = signed_in(), AgainForm(), waiting_here()
    if not form.validate():
        return bad_form("accounts/again.html", **_again_page(form, waiting))
    count_try(PASSWORD, viewer.email)
    account = account_that_signs_in(
        session(), email=viewer.email, password=said(form.password)
    )
    if account is None:
        form.password.errors = [_("The password is not right.")]
        return wrong_try("accounts/again.html", **_again_page(form, waiting))
    forgive_tries(session(), account, client=client_key())
    return _go_on(waiting)


@again.post(f"{HERE}/mail")
@limiter.limit(MAILS, key_func=account_key)
def post_again_mail() -> ResponseReturnValue:
    """Mail a code, and ask for it."""
    viewer, waiting = signed_in(), waiting_here()
    here = session().get_one(WebSession, viewer.session_id)
    path = "/" if waiting.is_form else safe_path(waiting.path)
    send_mail(viewer.email, is_own_device=here.stay == OWN, path=path)
    return page("accounts/again_code.html", form=CodeForm(), **_code_page(waiting))


def _code_page(waiting: Waiting) -> dict[str, object]:
    return {"action": f"{HERE}/code", "again": HERE, "carried": waiting.carried}


@again.post(f"{HERE}/code")
@limiter.limit(CODES)
def post_again_code() -> ResponseReturnValue:
    """Take the code as proof."""
    viewer, form, waiting = signed_in(), CodeForm(), waiting_here()
    if not form.validate():
        return bad_form("accounts/again_code.html", form=form, **_code_page(waiting))
    code, (secret, _path) = read_digits(said(form.code)), asked_mail()
    mail = enter_by_code(session(), browser=secret, code=code, now=now())
    if mail is None or mail.account_id != viewer.account_id:
        return wrong_code(form, "accounts/again_code.html", **_code_page(waiting))
    forget_mail()
    return _go_on(waiting)


@again.post(f"{HERE}/passkey/ask")
@limiter.limit(CHALLENGES)
def post_again_passkey_asks() -> ResponseReturnValue:
    """Give this browser something for one of their passkeys to sign."""
    viewer = signed_in()
    return give(ask_to_prove(session(), browser_here(), viewer.account_id, now=now()))


@again.post(f"{HERE}/passkey")
@limiter.limit(CODES)
def post_again_passkey() -> ResponseReturnValue:
    """Take a passkey as proof."""
    viewer, waiting = signed_in(), waiting_here()
    verdict = prove_by_passkey(
        session(), browser_here(), viewer.account_id, answer=answered(), now=now()
    )
    if verdict.passkey is None:
        notices = [("error", verdict.words)]
        shown = _again_page(AgainForm(), waiting)
        return wrong_try("accounts/again.html", notices=notices, **shown)
    return _go_on(waiting)


def _go_on(waiting: Waiting) -> ResponseReturnValue:
    """Go on to the page that waits, or show the form that waits for one more press."""
    viewer = signed_in()
    stay_signed_in(
        renew_session(session(), viewer.session_id, is_proof=True, now=now())
    )
    path = safe_path(waiting.path)
    if not waiting.is_form:
        return go(path)
    return page("accounts/go_on.html", action=path, fields=waiting.fields)
