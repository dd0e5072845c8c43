"""From Timing.repeat to our own times and days."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.quantity import in_hours
from pillweb.schedules.rules.fhir.repeat import Repeat
from pillweb.schedules.rules.line import (
    Days,
    EveryDays,
    Meal,
    OnMonthDay,
    OnWeekdays,
    TimeOfDay,
)

_BANDS = ("MORN", "NOON", "AFT", "EVE", "NIGHT")
_MINUTES = {
    "s": Fraction(1, 60),
    "min": Fraction(1),
    "h": Fraction(60),
}
_LONGEST_HOURS = 24 * 366
_LONGEST_DAYS = 36_600
_MONTHS_A_YEAR = 12
_DAYS_A_WEEK = 7


class _Anchor(NamedTuple):
    meal: Meal
    side: int
    needs_offset: bool


_ANCHORS: dict[str, _Anchor] = {
    "HS": _Anchor("bedtime", 0, needs_offset=False),
    "PHS": _Anchor("bedtime", 1, needs_offset=True),
    "WAKE": _Anchor("wake", 1, needs_offset=False),
    "CM": _Anchor("breakfast", 0, needs_offset=False),
    "CD": _Anchor("lunch", 0, needs_offset=False),
    "CV": _Anchor("dinner", 0, needs_offset=False),
    "ACM": _Anchor("breakfast", -1, needs_offset=True),
    "ACD": _Anchor("lunch", -1, needs_offset=True),
    "ACV": _Anchor("dinner", -1, needs_offset=True),
    "PCM": _Anchor("breakfast", 1, needs_offset=True),
    "PCD": _Anchor("lunch", 1, needs_offset=True),
    "PCV": _Anchor("dinner", 1, needs_offset=True),
}


def times_of(repeat: Repeat, doubts: Doubts) -> tuple[TimeOfDay, ...]:
    """Return the times of a day; none, with a doubt, where one must be chosen."""
    if repeat.times:
        return tuple(TimeOfDay(at, slot=n) for n, at in enumerate(repeat.times))
    if not repeat.when:
        doubts.add("times", _("It does not say at what times of the day."))
        return ()
    found = [_anchored(code, repeat.offset, doubts) for code in repeat.when]
    if None in found:
        return ()
    return tuple(
        TimeOfDay(meal=entry[0], offset_min=entry[1], slot=place)
        for place, entry in enumerate(found)
        if entry is not None
    )


def _anchored(code: str, offset: int | None, doubts: Doubts) -> tuple[Meal, int] | None:
    anchor = _ANCHORS.get(code)
    if anchor is None:
        doubts.add("times", _unclear(code))
        return None
    if anchor.needs_offset and not offset:
        told = _('"%(code)s" does not say how long before or after.', code=code)
        doubts.add("times", told)
        return None
    if offset and code == "HS":
        doubts.add("times", _("It does not say if that is before or after bedtime."))
        return None
    return anchor.meal, anchor.side * (offset or 0)


def _unclear(code: str) -> str:
    shown = code[:20]
    if code.split(".", maxsplit=1)[0] in _BANDS:
        return _(
            '"%(code)s" is a part of the day, not a time: choose the time.', code=shown
        )
    return _('"%(code)s" is not one clear meal or time: choose the time.', code=shown)


def days_of(
    repeat: Repeat, times: int, start: date | None, doubts: Doubts
) -> Days | None:
    """Return the days of a clock line, None with a doubt where they are not clear.

    `times` is the number of times on each of these days, 0 if they are not known yet.
    """
    period = repeat.period
    if period is None:
        return OnWeekdays(repeat.weekdays) if repeat.weekdays else EveryDays()
    whole = int(period)
    longest = _LONGEST_DAYS // 366 if repeat.unit == "a" else _LONGEST_DAYS // 7
    if repeat.is_interval:
        doubts.add("timing", _("It names times of day and also a number of hours."))
        return None
    if whole != period or not 0 < whole <= longest:
        doubts.add("days", _("The number of days or weeks between doses is not clear."))
        return None
    if times and not _counts_agree(repeat, whole, times):
        doubts.add("times", _("How often and at which times do not agree."))
        return None
    if repeat.unit == "d":
        return _daily(repeat, whole, start, doubts)
    return _from_start(repeat, whole, start, doubts)


def _counts_agree(repeat: Repeat, period: int, times: int) -> bool:
    frequency = repeat.frequency or 1
    if repeat.unit == "wk" and repeat.weekdays:
        return frequency == times * len(repeat.weekdays)
    return frequency == times and (times == 1 or (repeat.unit, period) == ("d", 1))


def _daily(
    repeat: Repeat, whole: int, start: date | None, doubts: Doubts
) -> Days | None:
    if repeat.weekdays:
        if whole == 1:
            return OnWeekdays(repeat.weekdays)
        doubts.add("days", _("It names days of the week and also a number of days."))
        return None
    if whole > 1 and start is None:
        doubts.add("start_date", _("Days are counted from a start that is not told."))
        return None
    return EveryDays(whole)


def _from_start(
    repeat: Repeat, whole: int, start: date | None, doubts: Doubts
) -> Days | None:
    if repeat.unit == "wk" and repeat.weekdays and whole == 1:
        return OnWeekdays(repeat.weekdays)
    if (repeat.frequency or 1) > 1 and not repeat.weekdays:
        doubts.add("days", _("It says how many times but not on which days."))
        return None
    if start is None:
        doubts.add(
            "start_date", _("The days are counted from a start that is not told.")
        )
        return None
    if repeat.unit == "wk":
        return _every_weeks(repeat, whole, start, doubts)
    if repeat.weekdays:
        doubts.add("days", _("It names days of the week and also months."))
        return None
    months = whole if repeat.unit == "mo" else whole * _MONTHS_A_YEAR
    return OnMonthDay(start.day, months)


def _every_weeks(
    repeat: Repeat, weeks: int, start: date, doubts: Doubts
) -> Days | None:
    if not repeat.weekdays:
        return OnWeekdays((start.weekday(),), weeks)
    if start.weekday() != min(repeat.weekdays):
        doubts.add("start_date", _("The start is not on the first day of its weeks."))
        return None
    return OnWeekdays(repeat.weekdays, weeks)


def minutes_between(repeat: Repeat, doubts: Doubts) -> int | None:
    """Return the minutes of an interval, None with a doubt where they are not clear."""
    if repeat.period is None or repeat.period <= 0:
        return None
    minutes = Fraction(repeat.period) * _MINUTES[repeat.unit]
    if (repeat.frequency or 1) != 1:
        doubts.add(
            "timing", _("It says several doses in some hours, not how far apart.")
        )
        return None
    if minutes.denominator != 1 or minutes > _LONGEST_HOURS * 60:
        doubts.add(
            "timing", _("The time between doses is not a clear number of minutes.")
        )
        return None
    return int(minutes)


def hours_between(repeat: Repeat, doubts: Doubts) -> Decimal | None:
    """Return the real hours of an interval, None with a doubt where not clear."""
    minutes = minutes_between(repeat, doubts)
    hours = None if minutes is None else in_hours(Fraction(minutes))
    if minutes is not None and hours is None:
        doubts.add("timing", _("The hours between doses are not an exact number."))
    return hours
