"""The evenings at which a family hears."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from pillweb.base.zones import Zone, local, to_utc

A_DAY = timedelta(days=1)


class Rhythm(NamedTuple):
    """A wall time of every day, or of one day of the week; Monday is 0."""

    clock: time
    weekday: int | None = None


EVERY_EVENING = Rhythm(time(20, 30))
EVERY_SUNDAY = Rhythm(time(18), weekday=6)


def moment(rhythm: Rhythm, on: date, place: Zone) -> datetime:
    """Return the UTC instant of a date's evening."""
    return to_utc(on, rhythm.clock, place)


def newest_date(rhythm: Rhythm, place: Zone, *, now: datetime) -> date:
    """Return the newest date whose evening has come."""
    on = local(now, place).date()
    if moment(rhythm, on, place) > now:
        on -= A_DAY
    if rhythm.weekday is None:
        return on
    return on - A_DAY * ((on.weekday() - rhythm.weekday) % 7)


def next_date(rhythm: Rhythm, after: date) -> date:
    """Return the first date later than this that has an evening."""
    on = after + A_DAY
    if rhythm.weekday is None:
        return on
    return on + A_DAY * ((rhythm.weekday - on.weekday()) % 7)
