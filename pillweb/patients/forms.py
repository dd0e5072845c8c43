"""What people type about somebody who takes medicine."""

from wtforms import RadioField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Optional

from pillweb.base.clean import clean_text
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.mail_address import clean_email
from pillweb.base.zones import UnknownZone, all_zones, zone
from pillweb.web.forms import Form, choices, said, text_field


def zone_words(name: str) -> str:
    """Return a zone's name with the city first: London, Europe."""
    *places, city = name.replace("_", " ").split("/")
    return ", ".join([city, *places[-1:]])


def _words(choice: tuple[str, str]) -> str:
    return choice[1]


class PatientForm(Form):
    """A person who takes medicine: a name, a clock, and where reminders go."""

    who = RadioField(
        _("Who is it?"),
        choices=choices(("me", _("Myself")), ("other", _("Somebody I help"))),
        default="me",
    )
    name = text_field(_("Name"), missing=_("Write the person's name."))
    zone = SelectField(
        _("Time zone"),
        choices=choices(
            ("", _("Choose a place")),
            *sorted(((name, zone_words(name)) for name in all_zones()), key=_words),
        ),
        validate_choice=False,
        validators=[InputRequired(_("Choose the time zone."))],
        # A guess is made in the browser, which knows; the server must not guess.
        render_kw={"data-guess": "zone"},
    )
    email = StringField(
        _("E-mail address for reminders"),
        validators=[Optional()],
        filters=[clean_text],
        render_kw={"type": "email", "autocomplete": "off"},
    )

    def validate_zone(self, field: SelectField) -> None:
        """Refuse a zone nobody knows; an alias of a known one is fine."""
        try:
            zone(field.data)
        except UnknownZone as error:
            raise ValidationError(str(error)) from None

    def validate_email(self, field: StringField) -> None:
        """Refuse what is no address."""
        try:
            field.data = clean_email(said(field))
        except InvalidError as error:
            raise ValidationError(str(error)) from None
