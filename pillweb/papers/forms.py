"""What people choose about a weekly sheet."""

from datetime import date

from wtforms import BooleanField, RadioField

from pillweb.base.i18n import gettext, pgettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.words import date_words
from pillweb.papers.rules.sheet import first_days
from pillweb.web.forms import Form, choices


class SheetForm(Form):
    """A sheet with codes: its first day, and how much a code tells."""

    first = RadioField(_("Which day does it begin?"))
    show_names = BooleanField(
        _("Show the names of the medicines to anybody who scans a code")
    )


def sheet_form(today: date) -> SheetForm:
    """Return the form with the days that are near."""
    form = SheetForm(data={"first": today.isoformat()})
    form.first.choices = choices(
        *((day.isoformat(), _day_words(day, today)) for day in first_days(today))
    )
    return form


def _day_words(day: date, today: date) -> str:
    if day == today:
        return gettext("Today, %(date)s", date=date_words(day))
    return pgettext("a sheet begins on", "%(date)s", date=date_words(day))
