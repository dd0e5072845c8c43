"""Pages to sign up, in and out."""

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions import (
    account_that_signs_in,
    choose_password,
    end_session,
    sign_up,
    start_session,
    want_reset,
)
from pillweb.accounts.forms import PasswordForm, ResetForm, SignInForm, SignUpForm
from pillweb.accounts.models import Account
from pillweb.accounts.queries import any_account, live_link
from pillweb.accounts.rules import safe_path
from pillweb.base.clean import clean_text
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.look import read_look
from pillweb.base.mail_address import spelled
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.look import has_look, keep_look_here, spoken_look
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import client_key, is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import current_viewer, sign_in, sign_out

accounts = Blueprint("accounts", __name__)

GUESSES = "20 per hour"
GUESSES_PER_ADDRESS = "10 per hour"
MAILS = "5 per hour"


def _address() -> str:
    """Return whom a limit counts: an address, however it is spelled."""
    return "address:" + spelled(clean_text(request.form.get("email", "")))[:320]


@accounts.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    """Show where to sign in; an empty database begins with its first account."""
    if not any_account(session()):
        return go("/welcome")
    return page("accounts/sign_in.html", **_sign_in_page(SignInForm()))


def _sign_in_page(form: SignInForm) -> dict[str, object]:
    return {
        "form": form,
        "action": request.full_path.rstrip("?"),
        "may_sign_up": settings().sign_up,
    }


@accounts.post("/sign-in")
@limiter.limit(GUESSES)
@limiter.limit(GUESSES_PER_ADDRESS, key_func=_address)
def post_sign_in() -> ResponseReturnValue:
    """Sign a browser in."""
    form = SignInForm()
    if not form.validate():
        return bad_form("accounts/sign_in.html", **_sign_in_page(form))
    account = account_that_signs_in(
        session(), email=said(form.email), password=said(form.password)
    )
    if account is None:
        form.password.errors = [_("The e-mail address or the password is not right.")]
        return bad_form("accounts/sign_in.html", **_sign_in_page(form))
    _enter(account)
    return go(safe_path(request.args.get("next", "")))


def _enter(account: Account) -> None:
    """Sign this browser in; the session it had before ends (ASVS 5.0, 7.2.4)."""
    _leave()
    sign_in(start_session(session(), account, now=now()))
    if account.look and not has_look():
        keep_look_here(read_look(account.look))


def _leave() -> None:
    viewer = current_viewer()
    if viewer is not None:
        end_session(session(), viewer.session_id, now=now())


@accounts.post("/sign-out")
def post_sign_out() -> ResponseReturnValue:
    """Sign this browser out for good."""
    _leave()
    sign_out()
    answer = make_response(go("/sign-in"))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@accounts.get("/sign-up")
def show_sign_up() -> ResponseReturnValue:
    """Show where to ask for an account."""
    _sign_up_is_open()
    return page("accounts/sign_up.html", form=SignUpForm(), action="/sign-up")


@accounts.post("/sign-up")
@limiter.limit(MAILS, key_func=client_key)
@limiter.limit(MAILS, key_func=_address)
def post_sign_up() -> ResponseReturnValue:
    """Mail a link that makes the account; the answer is the same for everybody."""
    _sign_up_is_open()
    form = SignUpForm()
    if not form.validate():
        return bad_form("accounts/sign_up.html", form=form, action="/sign-up")
    sign_up(
        session(),
        name=said(form.name),
        email=said(form.email),
        look=spoken_look(),
        now=now(),
    )
    wake_after_commit("deliver")
    return page("accounts/check_mail.html", email=said(form.email))


def _sign_up_is_open() -> None:
    if not settings().sign_up:
        raise NotFoundError


@accounts.get("/forgotten")
def show_forgotten() -> ResponseReturnValue:
    """Show where to ask for a new password."""
    return page("accounts/ask_reset.html", form=ResetForm(), action="/forgotten")


@accounts.post("/forgotten")
@limiter.limit(MAILS, key_func=_address)
@limiter.limit(GUESSES)
def post_forgotten() -> ResponseReturnValue:
    """Mail a link for a new password; the answer is the same for everybody."""
    form = ResetForm()
    if not form.validate():
        return bad_form("accounts/ask_reset.html", form=form, action="/forgotten")
    want_reset(session(), email=said(form.email), now=now())
    wake_after_commit("deliver")
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
    if live_link(session(), token, now=now()) is None:
        raise LinkGoneError
    form = PasswordForm()
    if not form.validate():
        return bad_form("accounts/reset.html", form=form, **_here(token))
    if not is_pressed():
        return go(once_more(f"/a/{token}"))
    account = choose_password(session(), token, password=said(form.password), now=now())
    _enter(account)
    return go("/")
