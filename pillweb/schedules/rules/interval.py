"""Doses a number of real hours apart: domain T5."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from pillweb.base.zones import day_bounds, steady_midnight
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.occurrence import Occurrence, line_slot
from pillweb.schedules.rules.slots_of_day import LABELS, DaySlot
from pillweb.schedules.rules.travel import FOREVER, Epoch, epoch_at, resolve

ONE_DAY = timedelta(days=1)
INTERVAL_SLOTS = 10_000  # clock slots are smaller: the two never share a number


def interval_doses(
    line: Line, epochs: tuple[Epoch, ...], low: datetime, high: datetime
) -> Iterator[Occurrence]:
    """Yield doses a number of real hours apart, from `first` on (T5).

    Decided here: the nominal date is the patient's date at that instant; a change of
    zone opens no new epoch, because no instant moves; the slot number is 10,000 and
    the minutes since that date began, so a re-dated line never takes an older dose
    for its own. Pauses leave doses out and do not shift the others (T7).
    """
    if line.first is None or not line.interval_hours:
        raise ValueError("first: say when the first dose is and how many hours apart.")
    begin = resolve(epochs, line.first.date(), line.first.time()).due_at
    apart = timedelta(minutes=int(line.interval_hours * 60))
    held = _held(line, epochs, begin, apart)
    high = min(high, _end_of(line, epochs))
    number = max(0, -((begin - low) // apart))
    last = _last_number(line.count, held)
    amount = line_slot(line, 0, "")
    while (due := begin + number * apart) < high and (last is None or number < last):
        if not held or not any(number in some for some in held):
            yield _at_interval(amount, epoch_at(epochs, due), due)
        number += 1


def _at_interval(amount: DaySlot, epoch: Epoch, due: datetime) -> Occurrence:
    shown = due.astimezone(epoch.place)
    day, passed = shown.date(), shown.hour * 60 + shown.minute
    label = LABELS[passed]
    if steady_midnight(epoch.place, day) is None:
        passed = (due - day_bounds(day, epoch.place)[0]) // timedelta(minutes=1)
    slot = INTERVAL_SLOTS + passed
    what = amount.amount, amount.dose, amount.action
    told = due, day, slot, 0, epoch.place.key, label, *what
    return tuple.__new__(Occurrence, told)  # half the time of a call


def _end_of(line: Line, epochs: tuple[Epoch, ...]) -> datetime:
    if line.end_date is None:
        return FOREVER
    return resolve(epochs, line.end_date + ONE_DAY, time(0)).due_at


def _held(
    line: Line, epochs: tuple[Epoch, ...], begin: datetime, apart: timedelta
) -> list[range]:
    """Return the numbers of the interval doses that pauses hold, merged, in order."""
    held: list[range] = []
    for pause in sorted(line.pauses, key=lambda pause: pause.start):
        start = resolve(epochs, pause.start, time(0)).due_at
        end = FOREVER
        if pause.end:
            end = resolve(epochs, pause.end + ONE_DAY, time(0)).due_at
        first = max(0, -((begin - start) // apart))
        stop = max(first, -((begin - end) // apart))
        if held and first <= held[-1].stop:
            held[-1] = range(held[-1].start, max(stop, held[-1].stop))
        else:
            held.append(range(first, stop))
    return held


def _last_number(count: int | None, held: list[range]) -> int | None:
    """Return the number after the last dose of a count that paused doses extend."""
    if count is None:
        return None
    for some in held:
        if some.start < count:
            count += len(some)
    return count
