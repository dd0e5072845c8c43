"""What people type who stop sharing, or leave."""

from collections.abc import Sequence

from wtforms import RadioField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import InputRequired

from pillweb.accounts.rules import ATTORNEY, READ_OUT
from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.rights.rules import Way, is_same_name
from pillweb.web.forms import Form, choices, said, text_field


class LeaveForm(Form):
    """The name of who is to be erased, typed once more, and who goes with them.

    `whole` are the patients who would have nobody left: each must be ticked.
    """

    name = text_field(_("Write the name"), missing=_("Write the name."))
    gone = SelectMultipleField(_("All about these people is deleted, too"))

    def __init__(self, name: str, whole: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__()
        self.shown_name, self.whole = name, {str(one): who for one, who in whole}
        self.gone.choices = choices(*self.whole.items())
        if not whole:
            del self.gone

    def validate_name(self, field: StringField) -> None:
        """Refuse another name than the one that stands on the page."""
        if not is_same_name(said(field), self.shown_name):
            raise ValidationError(gettext("Write the name as it stands on this page."))

    def validate_gone(self, field: SelectMultipleField) -> None:
        """Refuse to leave anybody behind for whom nobody would be left."""
        if set(field.data or ()) != set(self.whole):
            raise ValidationError(
                gettext("Tick each name, or first let somebody else help them.")
            )


class WaysForm(Form):
    """Which tablets, links and calendars are to end."""

    ends = SelectMultipleField(_("What is to stop, too?"))

    def __init__(self, ways: Sequence[Way], *, ticked: bool = False) -> None:
        super().__init__({"ends": [way.key for way in ways if ticked]})
        self.ways = ways
        self.ends.choices = choices(*((way.key, way.words) for way in ways))
        if not ways:
            del self.ends

    @property
    def ended(self) -> list[Way]:
        """Return those that were ticked."""
        ticked = (self.ends.data or ()) if "ends" in self else ()
        return [way for way in self.ways if way.key in ticked]


class KeepInForm(WaysForm):
    """Who is told on, where time matters for a medicine, and what is not to stay."""

    still = SelectMultipleField(_("Who still sees and is told?"))

    def __init__(self, helpers: Sequence[tuple[int, str]], ways: Sequence[Way]) -> None:
        super().__init__(ways)
        self.still.choices = choices(*((str(one), name) for one, name in helpers))
        if not helpers:
            del self.still

    @property
    def grant_ids(self) -> list[int]:
        """Return the grants that were ticked."""
        return [int(one) for one in self.still.data or ()] if "still" in self else []


class AgreedForm(Form):
    """How somebody agreed for whom another writes."""

    agreed = RadioField(
        _("How did they agree?"),
        choices=choices(
            (READ_OUT, _("I read it to them, and they agreed.")),
            (ATTORNEY, _("I may decide this for them.")),
        ),
        validators=[InputRequired(_("Choose one."))],
    )
    agreed_note = text_field(_("What lets you decide, such as power of attorney"))


class NameForm(Form):
    """How somebody who signs in is called."""

    name = text_field(_("Your name"), missing=_("Write your name."))
