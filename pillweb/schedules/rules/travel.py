"""Which zone a patient lives by at an instant: domain T11."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from pillweb.base.zones import Zone, to_utc, zone
from pillweb.schedules.rules.line import Line, ZoneChange

FOREVER = datetime.max.replace(tzinfo=UTC)
ALWAYS = datetime.min.replace(tzinfo=UTC)
LARGEST_MIN_GAP = timedelta(hours=10)


class Epoch(NamedTuple):
    """A stretch of time lived by one zone, half-open [start, end) in UTC."""

    number: int
    place: Zone
    start: datetime
    end: datetime


class Resolved(NamedTuple):
    """A wall time given its instant, and the stretch of life it belongs to."""

    due_at: datetime
    epoch: Epoch


def epochs_of(
    line: Line, home: Zone, changes: tuple[ZoneChange, ...]
) -> tuple[Epoch, ...]:
    """Return the stretches of life of a line, oldest first; at least one.

    A line on home time has one for ever. Decided here: a "change" to the zone already
    lived by opens no new stretch.
    """
    if line.zone_policy == "home" or not changes:
        return (Epoch(0, home, ALWAYS, FOREVER),)
    starts = [(ALWAYS, home)]
    for change in sorted(changes, key=lambda change: change.at):
        place = zone(change.zone)
        if place.key != starts[-1][1].key:
            starts.append((change.at.astimezone(UTC), place))
    ends = [start for start, _ in starts[1:]]
    return tuple(
        Epoch(number, place, start, end)
        for number, ((start, place), end) in enumerate(
            zip(starts, [*ends, FOREVER], strict=True)
        )
    )


def epoch_at(epochs: tuple[Epoch, ...], moment: datetime) -> Epoch:
    """Return the stretch of life that holds an instant."""
    if len(epochs) == 1:
        return epochs[0]
    return next(epoch for epoch in reversed(epochs) if epoch.start <= moment)


def resolve(epochs: tuple[Epoch, ...], day: date, clock: time) -> Resolved:
    """Return the one instant of a wall time in a life of several zones.

    Decided here, for what must happen exactly once (a single dose, a weekly one): a
    wall time that comes twice on the way west is the first; one that a flight east
    jumps over keeps the instant it had before the flight.
    """
    due_at, of = to_utc(day, clock, epochs[0].place), epochs[0]
    for epoch in epochs:
        there = to_utc(day, clock, epoch.place)
        if there < epoch.start:
            break
        due_at, of = there, epoch
        if there < epoch.end:
            break
    return Resolved(due_at, of)
