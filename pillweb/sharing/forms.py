"""What people type about a link they share, and about what a helper may do."""

from collections.abc import Mapping
from datetime import date, datetime

from wtforms import (
    BooleanField,
    DateField,
    RadioField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.validators import InputRequired

from pillweb.base.clean import clean_text
from pillweb.base.i18n import gettext, ngettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.zones import Zone, day_bounds
from pillweb.sharing.rules import (
    LEVELS,
    LINK_DAYS,
    LINK_DAYS_DEFAULT,
    PAGES,
    SCOPES,
    Level,
    Terms,
)
from pillweb.web.forms import Form, choices, day_field, said, text_field


class LinkForm(Form):
    """A new link: for whom, for how long, and how much it tells."""

    label = text_field(_("Who is it for?"), missing=_("Write who the link is for."))
    pages = SelectMultipleField(
        _("Which pages?"),
        default=list(PAGES),
        validators=[InputRequired(_("Choose one page at least."))],
    )
    show_names = BooleanField(_("Show the names of the medicines too"))
    with_pin = BooleanField(_("Ask for a PIN, too"))
    days = RadioField(
        _("How long does it work?"),
        coerce=int,
        default=LINK_DAYS_DEFAULT,
    )

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        self.pages.choices = choices(
            *((page, gettext(words)) for page, words in PAGES.items())
        )
        self.days.choices = choices(
            *(
                (str(days), ngettext("%(num)s day", "%(num)s days", days))
                for days in LINK_DAYS
            )
        )


class PinForm(Form):
    """The PIN of a link."""

    pin = StringField(
        _("The PIN"),
        validators=[InputRequired()],
        filters=[clean_text],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "12"},
    )

    @property
    def digits(self) -> str:
        """What was typed, without what stands between the digits."""
        return "".join(said(self.pin).split())


class AccessForm(Form):
    """What a helper may do and see, and until when."""

    level = RadioField(_("What may they do?"), default=str(int(Level.VIEW)))
    sees = SelectMultipleField(_("What may they see?"))
    until = day_field(_("Until which day?"))

    def __init__(
        self,
        today: date,
        data: Mapping[str, object] | None = None,
        *,
        ends_at: datetime | None = None,
    ) -> None:
        super().__init__(data)
        self.today, self.given_day = today, (data or {}).get("until")
        self.given_end = ends_at
        self.level.choices = choices(
            *((str(int(level)), gettext(words)) for level, words in LEVELS.items())
        )
        self.sees.choices = choices(
            *((scope, gettext(words)) for scope, words in SCOPES.items())
        )

    def validate_until(self, field: DateField) -> None:
        """Refuse a day that is over."""
        if field.data is not None and field.data < self.today:
            raise ValidationError(gettext("Choose today or a later day."))

    def terms(self, role: str, place: Zone) -> Terms:
        """Return what was chosen; it ends with the day, where one was named.

        A day that was left as it stood ends when it did: on a journey, too.
        """
        is_same = self.until.data == self.given_day
        return Terms(
            level=Level(int(self.level.data)),
            role=role,
            sees=frozenset(self.sees.data or ()),
            ends_at=self.given_end if is_same else _end_of(self.until.data, place),
        )


def _end_of(day: date | None, place: Zone) -> datetime | None:
    return None if day is None else day_bounds(day, place)[1]
