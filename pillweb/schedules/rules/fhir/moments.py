"""Dates and times of FHIR as the patient's own wall time."""

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.base.zones import zone
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import Element, text_in

ONE_DAY = timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?"
)
_CLOCK = re.compile(r"(\d\d:\d\d)(?::00(?:\.0+)?)?")


class Moment(NamedTuple):
    """A day and, where it is told, a wall time.

    `certain` is False where the time is in UTC and the patient's zone is not known.
    """

    day: date
    clock: time | None = None
    certain: bool = True

    @property
    def wall(self) -> datetime:
        """Return the naive wall time, midnight where no time is told."""
        return datetime.combine(self.day, self.clock or time(0))


def moment_in(
    holder: Element, key: str, place: str | None, doubts: Doubts, missing: str
) -> Moment | None:
    """Return the dateTime under a key; a bare year or month is a doubt.

    A time with an offset is that wall time, or the one in the zone of `place`.
    """
    if key not in holder:
        return None
    text = text_in(holder, key, doubts, missing).strip()
    try:
        return _moment(text, place)
    except (ValueError, OverflowError):
        shown = text[:40]
        told = _('"%(text)s" is not a full date: say which day.', text=shown)
        doubts.add(missing, told)
    return None


def _moment(text: str, place: str | None) -> Moment:
    if _DAY.fullmatch(text):
        return Moment(date.fromisoformat(text))
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, clock, _, _, offset = found.groups()
    wall = datetime.fromisoformat(f"{day}T{clock}")
    if offset and place:
        aware = datetime.fromisoformat(f"{day}T{clock}{offset.replace('Z', '+00:00')}")
        wall = aware.astimezone(zone(place)).replace(tzinfo=None)
    return Moment(wall.date(), wall.time(), certain=bool(place) or offset != "Z")


def clock_of(text: object) -> time | None:
    """Return the wall time of "08:00:00"; None where it has seconds or is none."""
    found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    try:
        return time.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def add_months(day: date, months: int) -> date | None:
    """Return the same day some months later, None where a month is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return None
