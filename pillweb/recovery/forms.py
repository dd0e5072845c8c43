"""What people choose and type when somebody is let in again."""

from collections.abc import Mapping, Sequence

from wtforms import SelectMultipleField, StringField
from wtforms.validators import DataRequired

from pillweb.accounts.forms import code_field, email_field
from pillweb.base.clean import clean_text
from pillweb.base.i18n import lazy_gettext as _
from pillweb.web.forms import Form, choices


class AddressForm(Form):
    """Another e-mail address of somebody's own."""

    email = email_field(_("Your new e-mail address"))


class HelpersForm(Form):
    """Who may let somebody in again."""

    helpers = SelectMultipleField(_("Who may help you?"))

    def __init__(
        self,
        people: Sequence[tuple[int, str]],
        data: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data)
        self.helpers.choices = choices(*((str(one), name) for one, name in people))


class HelpedForm(Form):
    """Who was given a code by their helper."""

    email = StringField(
        _("Your e-mail address"),
        validators=[DataRequired(_("Write your e-mail address."))],
        filters=[clean_text],
        render_kw={"type": "email", "autocomplete": "username"},
    )
    code = code_field()


class EndForm(Form):
    """What is to end, once somebody is in again."""

    ended = SelectMultipleField(_("What is to end?"))

    def __init__(
        self,
        ways: Sequence[tuple[str, str]],
        data: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data)
        self.ended.choices = choices(*ways)


class PhoneForm(Form):
    """Who signs in by a code to their phone."""

    email = email_field(_("Your e-mail address"))
