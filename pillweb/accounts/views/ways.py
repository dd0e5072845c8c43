"""The page of one's own account: how one signs in, the password, and what else."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.passwords import is_own_password, keep_password
from pillweb.accounts.forms import ChangePasswordForm, NewPasswordForm
from pillweb.accounts.models import Account, Passkey
from pillweb.accounts.queries import passkeys_of
from pillweb.accounts.rules import (
    ABOUT_ACCOUNT,
    MORE_WAYS,
    NEW_PASSWORD,
    NO_PASSWORD,
    seen_words,
    strength_words,
)
from pillweb.accounts.views.signing import tell
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.passkeys import passkeys_work
from pillweb.base.words import long_date_words
from pillweb.channels.oidc import is_ready, provider_name
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, fragment, go, page
from pillweb.web.security import limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import current_viewer, signed_in, stay_signed_in

ways = Blueprint("ways", __name__)

WAYS = "/account/sign-in"
BY_PROVIDER = "/account/sign-in-by"
OWN_PASSWORD = "/account/password"  # noqa: S105 - an address
FIRST_PASSWORD = f"{OWN_PASSWORD}/new"
TEMPLATE = "accounts/own_password.html"
GUESSES = "10 per hour"
# Whenever a password was typed, its strength is asked for.
MEASURES = "300 per hour"


def _whose() -> str:
    viewer = current_viewer()
    return f"account:{viewer.account_id}" if viewer else "nobody"


def _account() -> Account:
    return session().get_one(Account, signed_in().account_id)


def _card(row: Passkey) -> dict[str, object]:
    used, doubted = row.last_used_at, row.doubted_at
    return {
        "id": row.id,
        "name": row.name,
        "made": _("Added on %(date)s.", date=long_date_words(row.created_at.date())),
        "used": seen_words(used, now=now()) if used else _("Not used yet"),
        "doubted": long_date_words(doubted.date()) if doubted else "",
    }


@ways.get(WAYS)
def show_ways() -> ResponseReturnValue:
    """Show one's own account, and how one signs in."""
    account = _account()
    has_password = account.password_hash is not None
    more = [(url, _(words)) for url, words in MORE_WAYS]
    if is_ready():
        more.append((BY_PROVIDER, _("Sign in with %(name)s", name=provider_name())))
    return page(
        "accounts/ways.html",
        name=account.name,
        email=account.email,
        has_password=has_password,
        password_url=OWN_PASSWORD if has_password else FIRST_PASSWORD,
        cards=[_card(row) for row in passkeys_of(session(), account.id)],
        works=passkeys_work(),
        more=more,
        about=[(url, _(words)) for url, words in ABOUT_ACCOUNT],
    )


@ways.post(f"{WAYS}/later")
def post_no_second_way() -> ResponseReturnValue:
    """Put away the advice to have a second way to sign in."""
    _account().nudge_off_at = now()
    return go("/people")


def _password_page(form: ChangePasswordForm | NewPasswordForm) -> dict[str, object]:
    account = _account()
    form.personal = (account.name, account.email)
    is_change = isinstance(form, ChangePasswordForm)
    return {
        "form": form,
        "action": OWN_PASSWORD if is_change else FIRST_PASSWORD,
        "back_url": WAYS,
        "remove_url": f"{OWN_PASSWORD}/remove" if is_change else "",
    }


@ways.get(OWN_PASSWORD)
def show_own_password() -> ResponseReturnValue:
    """Ask for the password one has, and another."""
    if _account().password_hash is None:
        return go(FIRST_PASSWORD)
    return page(TEMPLATE, **_password_page(ChangePasswordForm()))


@ways.post(OWN_PASSWORD)
@limiter.limit(GUESSES, key_func=_whose)
def post_own_password() -> ResponseReturnValue:
    """Change the password of who knows it."""
    viewer, form = signed_in(), ChangePasswordForm()
    shown = _password_page(form)
    if not form.validate():
        return bad_form(TEMPLATE, **shown)
    if not is_own_password(session(), viewer.account_id, said(form.known)):
        form.known.errors = [_("The password is not right.")]
        return bad_form(TEMPLATE, **shown)
    return _keep(said(form.password), _("You have a new password now."))


@ways.get(FIRST_PASSWORD)
def show_new_password() -> ResponseReturnValue:
    """Ask for a first password."""
    if _account().password_hash:
        return go(OWN_PASSWORD)
    return page(TEMPLATE, **_password_page(NewPasswordForm()))


@ways.post(FIRST_PASSWORD)
def post_new_password() -> ResponseReturnValue:
    """Set a first password."""
    if _account().password_hash:
        return go(OWN_PASSWORD)
    form = NewPasswordForm()
    shown = _password_page(form)
    if not form.validate():
        return bad_form(TEMPLATE, **shown)
    return _keep(said(form.password), _("You have a new password now."))


@ways.post(f"{OWN_PASSWORD}/remove")
def post_no_password() -> ResponseReturnValue:
    """Sign in without a password from now on."""
    signed_in()
    return _keep(None, _("You have no password any more."))


def _keep(password: str | None, notice: str) -> ResponseReturnValue:
    viewer = signed_in()
    secret = keep_password(
        session(),
        viewer.account_id,
        password=password,
        session_id=viewer.session_id,
        now=now(),
    )
    stay_signed_in(secret)
    tell(viewer.account_id, NEW_PASSWORD if password else NO_PASSWORD)
    return go(WAYS, notice=notice)


@ways.post(f"{OWN_PASSWORD}/strength")
@limiter.limit(MEASURES, key_func=_whose)
def post_strength() -> ResponseReturnValue:
    """Say how hard a password is to guess, before it is chosen."""
    account = _account()
    words = strength_words(
        request.form.get("password", ""), personal=(account.name, account.email)
    )
    return fragment("accounts/_strength.html", words=words)
