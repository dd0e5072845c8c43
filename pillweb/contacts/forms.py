"""What people answer about where, and how, they want to be told."""

from collections.abc import Iterable, Mapping
from datetime import time

from wtforms import (
    BooleanField,
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)

from pillweb.base.clean import clean_text
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext, gettext_noop
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.words import time_words
from pillweb.channels.registry import Channel
from pillweb.contacts.rules import DOSES, GROUPS, WANTED
from pillweb.web.forms import Form, at_most, choices, said

LONGEST_ADDRESS = 2000
HOURS = [f"{hour:02}:00" for hour in range(24)]
# By channel: what the address is called, and what a browser may fill in.
_LABELS = {
    "email": gettext_noop("E-mail address"),
    "sms": gettext_noop("Number of the mobile phone"),
    "voice": gettext_noop("Phone number"),
}
_FILLED_IN = {
    "email": {"autocomplete": "email", "inputmode": "email"},
    "sms": {"autocomplete": "tel", "inputmode": "tel"},
    "voice": {"autocomplete": "tel", "inputmode": "tel"},
}
# What may be left empty: an address is then made up.
_MADE_UP = {"ntfy"}
PLACES = {
    "": gettext_noop("Not told"),
    "1": gettext_noop("First"),
    "2": gettext_noop("Second, when the first does not see to it"),
}


class AddressForm(Form):
    """Where somebody is reached by one channel; `address` is kept as `read`."""

    address = StringField(_("Address"), [at_most(LONGEST_ADDRESS)], [clean_text])

    def __init__(
        self, channel: Channel, data: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(data)
        self.channel, self.read = channel, ""
        name = channel.NAME
        if name in _LABELS:
            self.address.label.text = gettext(_LABELS[name])
        self.address.flags.required = name not in _MADE_UP
        self.address.render_kw = {"spellcheck": "false", **_FILLED_IN.get(name, {})}

    def validate_address(self, field: StringField) -> None:
        """Refuse what the channel cannot write to, in its own words."""
        try:
            self.read = self.channel.read_address(said(field))
        except InvalidError as error:
            raise ValidationError(str(error)) from None


class ChannelsForm(Form):
    """By which channels one kind of message comes."""

    channels = SelectMultipleField()

    def __init__(
        self,
        group: str,
        offered: Iterable[tuple[str, str]],
        data: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data)
        self.group = group
        self.channels.choices = choices(*offered)
        self.channels.label.text = gettext(GROUPS[group])

    def validate_channels(self, field: SelectMultipleField) -> None:
        """Refuse reminders by no channel at all; everything else may be unwanted."""
        if self.group == DOSES and not field.data:
            raise ValidationError(gettext("Keep one way at least for reminders."))


class QuietForm(Form):
    """From when until when nothing makes a sound."""

    quiet_from = SelectField(_("From"))
    quiet_until = SelectField(_("Until"))
    urgent_passes = BooleanField(_("What cannot wait may come all the same"))

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        for field in (self.quiet_from, self.quiet_until):
            kept = {str((data or {}).get(field.name, ""))} - {""}
            field.choices = choices(
                ("", gettext("No quiet hours")),
                *(
                    (clock, time_words(time.fromisoformat(clock)))
                    for clock in sorted({*HOURS, *kept})
                ),
            )

    def validate_quiet_until(self, field: Field) -> None:
        """Refuse a beginning without an end, and an end that is the beginning."""
        both = [self.quiet_from.data, field.data]
        if any(both) and (not all(both) or both[0] == both[1]):
            raise ValidationError(
                gettext("Choose two different times, or no quiet hours for both.")
            )


class NamesForm(Form):
    """Whether messages name medicines."""

    shows_names = BooleanField(_("Messages may name the medicines"))


class HelperForm(Form):
    """What one helper is told of a patient."""

    alerts = BooleanField(_("Tell at once when too much is recorded"))
    place = RadioField(_("When a dose has no record"))
    wants = SelectMultipleField(_("Which messages besides?"))

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        self.place.choices = choices(
            *((place, gettext(words)) for place, words in PLACES.items())
        )
        self.wants.choices = choices(
            *((group, gettext(GROUPS[group])) for group in WANTED)
        )
