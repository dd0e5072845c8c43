"""What people type about somebody who takes medicine."""

from wtforms import RadioField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Optional

from pillweb.accounts.forms import email_field
from pillweb.accounts.rules import ATTORNEY, MYSELF, READ_OUT
from pillweb.base.i18n import LANGUAGES, gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.zones import UnknownZone, all_zones, zone
from pillweb.web.forms import Form, choices, said, text_field

YEARS = range(1900, 2100)


def zone_words(name: str) -> str:
    """Return a zone's name with the city first: London, Europe."""
    *places, city = name.replace("_", " ").split("/")
    return ", ".join([city, *places[-1:]])


def _words(choice: tuple[str, str]) -> str:
    return choice[1]


class PersonForm(Form):
    """How somebody who takes medicine is called, and the year of birth."""

    name = text_field(_("Name"), missing=_("Write the person's name."))
    born = text_field(_("Year of birth"), render_kw={"inputmode": "numeric"})

    def validate_born(self, field: StringField) -> None:
        """Refuse what is no year of somebody alive."""
        typed = said(field)
        if typed and not (typed.isdecimal() and int(typed) in YEARS):
            raise ValidationError(gettext("Write the year like this: 1944."))


class WhoForm(Form):
    """Who somebody is to the account, and how they agreed that this is kept."""

    who = RadioField(
        _("Who is it?"),
        choices=choices(("me", _("Myself")), ("other", _("Somebody I help"))),
        default="me",
    )
    agreed = RadioField(
        _("If you help somebody: how did they agree?"),
        choices=choices(
            (READ_OUT, _("I read it to them, and they agreed.")),
            (ATTORNEY, _("I may decide this for them.")),
        ),
        validators=[Optional()],
    )
    agreed_note = text_field(_("What lets you decide, such as power of attorney"))

    def validate_who(self, field: RadioField) -> None:
        """Refuse somebody else who was not asked."""
        if field.data == "other" and not self.agreed.data:
            raise ValidationError(gettext("Say how the person you help agreed."))

    @property
    def how(self) -> str:
        """Return how they agreed, one of `accounts.rules.WAYS`."""
        return MYSELF if self.who.data == "me" else self.agreed.data

    @property
    def note(self) -> str:
        """Return what lets the account decide for somebody else."""
        return "" if self.who.data == "me" else said(self.agreed_note)


class NewPersonForm(PersonForm, WhoForm):
    """Somebody new who takes medicine."""


class ZoneForm(Form):
    """The clock by which somebody lives."""

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

    def validate_zone(self, field: SelectField) -> None:
        """Refuse a zone nobody knows; an alias of a known one is fine."""
        try:
            zone(field.data)
        except UnknownZone as error:
            raise ValidationError(str(error)) from None


class LanguageForm(Form):
    """What somebody reads."""

    language = RadioField(_("Language"), choices=choices(*LANGUAGES.items()))


class EmailForm(Form):
    """Where reminders go."""

    email = email_field(_("E-mail address for reminders"))
