"""The questions about a medicine taken every few hours, when needed, or just once."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from wtforms import SelectField, StringField, ValidationError

from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.base.words import units_name
from pillweb.schedules.forms.questions import QuestionForm, changed
from pillweb.schedules.forms.reading import (
    RANGE,
    in_english,
    plain_number,
    read_amount,
    read_dose_text,
    read_range_text,
    read_time,
    read_whole,
    typed_field,
)
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.draft import Json, Part
from pillweb.web.forms import choices, day_field, said, text_field

HOUR = 60
MOST_HOURS = 24 * 366
MOST_DOSES = 1000
A_DAY = "24"
WEIGHTS = {"g", "mg", "mcg", "microgram", "micrograms", "kg"}


def _minutes(text: str) -> int:
    """Return hours as whole minutes.

    Raises:
        ValueError: they are none, or more than a year.
    """
    minutes = read_amount(text) * HOUR
    if minutes != int(minutes) or minutes > MOST_HOURS * HOUR:
        raise ValueError(gettext("Write a number of hours, such as 8 or 1.5."))
    return int(minutes)


def _amount_field() -> StringField:
    return text_field(
        _("How much each time?"),
        missing=_("Write how much is taken each time."),
        render_kw={"autocomplete": "off", "dir": "ltr"},
    )


class AmountForm(QuestionForm):
    """A question about one amount, and more."""

    amount = _amount_field()

    def validate_amount(self, field: StringField) -> None:
        """Refuse an amount that could be read in two ways."""
        try:
            self.is_amount(said(field))
        except ValueError as error:
            raise ValidationError(str(error)) from None


class IntervalForm(AmountForm):
    """How much, and every how many hours."""

    hours = typed_field(
        _("Every how many hours?"), _minutes, missing=_("Write the hours.")
    )

    @classmethod
    def known(cls, line: Json) -> dict[str, Any]:
        """Return the line's amount and hours."""
        hours = line.get("interval_hours")
        return {
            "amount": line.get("dose", ""),
            "hours": "" if hours is None else str(hours),
        }

    def answer(self, part: Part) -> Json:
        """Return the line with its amount and hours."""
        hours = plain_number(read_amount(said(self.hours)))
        dose = self.is_amount(said(self.amount))
        return changed(part.line, dose=dose, interval_hours=hours)


class NeededForm(AmountForm):
    """How much when needed, what for, how far apart, and how much at most."""

    reason = text_field(_("What for?"))
    apart = typed_field(_("At least how far apart?"), read_amount)
    apart_in = SelectField(
        _("Hours or minutes?"),
        choices=choices(("hours", _("hours")), ("minutes", _("minutes"))),
        default="hours",
    )
    doses = typed_field(
        _("At most how many times?"), lambda text: read_whole(text, 1, MOST_DOSES)
    )
    most = text_field(_("At most how much?"), render_kw={"dir": "ltr"})
    hours = typed_field(_("In how many hours?"), _minutes)

    def is_amount(self, text: str) -> str:
        """Read an amount, or a range such as 1 to 2."""
        return read_range_text(text, self.unit, self.kept)

    @classmethod
    def known(cls, line: Json) -> dict[str, Any]:
        """Return the line's limits."""
        least, limit = line.get("min_interval_minutes"), line.get("max") or {}
        in_hours = least is None or least % (HOUR // 2) == 0
        apart = None if least is None else Decimal(least) / (HOUR if in_hours else 1)
        return {
            "amount": line.get("dose", ""),
            "reason": line.get("reason", ""),
            "apart": "" if apart is None else plain_number(apart),
            "apart_in": "hours" if in_hours else "minutes",
            "doses": str(limit.get("doses", "")),
            "most": limit.get("amount", ""),
            "hours": str(limit.get("hours", A_DAY)),
        }

    def validate_most(self, field: StringField) -> None:
        """Want the most in the unit of the amount, or it would hold nobody back."""
        if not said(field):
            return
        try:
            most = read_dose(read_dose_text(said(field), self.unit, self.kept))
            largest = in_english(said(self.amount)).rpartition(RANGE)[2]
            one = read_dose(read_dose_text(largest, self.unit, self.kept))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if most.unit != one.unit and {most.unit, one.unit} - WEIGHTS:
            unit = one.unit or units_name(self.unit)
            sentence = gettext(
                "Write the most in %(unit)s, as the amount is.", unit=unit
            )
            raise ValidationError(sentence)

    def validate_apart(self, field: StringField) -> None:
        """Refuse what is no whole number of minutes."""
        if field.errors:
            return
        try:
            self._apart()
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def _apart(self) -> int | None:
        typed = said(self.apart)
        if not typed:
            return None
        if self.apart_in.data == "hours":
            return _minutes(typed)
        return read_whole(typed, 1, MOST_HOURS * HOUR)

    def answer(self, part: Part) -> Json:
        """Return the line with its amount and limits."""
        limit: Json = {}
        if said(self.doses):
            limit["doses"] = read_whole(said(self.doses), 1, MOST_DOSES)
        if said(self.most):
            limit["amount"] = read_dose_text(said(self.most), self.unit, self.kept)
        if limit:
            hours = read_amount(said(self.hours) or A_DAY)
            limit["hours"] = plain_number(hours)
        return changed(
            part.line,
            dose=self.is_amount(said(self.amount)),
            reason=said(self.reason),
            min_interval_minutes=self._apart(),
            max=limit or None,
        )


class OnceForm(AmountForm):
    """How much, and on which day and at what time."""

    on = day_field(_("On which day?"), missing=_("Choose the day."))
    at = typed_field(_("At what time?"), read_time, missing=_("Write the time."))

    @classmethod
    def shown(cls, part: Part, *, today: date) -> Self:
        """Return the form; the day is today until somebody says otherwise."""
        at = part.line.get("at")
        when = datetime.fromisoformat(at) if at else None
        return cls(
            {
                "amount": part.line.get("dose", ""),
                "on": when.date() if when else today,
                "at": f"{when:%H:%M}" if when else "",
            }
        )

    def answer(self, part: Part) -> Json:
        """Return the line of one dose."""
        at = f"{self.on.data:%Y-%m-%d}T{read_time(said(self.at)):%H:%M}"
        return changed(part.line, dose=self.is_amount(said(self.amount)), at=at)
