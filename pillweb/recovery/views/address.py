"""Pages to change the e-mail address that one signs in with."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from pillweb.accounts.actions.addresses import mail_new_address
from pillweb.accounts.forms import CodeForm
from pillweb.accounts.models import Account
from pillweb.accounts.queries import email_index, is_asked_too_often
from pillweb.accounts.rules import MAILS_COUNTED_FOR
from pillweb.accounts.views.entering import CODES, MAILS, wrong_code
from pillweb.accounts.views.signing import account_key, this_browser
from pillweb.base.clock import now
from pillweb.base.digits import read_digits
from pillweb.base.i18n import gettext as _
from pillweb.recovery.actions.moving import change_address
from pillweb.recovery.forms import AddressForm
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page, wrong_try
from pillweb.web.security import client_key, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import (
    asked_mail,
    forget_mail,
    remember_mail,
    signed_in,
    stay_signed_in,
)

own_address = Blueprint("own_address", __name__)

HERE, WAYS = "/account/email", "/account/sign-in"
TEMPLATE, CODE_PAGE = "recovery/address.html", "recovery/address_code.html"


def _page(form: AddressForm) -> dict[str, object]:
    return {"form": form, "action": HERE, "email": signed_in().email, "back_url": WAYS}


@own_address.get(HERE)
def show_address() -> ResponseReturnValue:
    """Ask for another e-mail address."""
    return page(TEMPLATE, **_page(AddressForm()))


@own_address.post(HERE)
@limiter.limit(MAILS, key_func=account_key)
def post_address() -> ResponseReturnValue:
    """Mail a code to the new address; the answer is the same for every address."""
    viewer, form = signed_in(), AddressForm()
    if not form.validate():
        return bad_form(TEMPLATE, **_page(form))
    email, account = said(form.email), session().get_one(Account, viewer.account_id)
    if email_index(email) == account.email_index:
        form.email.errors = [_("This is your address already. Write another one.")]
        return bad_form(TEMPLATE, **_page(form))
    if is_asked_too_often(session(), email=email, client=client_key(), now=now()):
        raise TooManyRequests(retry_after=int(MAILS_COUNTED_FOR.total_seconds()))
    secret = mail_new_address(
        session(), viewer.account_id, email=email, client=client_key(), now=now()
    )
    remember_mail(secret, WAYS)
    wake_after_commit("deliver")
    return page(CODE_PAGE, form=CodeForm(), **_code_page(email))


def _code_page(email: str = "") -> dict[str, object]:
    return {"action": f"{HERE}/code", "again_url": HERE, "email": email}


@own_address.post(f"{HERE}/code")
@limiter.limit(CODES)
def post_address_code() -> ResponseReturnValue:
    """Take the code as proof: from now on this is the address."""
    viewer, form, (secret, _path) = signed_in(), CodeForm(), asked_mail()
    if not form.validate():
        return bad_form(CODE_PAGE, form=form, **_code_page())
    moved = change_address(
        session(),
        viewer.account_id,
        browser=secret,
        code=read_digits(said(form.code)),
        session_id=viewer.session_id,
        device=this_browser(),
        now=now(),
    )
    if moved.is_taken:
        words = _("Another account has this address. Yours stays as it was.")
        return wrong_try(TEMPLATE, notices=[("error", words)], **_page(AddressForm()))
    if not moved.secret:
        return wrong_code(form, CODE_PAGE, **_code_page())
    forget_mail()
    stay_signed_in(moved.secret)
    wake_after_commit("deliver")
    return go(WAYS, notice=_("You sign in with your new e-mail address now."))
