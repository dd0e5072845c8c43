"""What one day of a clock line holds: its slots with their wall minutes."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from pillweb.schedules.rules.days import start_of, step_on
from pillweb.schedules.rules.line import Dose, Line, Meals, TimeOfDay

MINUTES_A_DAY = 1440
# What comes off is done, and nothing of it is taken.
REMOVE = "remove"
ACTIONS = ("apply", REMOVE)
TAKE = "take"
LABELS = tuple(
    f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(MINUTES_A_DAY)
)
AFTER = tuple(timedelta(minutes=minute) for minute in range(MINUTES_A_DAY))


class DaySlot(NamedTuple):
    """A slot of one day: `shift` days after the nominal date, at `minute` of that day.

    `label` is the wall time as planned, "HH:MM"; `after` the minute as a time span.
    """

    shift: int
    minute: int
    slot: int
    label: str
    amount: Decimal | None
    dose: str
    action: str
    after: timedelta


def action_of(action: str | None, dose: Dose | None) -> str:
    """Return what the person does: the action named, else `take`.

    A dose that is only the word "apply" or "remove" is that action.
    """
    if action:
        return action
    return dose.text if dose and dose.text in ACTIONS else TAKE


class DaySlots:
    """The slots of any date of one clock line, compiled once per kind of day.

    `earliest` and `latest` bound the shift of any slot, in days. `is_plain` says that
    the slots of each day met so far stay on that day, one after the other.
    """

    def __init__(self, line: Line, meals: Meals | None) -> None:
        self._line = line
        self._meals = meals or Meals()
        self.is_plain = True
        self._start = start_of(line)
        self._known: dict[tuple[int, int], tuple[DaySlot, ...]] = {}
        groups = [step.times for step in line.steps] or [line.times]
        times = [entry for group in groups for entry in group]
        self._needs_meals = any(entry.meal for entry in times)
        self._same_all_week = not self._meals.weekend and not any(
            entry.weekdays is not None for entry in times
        )
        self._parity = any(entry.day_parity is not None for entry in times)
        simple = self._same_all_week and not self._parity and not line.steps
        self._always = self._compile(line.times, 0, 0) if simple else None
        # an offset from a meal may cross midnight either way
        self.earliest = min([t.day_offset - bool(t.meal) for t in times], default=0)
        self.latest = max([t.day_offset + bool(t.meal) for t in times], default=0)

    def hold_for(self, meals: Meals | None) -> bool:
        """Return whether other meal times would give the same slots."""
        return not self._needs_meals or self._meals == (meals or Meals())

    def on(self, day: date) -> tuple[DaySlot, ...]:
        """Return the slots of a planned date in the order of their wall times."""
        if self._always is not None and day > self._start:
            return self._always
        line, times = self._line, self._line.times
        if line.steps:
            step = step_on(line, day)
            times = step.times if step else ()
        passed = (day - self._start).days
        weekday = 0 if self._same_all_week else day.weekday()
        slots = self._compiled(times, weekday, passed % 2 if self._parity else 0)
        if passed or line.start_time is None:
            return slots
        begin = line.start_time.hour * 60 + line.start_time.minute
        return tuple(
            slot for slot in slots if slot.shift * MINUTES_A_DAY + slot.minute >= begin
        )

    def _compiled(
        self, times: tuple[TimeOfDay, ...], weekday: int, parity: int
    ) -> tuple[DaySlot, ...]:
        key = (id(times), weekday * 2 + parity)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._compile(times, weekday, parity)
        return found

    def _compile(
        self, times: tuple[TimeOfDay, ...], weekday: int, parity: int
    ) -> tuple[DaySlot, ...]:
        slots = [
            self._slot(entry, weekday)
            for entry in times
            if (entry.weekdays is None or weekday in entry.weekdays)
            and (entry.day_parity is None or entry.day_parity == parity)
        ]
        slots.sort(key=itemgetter(0, 1, 2))
        shifted = any(slot.shift for slot in slots)
        if shifted or any(a.minute == b.minute for a, b in pairwise(slots)):
            self.is_plain = False
        return tuple(slots)

    def _slot(self, entry: TimeOfDay, weekday: int) -> DaySlot:
        if entry.at is not None:
            minute = entry.at.hour * 60 + entry.at.minute
        elif entry.meal is not None:
            minute = self._meals.minute_of(entry.meal, weekday) + entry.offset_min
        else:
            raise ValueError("times: a time needs a clock time or a meal.")
        days, minute = divmod(minute, MINUTES_A_DAY)
        dose = entry.dose or self._line.dose
        return DaySlot(
            days + entry.day_offset,
            minute,
            entry.slot,
            LABELS[minute],
            dose.amount if dose else None,
            dose.text if dose else "",
            action_of(entry.action or self._line.action, dose),
            AFTER[minute],
        )


def day_slots(line: Line, meals: Meals | None) -> DaySlots:
    """Return the line's slots, compiled at most once for each line and meal times."""
    for kept in line.worked_out:
        if isinstance(kept, DaySlots) and kept.hold_for(meals):
            return kept
    slots = DaySlots(line, meals)
    line.worked_out[:] = [slots]
    return slots
