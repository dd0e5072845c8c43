"""From when, until when, and how many: the bounds of one dosage."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    check_keys,
    object_in,
)
from pillweb.schedules.rules.fhir.moments import (
    ONE_DAY,
    Moment,
    add_months,
    moment_in,
)
from pillweb.schedules.rules.fhir.quantity import Amount, amount_in, hours_of

_PERIOD = frozenset({"start", "end"})
_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}
_LONGEST_DAYS = 36_600


class Setting(NamedTuple):
    """What surrounds a dosage: the day of import, the patient's zone, the period.

    `start` and `end` are those of the whole statement; `stepped` says that the dosage
    is one of several that follow each other, so a start is never the day of import.
    """

    today: date
    zone: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """A start, and an end as a moment or a length; None where it is not told."""

    start: Moment | None = None
    end: Moment | None = None
    length: Amount | None = None

    @property
    def is_open(self) -> bool:
        """Return whether no end is told."""
        return self.end is None and self.length is None


def read_bounds(repeat: Element, setting: Setting, doubts: Doubts) -> Bounds:
    """Return the bounds of a repeat, within the period of its statement."""
    keys = [key for key in repeat if key.startswith("bounds")]
    if len(keys) > 1:
        doubts.add("end_date", _("It gives two different bounds."))
    if "boundsRange" in repeat:
        doubts.add("end_date", _("How long to take it is a range: say when it ends."))
    period = object_in(repeat, "boundsPeriod", doubts, "start_date")
    check_keys(period, _PERIOD, _("The period"), doubts, "end_date")
    start = moment_in(period, "start", setting.zone, doubts, "start_date")
    end = moment_in(period, "end", setting.zone, doubts, "end_date")
    length = amount_in(repeat, "boundsDuration", doubts, "end_date")
    bounds = Bounds(start or setting.start, end or setting.end, length)
    _check(bounds, start, end, setting, doubts)
    if "start" in period and start is None:  # a start that we cannot read is no start
        bounds = replace(bounds, start=None)
    return bounds


def _check(
    bounds: Bounds,
    start: Moment | None,
    end: Moment | None,
    setting: Setting,
    doubts: Doubts,
) -> None:
    if bounds.start and bounds.end and bounds.end.wall < bounds.start.wall:
        whole = bounds.end.clock is None and bounds.end.day == bounds.start.day
        if not whole:
            doubts.add("end_date", _("It ends before it starts."))
    if start and setting.start and start.day < setting.start.day:
        doubts.add(
            "start_date", _("The dosage starts before the period it belongs to.")
        )
    if end and setting.end and end.day > setting.end.day:
        doubts.add("end_date", _("The dosage ends after the period it belongs to."))
    if bounds.length is not None and not _is_length(bounds.length):
        doubts.add("end_date", _("How long to take it is not a clear length."))


def _is_length(length: Amount) -> bool:
    whole = length.value == int(length.value)
    days = length.value * _DAYS.get(length.unit, 1)
    known = length.unit in _MONTHS or hours_of(length) is not None
    return known and 0 < days <= _LONGEST_DAYS and (whole or length.unit not in _MONTHS)


def last_day(bounds: Bounds, latest: time | None, doubts: Doubts) -> date | None:
    """Return the inclusive last day of a clock line, None for no end or a doubt.

    `latest` is the last time of a day, to place an end that has a time of day.
    """
    ends = []
    if bounds.end:
        ends.append(bounds.end.day)
        if bounds.end.clock and (latest is None or bounds.end.clock < latest):
            doubts.add("end_date", _("It ends in the middle of a day."))
        if bounds.end.clock == time(0):
            doubts.add("end_date", _("It ends at midnight: say which day is the last."))
    if bounds.length:
        last = _last_of_length(bounds, bounds.length, doubts)
        ends += [last] if last else []
    return min(ends, default=None)


def _last_of_length(bounds: Bounds, length: Amount, doubts: Doubts) -> date | None:
    start = bounds.start
    if start is None or not _is_length(length):
        return None
    if start.clock not in (None, time(0)):
        doubts.add("end_date", _("It starts in the middle of a day: say when it ends."))
    if length.unit in _MONTHS:
        after = add_months(start.day, int(length.value) * _MONTHS[length.unit])
        if after is None:
            doubts.add("end_date", _("The last day of its months is not clear."))
        return after - ONE_DAY if after else None
    days = length.value * _DAYS.get(length.unit, 0)
    if not days or days != int(days):
        doubts.add("end_date", _("How long to take it is not a number of days."))
        return None
    return start.day + timedelta(days=int(days) - 1)


def doses_within(bounds: Bounds, hours: Decimal, doubts: Doubts) -> int | None:
    """Return how many doses, real hours apart, fit before the end; None for no end.

    The first is at the start; one at the very end of a length is not given (T10).
    """
    start, minutes = bounds.start, int(hours * 60)
    if start is None or start.clock is None:
        return None
    if bounds.length is not None:
        span = hours_of(bounds.length)
        if span is None:
            doubts.add("end_date", _("How long to take it is not a number of hours."))
            return None
        return -(-int(span * 60) // minutes)
    if bounds.end is None or bounds.end.clock is None:
        return None
    span_minutes = int((bounds.end.wall - start.wall) / timedelta(minutes=1))
    if span_minutes % minutes == 0:
        doubts.add("end_date", _("It ends at the very time of a dose."))
    return max(span_minutes // minutes, 0) + 1


def next_start(bounds: Bounds, end: date | None) -> Moment | None:
    """Return when the step after this one starts, None where that is not known.

    `end` is the last day of a clock line; a line of real hours ends after its length.
    """
    if end:
        return Moment(end + ONE_DAY)
    if bounds.start and bounds.length:
        span = hours_of(bounds.length)
        if span is not None:
            wall: datetime = bounds.start.wall + timedelta(minutes=int(span * 60))
            clock = wall.time() if bounds.start.clock else None
            return Moment(wall.date(), clock, bounds.start.certain)
    return None
