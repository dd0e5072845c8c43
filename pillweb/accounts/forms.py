"""What people type about their account."""

from typing import Any

from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired

from pillweb.accounts.rules import check_password
from pillweb.base.clean import clean_text
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.mail_address import clean_email
from pillweb.web.forms import Form, said, text_field


def email_field(label: str, **more: Any) -> StringField:  # noqa: ANN401
    """Return a field for one e-mail address."""
    return StringField(
        label,
        validators=[DataRequired(_("Write the e-mail address.")), _is_email],
        filters=[clean_text],
        render_kw={"type": "email", "autocomplete": "email", "inputmode": "email"},
        **more,
    )


def _is_email(_form: Form, field: StringField) -> None:
    try:
        field.data = clean_email(said(field))
    except InvalidError as error:
        raise ValidationError(str(error)) from None


def _new_password() -> PasswordField:
    return PasswordField(
        _("Password"),
        validators=[InputRequired(_("Choose a password.")), _is_strong],
        render_kw={"autocomplete": "new-password"},
    )


def _is_strong(form: Form, field: PasswordField) -> None:
    personal = tuple(
        other.data
        for other in form
        if other is not field and isinstance(other.data, str)
    )
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


class FirstAccountForm(Form):
    """The first account of an empty database."""

    name = _name_field()
    email = email_field(_("Your e-mail address"))
    password = _new_password()


class SignUpForm(Form):
    """A wish for an account."""

    name = _name_field()
    email = email_field(_("Your e-mail address"))


class SignInForm(Form):
    """Who signs in."""

    email = StringField(
        _("Your e-mail address"),
        validators=[DataRequired(_("Write your e-mail address."))],
        filters=[clean_text],
        render_kw={"type": "email", "autocomplete": "username"},
    )
    password = PasswordField(
        _("Your password"),
        validators=[InputRequired(_("Write your password."))],
        render_kw={"autocomplete": "current-password"},
    )


class ResetForm(Form):
    """Whose password is forgotten."""

    email = email_field(_("Your e-mail address"))


class PasswordForm(Form):
    """A new password."""

    password = _new_password()
