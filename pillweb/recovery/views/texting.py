"""Pages to sign in by a code to one's own phone."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from pillweb.accounts.actions.entering import Way
from pillweb.accounts.forms import CodeForm
from pillweb.accounts.models import Account
from pillweb.accounts.views.entering import GUESSES, MAILS, send_mail, typed_address
from pillweb.base.errors import NotFoundError
from pillweb.channels.registry import channels
from pillweb.recovery.forms import PhoneForm
from pillweb.recovery.queries import SMS, phone_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, page
from pillweb.web.security import limiter

texting = Blueprint("texting", __name__)

HERE = "/sign-in/phone"


def _own_phone(session: Session, account: Account | None) -> str | None:
    return phone_of(session, account.id if account else None)


BY_PHONE = Way(SMS, "sign_in_sms", _own_phone)


def _is_set_up() -> None:
    if not channels()[SMS].is_ready():
        raise NotFoundError


@texting.get(HERE)
def show_phone() -> ResponseReturnValue:
    """Show where to ask for a code by SMS."""
    _is_set_up()
    return page("recovery/phone.html", form=PhoneForm())


@texting.post(HERE)
@limiter.limit(GUESSES)
@limiter.limit(MAILS, key_func=typed_address)
def post_phone() -> ResponseReturnValue:
    """Send a code; the answer is the same for every address."""
    _is_set_up()
    form = PhoneForm()
    if not form.validate():
        return bad_form("recovery/phone.html", form=form)
    email = said(form.email)
    send_mail(email, is_own_device=False, path="/", way=BY_PHONE)
    return page("accounts/code.html", form=CodeForm(), email=email, by_phone=True)
