"""What people type about their account."""

from hmac import compare_digest
from typing import Any

from wtforms import BooleanField, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired

from pillweb.accounts.queries import set_up_code
from pillweb.accounts.rules import check_password, read_printed_code
from pillweb.base.clean import clean_text
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.mail_address import clean_email
from pillweb.web.forms import Form, said, text_field


def email_field(
    label: str,
    *,
    autocomplete: tuple[str, ...] = ("email",),
    **more: Any,  # noqa: ANN401
) -> StringField:
    """Return a field for one e-mail address."""
    return StringField(
        label,
        validators=[DataRequired(_("Write the e-mail address.")), _is_email],
        filters=[clean_text],
        render_kw={
            "type": "email",
            "autocomplete": " ".join(autocomplete),
            "inputmode": "email",
        },
        **more,
    )


def _is_email(_form: Form, field: StringField) -> None:
    try:
        field.data = clean_email(said(field))
    except InvalidError as error:
        raise ValidationError(str(error)) from None


# When it was typed, the page says how hard it is to guess.
_MEASURED = {
    "hx-post": "/account/password/strength",
    "hx-target": "#strength",
    "hx-params": "password",
}


def _new_password(label: str = _("Password"), **more: str) -> PasswordField:
    return PasswordField(
        label,
        validators=[InputRequired(_("Choose a password.")), _is_strong],
        render_kw={"autocomplete": "new-password", **more},
    )


def _is_strong(form: Form, field: PasswordField) -> None:
    typed = (
        other.data
        for other in form
        if other is not field and isinstance(other.data, str)
    )
    personal = (*getattr(form, "personal", ()), *typed)
    try:
        check_password(said(field), personal=personal)
    except InvalidError as error:
        raise ValidationError(str(error)) from None


def _name_field() -> StringField:
    return text_field(
        _("Your name"),
        missing=_("Write your name."),
        render_kw={"autocomplete": "name"},
    )


def _is_set_up_code(_form: Form, field: StringField) -> None:
    if not compare_digest(read_printed_code(said(field)), set_up_code()):
        raise ValidationError(
            _("This is not the set-up code. It is shown where PillWeb was started.")
        )


class FirstAccountForm(Form):
    """The first account of an empty database; a public server asks for a code."""

    name = _name_field()
    email = email_field(_("Your e-mail address"))
    password = _new_password()
    code = StringField(
        _("The set-up code"),
        validators=[_is_set_up_code],
        filters=[clean_text],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )

    def __init__(self, *, asks_code: bool) -> None:
        super().__init__()
        if not asks_code:
            del self.code


class SignUpForm(Form):
    """A wish for an account."""

    name = _name_field()
    email = email_field(_("Your e-mail address"))


def _own_device() -> BooleanField:
    return BooleanField(_("This is my own phone, tablet or computer"))


def _known_password() -> PasswordField:
    return PasswordField(
        _("Your password"),
        validators=[InputRequired(_("Write your password."))],
        render_kw={"autocomplete": "current-password"},
    )


class MailForm(Form):
    """Who signs in by mail."""

    # So the browser offers passkeys there (WebAuthn Level 3, 5.1.4).
    email = email_field(_("Your e-mail address"), autocomplete=("username", "webauthn"))
    own_device = _own_device()


def code_field() -> StringField:
    """Return a field for eight digits that somebody was sent, or told."""
    return StringField(
        _("The code"),
        validators=[DataRequired(_("Write the code from the message."))],
        filters=[clean_text],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class CodeForm(Form):
    """The code of a mail."""

    code = code_field()


def _known_email() -> StringField:
    return StringField(
        _("Your e-mail address"),
        validators=[DataRequired(_("Write your e-mail address."))],
        filters=[clean_text],
        render_kw={"type": "email", "autocomplete": "username"},
    )


class PrintedCodeForm(Form):
    """Who signs in with a code from paper."""

    email = _known_email()
    code = StringField(
        _("A code from your paper"),
        validators=[DataRequired(_("Write a code from your paper."))],
        filters=[clean_text],
        render_kw={
            "autocomplete": "off",
            "autocapitalize": "characters",
            "spellcheck": "false",
        },
    )


class SignInForm(Form):
    """Who signs in with a password."""

    email = _known_email()
    password = _known_password()
    own_device = _own_device()


class AgainForm(Form):
    """Who is signed in already, once more."""

    password = _known_password()


class DeviceForm(Form):
    """What somebody calls a browser of theirs."""

    name = text_field(_("What do you call it?"), missing=_("Write a name."), longest=60)


class PasskeyForm(Form):
    """What somebody calls a passkey."""

    name = text_field(_("What do you call it?"), missing=_("Write a name."), longest=60)


class NewPasswordForm(Form):
    """A password of somebody who is signed in.

    `personal` is what is known of them: it may not be the password.
    """

    personal: tuple[str, ...] = ()
    password = _new_password(_("Your new password"), **_MEASURED)


class ChangePasswordForm(Form):
    """Another password, of somebody who knows the one before."""

    personal: tuple[str, ...] = ()
    known = PasswordField(
        _("The password you have now"),
        validators=[InputRequired(_("Write your password."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = _new_password(_("Your new password"), **_MEASURED)


class ResetForm(Form):
    """Whose password is forgotten."""

    email = email_field(_("Your e-mail address"))


class PasswordForm(Form):
    """A new password."""

    password = _new_password()
