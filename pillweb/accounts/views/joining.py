"""Pages to get an account, and another password."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.joining import choose_password
from pillweb.accounts.actions.requesting import RESET, SIGN_UP, keep_request
from pillweb.accounts.forms import PasswordForm, ResetForm, SignUpForm
from pillweb.accounts.queries import any_account, live_link
from pillweb.accounts.rules import NEW_PASSWORD, SENTENCES, STORING
from pillweb.accounts.views.entering import GUESSES, MAILS, enter, typed_address
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.look import spoken_look
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import client_key, is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import invitation_offered, remember_invitation

accounts = Blueprint("accounts", __name__)


@accounts.get("/sign-up")
def show_sign_up() -> ResponseReturnValue:
    """Show where to ask for an account."""
    _sign_up_is_open()
    return page("accounts/sign_up.html", **_sign_up(SignUpForm()))


def _sign_up(form: SignUpForm) -> dict[str, object]:
    return {"form": form, "action": "/sign-up", "words": _(SENTENCES[STORING][1])}


@accounts.post("/sign-up")
@limiter.limit(MAILS, key_func=client_key)
@limiter.limit(MAILS, key_func=typed_address)
def post_sign_up() -> ResponseReturnValue:
    """Have a link mailed that makes the account; the same is done for everybody."""
    _sign_up_is_open()
    form = SignUpForm()
    if not form.validate():
        return bad_form("accounts/sign_up.html", **_sign_up(form))
    if not any_account(session()):
        return go("/welcome")
    keep_request(
        session(),
        SIGN_UP,
        name=said(form.name),
        email=said(form.email),
        look=spoken_look(),
        invitation=invitation_offered(),
        now=now(),
    )
    wake_after_commit("account_requests")
    return page("accounts/check_mail.html", email=said(form.email))


def _sign_up_is_open() -> None:
    # Whoever was invited may have an account also where nobody else may.
    if not settings().sign_up and invitation_offered() is None:
        raise NotFoundError


@accounts.get("/forgotten")
def show_forgotten() -> ResponseReturnValue:
    """Show where to ask for a new password."""
    return page("accounts/ask_reset.html", form=ResetForm(), action="/forgotten")


@accounts.post("/forgotten")
@limiter.limit(MAILS, key_func=typed_address)
@limiter.limit(GUESSES)
def post_forgotten() -> ResponseReturnValue:
    """Have a link mailed for a new password; the same is done for everybody."""
    form = ResetForm()
    if not form.validate():
        return bad_form("accounts/ask_reset.html", form=form, action="/forgotten")
    keep_request(
        session(), RESET, email=said(form.email), look=spoken_look(), now=now()
    )
    wake_after_commit("account_requests")
    return page("accounts/check_mail.html", email=said(form.email))


@accounts.get("/a/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_password(token: str) -> ResponseReturnValue:
    """Show where to choose a password, behind a mailed link."""
    if live_link(session(), token, now=now()) is None:
        raise LinkGoneError
    return page("accounts/reset.html", form=PasswordForm(), **_here(token))


def _here(token: str) -> dict[str, object]:
    return {"action": f"/a/{token}", "shown": shown_here()}


@accounts.post("/a/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_password(token: str) -> ResponseReturnValue:
    """Set the password, and sign this browser in."""
    link = live_link(session(), token, now=now())
    if link is None:
        raise LinkGoneError
    form = PasswordForm()
    if not form.validate():
        return bad_form("accounts/reset.html", form=form, **_here(token))
    if not is_pressed():
        return go(once_more(f"/a/{token}"))
    account = choose_password(session(), token, password=said(form.password), now=now())
    tell(account.id, NEW_PASSWORD)
    enter(account)
    if link.invitation_hash is not None:
        remember_invitation(link.invitation_hash)
    return go("/")
