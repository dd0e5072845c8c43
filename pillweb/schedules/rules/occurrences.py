"""The instants at which a line has doses: domain 2.1."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from pillweb.base.zones import Zone
from pillweb.base.zones import zone as zone_of
from pillweb.schedules.rules.clock import ClockLine
from pillweb.schedules.rules.days import is_paused
from pillweb.schedules.rules.interval import interval_doses
from pillweb.schedules.rules.line import Line, Meals, ZoneChange
from pillweb.schedules.rules.occurrence import Occurrence, line_slot, occurrence
from pillweb.schedules.rules.travel import Epoch, epochs_of, resolve

__all__ = ["Occurrence", "Window", "next_after", "occurrences"]

Window = tuple[datetime, datetime]

LONGEST_REACH = timedelta(days=366 * 2)


def occurrences(
    line: Line,
    zone: Zone | str,
    window: Window,
    *,
    meals: Meals | None = None,
    zone_changes: Iterable[ZoneChange] | None = None,
) -> tuple[Occurrence, ...]:
    """Return the doses due in a half-open window of UTC instants, earliest first.

    `zone` is the patient's home zone; `meals` and `zone_changes` default to those the
    line carries. An as-needed line has none. One instant is one dose (T4). A window
    of a week costs the same however long ago the line began, except where `count`
    makes the first doses matter.

    Decided here: a count counts doses that are really planned, so paused ones, ones
    moved by travel and doubles do not use it up; two slots at one and the same
    existing wall time are one dose, the first listed.

    Raises:
        ValueError: naive bounds, a line without its needed fields, an unknown meal.
    """
    low, high = window
    if low.tzinfo is None or high.tzinfo is None:
        raise ValueError("window: both bounds need a zone.")
    if line.kind == "prn" or low >= high:
        return ()
    home = zone_of(zone) if isinstance(zone, str) else zone
    changes = line.zone_changes if zone_changes is None else tuple(zone_changes)
    epochs = epochs_of(line, home, changes)
    low, high = low.astimezone(UTC), high.astimezone(UTC)
    if line.kind == "interval":
        return tuple(interval_doses(line, epochs, low, high))
    if line.kind == "once":
        return tuple(_once(line, epochs, low, high))
    clock = ClockLine(line, epochs, meals or line.meals)
    if line.count is not None:
        return clock.counted(line.count, low, high)
    return tuple(clock.between(low, high))


def next_after(
    line: Line,
    zone: Zone | str,
    after: datetime,
    *,
    meals: Meals | None = None,
    zone_changes: Iterable[ZoneChange] | None = None,
    reach: timedelta = LONGEST_REACH,
) -> Occurrence | None:
    """Return the line's first dose later than an instant, None within `reach`."""
    changes = line.zone_changes if zone_changes is None else tuple(zone_changes)
    start, wide = after + timedelta(microseconds=1), timedelta(days=2)
    end = after + reach
    while start < end:
        upto = min(start + wide, end)
        found = occurrences(
            line, zone, (start, upto), meals=meals, zone_changes=changes
        )
        if found:
            return found[0]
        start, wide = upto, wide * 4
    return None


def _once(
    line: Line, epochs: tuple[Epoch, ...], low: datetime, high: datetime
) -> Iterator[Occurrence]:
    if line.at is None:
        raise ValueError("at: say when the single dose is due.")
    day, clock = line.at.date(), line.at.time()
    due, epoch = resolve(epochs, day, clock)
    if low <= due < high and not is_paused(line, day):
        yield occurrence(due, day, line_slot(line, 0, f"{clock:%H:%M}"), epoch)
