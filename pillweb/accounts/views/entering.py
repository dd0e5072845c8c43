"""Pages to sign in and out: by a mailed link or code, or with a password."""

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from pillweb.accounts.actions.entering import (
    BY_MAIL,
    Way,
    enter_by_code,
    enter_by_link,
    mail_sign_in,
    was_entered,
)
from pillweb.accounts.actions.joining import account_that_signs_in
from pillweb.accounts.actions.passkeys import (
    Browser,
    ask_to_enter,
    enter_by_passkey,
)
from pillweb.accounts.actions.printed import forgive_tries, note_entry_try
from pillweb.accounts.actions.sessions import end_session, start_session
from pillweb.accounts.forms import CodeForm, MailForm, SignInForm
from pillweb.accounts.models import Account
from pillweb.accounts.queries import (
    any_account,
    email_index,
    is_asked_by,
    is_asked_too_often,
    live_mail,
)
from pillweb.accounts.rules import (
    MAILS_COUNTED_FOR,
    PASSWORD,
    safe_path,
)
from pillweb.accounts.views.signing import (
    CHALLENGES,
    answered,
    give,
    this_browser,
)
from pillweb.base.clean import clean_text
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.digits import read_digits
from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import gettext as _
from pillweb.base.look import read_look
from pillweb.base.mail_address import spelled
from pillweb.base.passkeys import passkeys_work
from pillweb.channels.oidc import is_ready, provider_name
from pillweb.channels.registry import channels
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.look import has_look, keep_look_here
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import client_key, is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import (
    asked_challenge,
    asked_mail,
    current_viewer,
    invitation_offered,
    known_addresses,
    remember_address,
    remember_mail,
    sign_in,
    sign_out,
)

entering = Blueprint("entering", __name__)

SMS = "sms"
GUESSES = "20 per hour"
AT_ONCE, LATER = "5 per 15 minutes", "10 per hour"
GUESSES_PER_ADDRESS = f"{AT_ONCE}; {LATER}"
MAILS = "5 per hour"
CODES = "40 per hour"


def typed_address() -> str:
    """Return whom a limit counts: an address, however it is spelled."""
    return "address:" + spelled(clean_text(request.form.get("email", "")))[:320]


def typed_address_here() -> str:
    """Return whom a limit counts: an address, as asked for from one network."""
    return f"{typed_address()}|{client_key()}"


def _is_known() -> bool:
    """Say whether this browser signed in to the typed address before."""
    email = clean_text(request.form.get("email", ""))
    return email_index(email) in known_addresses()


def enter(
    account: Account, *, is_own_device: bool = False, is_proof: bool = True
) -> None:
    """Sign this browser in; the session it had before ends (ASVS 5.0, 7.2.4)."""
    _leave()
    sign_in(
        start_session(
            session(),
            account,
            name=this_browser(),
            is_own_device=is_own_device,
            is_proof=is_proof,
            now=now(),
        )
    )
    forgive_tries(session(), account, client=client_key())
    remember_address(account.email_index)
    if account.look and not has_look():
        keep_look_here(read_look(account.look))


def _leave() -> None:
    viewer = current_viewer()
    if viewer is not None:
        end_session(session(), viewer.session_id, now=now())


def send_mail(
    email: str, *, is_own_device: bool, path: str, way: Way = BY_MAIL
) -> None:
    """Send a way to sign this browser in, and to go on to a path.

    Raises:
        TooManyRequests: too many were asked for; the rows count, whatever else is lost.
    """
    if is_asked_too_often(
        session(),
        email=email,
        client=client_key(),
        channel=way.channel,
        now=now(),
        is_known=email_index(email) in known_addresses(),
    ):
        raise TooManyRequests(retry_after=int(MAILS_COUNTED_FOR.total_seconds()))
    secret = mail_sign_in(
        session(),
        email=email,
        client=client_key(),
        is_own_device=is_own_device,
        way=way,
        before=asked_mail()[0],
        now=now(),
    )
    remember_mail(secret, path)
    wake_after_commit("deliver")


def count_try(kind: str, email: str) -> None:
    """Count a guess for an address, in rows that survive whatever else is lost.

    Raises:
        TooManyRequests: there were too many, for the address or from this visitor.
    """
    if not note_entry_try(
        session(),
        kind,
        email=email,
        client=client_key(),
        now=now(),
        is_known=email_index(email) in known_addresses(),
    ):
        raise TooManyRequests(retry_after=int(MAILS_COUNTED_FOR.total_seconds()))


def _next_url(path: str) -> str:
    """Return a page to sign in at that keeps where to go then."""
    query = request.query_string.decode()
    return path + (f"?{query}" if query else "")


def _mail_page(form: MailForm) -> dict[str, object]:
    return {
        "form": form,
        "action": _next_url("/sign-in"),
        "password_url": _next_url("/sign-in/password"),
        "passkey_url": _next_url("/sign-in/passkey") if passkeys_work() else "",
        "oidc_name": provider_name() if is_ready() else "",
        "oidc_url": _next_url("/sign-in/oidc"),
        "by_phone": channels()[SMS].is_ready(),
        "may_sign_up": settings().sign_up or invitation_offered() is not None,
    }


def _password_page(form: SignInForm) -> dict[str, object]:
    return {
        "form": form,
        "action": _next_url("/sign-in/password"),
        "mail_url": _next_url("/sign-in"),
    }


def _where() -> str:
    return safe_path(request.args.get("next", ""))


@entering.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    """Show where to sign in; an empty database begins with its first account."""
    if not any_account(session()):
        return go("/welcome")
    return page("accounts/sign_in.html", **_mail_page(MailForm()))


@entering.post("/sign-in")
@limiter.limit(GUESSES)
@limiter.limit(MAILS, key_func=typed_address_here, exempt_when=_is_known)
def post_sign_in() -> ResponseReturnValue:
    """Mail a way in; the answer is the same for every address."""
    form = MailForm()
    if not form.validate():
        return bad_form("accounts/sign_in.html", **_mail_page(form))
    email = said(form.email)
    send_mail(email, is_own_device=form.own_device.data, path=_where())
    return page("accounts/code.html", form=CodeForm(), email=email)


@entering.get("/sign-in/code")
def show_code() -> ResponseReturnValue:
    """Show where to type the code of a mail."""
    return page("accounts/code.html", form=CodeForm(), email="")


@entering.post("/sign-in/code")
@limiter.limit(CODES)
def post_code() -> ResponseReturnValue:
    """Sign in the browser that asked for the mail of this code."""
    form, (secret, path) = CodeForm(), asked_mail()
    if not form.validate():
        return bad_form("accounts/code.html", form=form, email="")
    code = read_digits(said(form.code))
    mail = enter_by_code(session(), browser=secret, code=code, now=now())
    if mail is None and _is_in_by(code=code):
        return go("/")
    if mail is None:
        return wrong_code(form, "accounts/code.html", email="")
    _enter_by(mail.account_id, is_own_device=mail.is_own_device)
    return go(safe_path(path))


def _is_in_by(**secret: str) -> bool:
    """Say whether the viewer got in by this just now, and only pressed twice."""
    viewer = current_viewer()
    return viewer is not None and was_entered(
        session(), viewer.account_id, now=now(), **secret
    )


def wrong_code(form: CodeForm, template: str, **context: object) -> ResponseReturnValue:
    """Say that a code is not right; the try is kept."""
    form.code.errors = [
        _("This code is not right, or too old. Check it, or ask for a new one.")
    ]
    return wrong_try(template, form=form, **context)


def _enter_by(account_id: int | None, *, is_own_device: bool) -> None:
    enter(session().get_one(Account, account_id), is_own_device=is_own_device)


@entering.get("/e/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_entry(token: str) -> ResponseReturnValue:
    """Show one button where the mail was asked for; elsewhere where to type its code.

    Whoever opens it elsewhere may be a machine that reads mail: there is nothing to
    press.
    """
    if not _is_asked_here(token):
        return page("accounts/elsewhere.html")
    return page("accounts/enter.html", action=f"/e/{token}", shown=shown_here())


def _is_asked_here(token: str) -> bool:
    mail, (secret, _path) = live_mail(session(), token, now=now()), asked_mail()
    if mail is None:
        raise LinkGoneError
    return is_asked_by(mail, secret)


@entering.post("/e/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_entry(token: str) -> ResponseReturnValue:
    """Sign in the browser that asked for this mail."""
    if _is_in_by(token=token):
        return go("/")
    if not _is_asked_here(token):
        return go(f"/e/{token}")
    if not is_pressed():
        return go(once_more(f"/e/{token}"))
    secret, path = asked_mail()
    mail = enter_by_link(session(), token, browser=secret, now=now())
    _enter_by(mail.account_id, is_own_device=mail.is_own_device)
    return go(safe_path(path))


@entering.get("/sign-in/password")
def show_password_sign_in() -> ResponseReturnValue:
    """Show where to sign in with a password."""
    return page("accounts/password.html", **_password_page(SignInForm()))


@entering.post("/sign-in/password")
@limiter.limit(GUESSES)
@limiter.limit(GUESSES_PER_ADDRESS, key_func=typed_address)
def post_password_sign_in() -> ResponseReturnValue:
    """Sign a browser in."""
    form = SignInForm()
    if not form.validate():
        return bad_form("accounts/password.html", **_password_page(form))
    count_try(PASSWORD, said(form.email))
    account = account_that_signs_in(
        session(), email=said(form.email), password=said(form.password)
    )
    if account is None:
        form.password.errors = [_("The e-mail address or the password is not right.")]
        return wrong_try("accounts/password.html", **_password_page(form))
    enter(account, is_own_device=form.own_device.data)
    return go(_where())


@entering.post("/sign-in/passkey/ask")
@limiter.limit(CHALLENGES)
def post_passkey_asks() -> ResponseReturnValue:
    """Give this browser something for a passkey to sign; it names nobody."""
    return give(ask_to_enter(session(), Browser(asked_challenge()), now=now()))


@entering.post("/sign-in/passkey")
@limiter.limit(CODES)
def post_passkey_sign_in() -> ResponseReturnValue:
    """Sign in whose passkey has signed; all that is wrong gets the same answer."""
    verdict = enter_by_passkey(
        session(), Browser(asked_challenge()), answer=answered(), now=now()
    )
    form = MailForm()
    if verdict.passkey is None:
        notices = [("error", verdict.words)]
        return wrong_try("accounts/sign_in.html", notices=notices, **_mail_page(form))
    enter(
        session().get_one(Account, verdict.passkey.account_id),
        is_own_device=form.own_device.data,
        is_proof=verdict.is_proof,
    )
    return go(_where())


@entering.post("/sign-out")
def post_sign_out() -> ResponseReturnValue:
    """Sign this browser out for good."""
    return signed_out("/sign-in")


def signed_out(path: str) -> ResponseReturnValue:
    """Sign this browser out for good, and go on there."""
    _leave()
    sign_out()
    answer = make_response(go(path))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
