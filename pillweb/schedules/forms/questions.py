"""The questions about how a medicine is taken that have one answer each."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from wtforms import RadioField, SelectMultipleField
from wtforms.validators import InputRequired

from pillweb.base.i18n import gettext
from pillweb.base.i18n import lazy_gettext as _
from pillweb.schedules.forms.days_of_week import weekday_choices
from pillweb.schedules.forms.reading import (
    read_dose_text,
    read_time,
    read_whole,
    typed_field,
)
from pillweb.schedules.rules.draft import Json, Part
from pillweb.schedules.rules.line import WEEKDAYS
from pillweb.web.forms import Form, choices, day_field, said

HOW_WORDS = (
    ("clock", _("At the same clock times")),
    ("meals", _("With meals or at bedtime")),
    ("interval", _("Every 8 hours, day and night (or another number of hours)")),
    ("prn", _("Only when needed")),
    ("once", _("Just once")),
    ("steps", _("Amounts that change, step by step")),
    ("changing", _("Different amounts on different days")),
    ("patch", _("Put on and taken off, such as a patch")),
)
MOST_DAYS = 3660
MOST_DOSES = 10_000


class QuestionForm(Form):
    """A form that asks one question about a part of a plan.

    `unit` is that of the medicine; `kept` are amounts that stand in the part already.
    """

    unit = ""
    kept: tuple[str, ...] = ()

    @classmethod
    def shown(cls, part: Part, *, today: date) -> Self:
        """Return the form as the part answers it by now."""
        del today
        return cls(cls.known(part.line))

    @classmethod
    def known(cls, line: Json) -> dict[str, Any]:
        """Return what the line's JSON answers by now, by field."""
        raise NotImplementedError

    def answer(self, part: Part) -> Json:
        """Return the line's JSON with this question answered."""
        raise NotImplementedError

    def refuse(self, field: Any, sentence: str) -> bool:  # noqa: ANN401 - any field
        """Say beside a field what is wrong; return False, for the form is not fine."""
        field.errors = list(field.errors) or [sentence]
        return False

    def is_amount(self, text: str) -> str:
        """Read an amount by the medicine's unit and what stood there."""
        return read_dose_text(text, self.unit, self.kept)


def changed(line: Json, **values: object) -> Json:
    """Return the line's JSON with these keys; what is empty or None is left out."""
    told = {**line, **values}
    return {key: value for key, value in told.items() if value not in (None, "")}


class HowForm(Form):
    """In which way it is taken."""

    how = RadioField(
        _("Choose what is nearest"),
        choices=choices(*HOW_WORDS),
        validators=[InputRequired(_("Choose how it is taken."))],
    )


class DaysForm(QuestionForm):
    """On which days there are doses."""

    kind = RadioField(
        _("Choose what is nearest"),
        choices=choices(
            ("every", _("Every day")),
            ("weekdays", _("On some days of the week")),
            ("some", _("Every so many days, such as every second day")),
            ("month", _("On one day of the month")),
            ("year", _("Once a year")),
            ("cycle", _("Some days with it, then some days without")),
        ),
        default="every",
    )
    weekdays = SelectMultipleField(
        _("Which days of the week?"),
        choices=weekday_choices,
    )
    weeks = typed_field(
        _("Every how many weeks?"), lambda text: read_whole(text, 1, 520)
    )
    every = typed_field(
        _("Every how many days?"), lambda text: read_whole(text, 1, MOST_DAYS)
    )
    month_day = typed_field(
        _("Which day of the month?"), lambda text: read_whole(text, 1, 31)
    )
    months = typed_field(
        _("Every how many months?"), lambda text: read_whole(text, 1, 120)
    )
    year_on = day_field(_("On which day is the next one?"))
    on = typed_field(_("Days with it"), lambda text: read_whole(text, 1, MOST_DAYS))
    off = typed_field(_("Days without"), lambda text: read_whole(text, 0, MOST_DAYS))

    @classmethod
    def known(cls, line: Json) -> dict[str, Any]:
        """Return how the line's days are asked for."""
        days: Json = line.get("days") or {"every": 1}
        if "weekdays" in days:
            weeks = str(days.get("every_n_weeks", 1))
            return {"kind": "weekdays", "weekdays": days["weekdays"], "weeks": weeks}
        if "month_day" in days:
            months = str(days.get("every_n_months", 1))
            day = str(days["month_day"])
            return {"kind": "month", "month_day": day, "months": months}
        if "cycle" in days:
            on, off = days["cycle"]
            return {"kind": "cycle", "on": str(on), "off": str(off)}
        kind = "every" if days["every"] == 1 else "some"
        return {"kind": kind, "every": str(days["every"]) if kind == "some" else ""}

    def validate(self, extra_validators: Any = None) -> bool:  # noqa: ANN401
        """Want what the chosen kind needs, and no days of the week beside another."""
        fine = bool(super().validate(extra_validators))
        kind = self.kind.data
        if kind == "weekdays" and not self.weekdays.data:
            return self.refuse(
                self.weekdays, gettext("Choose at least one day of the week.")
            )
        some = 0 < len(self.weekdays.data or ()) < len(WEEKDAYS)
        if kind != "weekdays" and some:
            sentence = gettext(
                "You chose days of the week, and other days too. Choose one."
            )
            return self.refuse(self.weekdays, sentence)
        needed: Mapping[str, tuple[tuple[Any, str], ...]] = {
            "some": ((self.every, gettext("Write every how many days.")),),
            "month": (
                (self.month_day, gettext("Write which day of the month, 1 to 31.")),
            ),
            "year": ((self.year_on, gettext("Choose the day.")),),
            "cycle": (
                (self.on, gettext("Write how many days with it.")),
                (self.off, gettext("Write how many days without.")),
            ),
        }
        for field, sentence in needed.get(kind, ()):
            if not field.data:
                fine = self.refuse(field, sentence)
        return fine

    def answer(self, part: Part) -> Json:
        """Return the line on these days; once a year begins on its day."""
        match self.kind.data:
            case "weekdays":
                return changed(part.line, days=self._weekly())
            case "some":
                every = read_whole(said(self.every), 1, MOST_DAYS)
                days = {"every": every} if every > 1 else None
                return changed(part.line, days=days)
            case "month":
                return changed(part.line, days=self._monthly())
            case "year" if self.year_on.data:
                first = self.year_on.data
                days = {"month_day": first.day, "every_n_months": 12}
                return changed(part.line, days=days, start_date=first.isoformat())
            case "cycle":
                on = read_whole(said(self.on), 1, MOST_DAYS)
                off = read_whole(said(self.off), 0, MOST_DAYS)
                return changed(part.line, days={"cycle": [on, off]})
        return changed(part.line, days=None)

    def _weekly(self) -> Json | None:
        weeks = read_whole(said(self.weeks), 1, 520) if said(self.weeks) else 1
        days: Json = {"weekdays": self.weekdays.data}
        if weeks > 1:
            return {**days, "every_n_weeks": weeks}
        return days if len(days["weekdays"]) < len(WEEKDAYS) else None

    def _monthly(self) -> Json:
        days: Json = {"month_day": read_whole(said(self.month_day), 1, 31)}
        months = read_whole(said(self.months), 1, 120) if said(self.months) else 1
        return {**days, "every_n_months": months} if months > 1 else days


class DatesForm(QuestionForm):
    """From when, and until when."""

    start_on = day_field(_("First day"), missing=_("Choose the first day."))
    start_at = typed_field(_("Time of the first dose on that day"), read_time)
    end_on = day_field(_("Last day"))
    count = typed_field(
        _("How many doses in all"), lambda text: read_whole(text, 1, MOST_DOSES)
    )
    needs_time = False

    @classmethod
    def shown(cls, part: Part, *, today: date) -> Self:
        """Return the form; it begins today until somebody says otherwise."""
        line = part.line
        day, _, clock = str(line.get("first", "")).partition("T")
        start = line.get("start_date") or day
        end = line.get("end_date")
        form = cls(
            {
                "start_on": date.fromisoformat(start) if start else today,
                "start_at": clock or line.get("start_time", ""),
                "end_on": date.fromisoformat(end) if end else None,
                "count": str(line.get("count", "")),
            }
        )
        form.needs_time = part.how == "interval"
        return form

    def validate(self, extra_validators: Any = None) -> bool:  # noqa: ANN401
        """Refuse an end before the start; every N hours wants its first hour."""
        fine = bool(super().validate(extra_validators))
        if self.needs_time and not said(self.start_at):
            fine = self.refuse(
                self.start_at, gettext("Write the time of the first dose.")
            )
        first, last = self.start_on.data, self.end_on.data
        if first and last and last < first:
            sentence = gettext("The last day is before the first day.")
            fine = self.refuse(self.end_on, sentence)
        return fine

    def answer(self, part: Part) -> Json:
        """Return the line between these days."""
        day = f"{self.start_on.data:%Y-%m-%d}"
        clock = f"{read_time(said(self.start_at)):%H:%M}" if said(self.start_at) else ""
        last, count = self.end_on.data, said(self.count)
        values: Json = {
            "end_date": last.isoformat() if last else None,
            "count": read_whole(count, 1, MOST_DOSES) if count else None,
        }
        if part.how == "interval":
            return changed(part.line, **values, first=f"{day}T{clock}")
        return changed(part.line, **values, start_date=day, start_time=clock)
