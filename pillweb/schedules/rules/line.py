"""One dosing rule, as values: domain 1.3.

A plan holds one or more lines; a line says on which days, at which times, how much
and until when. Nothing here reads a clock, and every value is immutable.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pillweb.base.i18n import gettext as _

Kind = Literal["clock", "interval", "prn", "once"]
Meal = Literal["wake", "breakfast", "lunch", "dinner", "bedtime"]
ZonePolicy = Literal["follow", "home"]

KINDS: tuple[Kind, ...] = ("clock", "interval", "prn", "once")
MEALS: tuple[Meal, ...] = ("wake", "breakfast", "lunch", "dinner", "bedtime")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Dose:
    """How much: the exact words, and what they mean where they are a number.

    `text` is kept as written ("40 mg", "1/2 tablet", "apply"). `amount` is the exact
    decimal, None for words, ranges and thirds; `fraction` is exact even for thirds.
    """

    text: str
    amount: Decimal | None = None
    unit: str = ""
    fraction: Fraction | None = None


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """One slot of a day: a wall time, or a meal and an offset in minutes.

    `slot` is the slot's identity over the versions of a plan (see `slots.match_slots`);
    `weekdays` (Monday is 0) and `day_parity` narrow the days on which it applies.
    `day_parity` 0 is the start date and every second day after it, 1 the others (T7).
    """

    at: time | None = None
    meal: Meal | None = None
    offset_min: int = 0
    day_offset: int = 0
    dose: Dose | None = None
    action: str | None = None
    weekdays: tuple[int, ...] | None = None
    day_parity: int | None = None
    slot: int = 0


@dataclass(frozen=True, slots=True)
class EveryDays:
    """Every `every` calendar days from the start date; 1 is daily."""

    every: int = 1


@dataclass(frozen=True, slots=True)
class OnWeekdays:
    """On some weekdays (Monday is 0), each `every_n_weeks` weeks."""

    weekdays: tuple[int, ...]
    every_n_weeks: int = 1


@dataclass(frozen=True, slots=True)
class OnMonthDay:
    """On one day of the month, each `every_n_months` months; clamped (T6)."""

    month_day: int
    every_n_months: int = 1


@dataclass(frozen=True, slots=True)
class InCycle:
    """`on` days with doses, then `off` days without, from the start date."""

    on: int
    off: int


Days = EveryDays | OnWeekdays | OnMonthDay | InCycle


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a taper: calendar days it lasts (None is open-ended), and times."""

    days: int | None
    times: tuple[TimeOfDay, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Days without doses; both ends inclusive, an open end is None."""

    start: date
    end: date | None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class PrnLimit:
    """At most so many doses, or so much, in any window of real hours."""

    hours: Decimal
    doses: int | None = None
    amount: Dose | None = None


@dataclass(frozen=True, slots=True)
class Prn:
    """Limits of an as-needed line."""

    reason: str = ""
    min_interval_minutes: int | None = None
    max: PrnLimit | None = None


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """From this instant on the patient lives by another zone."""

    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Meals:
    """When this patient eats and sleeps; the weekend may differ. Each meal once."""

    usual: tuple[tuple[Meal, time], ...] = ()
    weekend: tuple[tuple[Meal, time], ...] = ()

    def minute_of(self, meal: Meal, weekday: int) -> int:
        """Return the meal's minute of the day on a weekday (Monday is 0).

        Raises:
            ValueError: this patient's time for the meal is not known.
        """
        known = dict(self.usual)
        if weekday >= SATURDAY:
            known |= dict(self.weekend)
        if meal not in known:
            raise ValueError(
                _("meals.%(meal)s: tell us the usual time first.", meal=meal)
            )
        return known[meal].hour * 60 + known[meal].minute


@dataclass(frozen=True, slots=True)
class Line:
    """One dosing rule.

    A clock line needs `start_date` and `times` or `steps`; an interval line `first`
    and `interval_hours`; a single dose `at`; an as-needed line `prn`. `dose` and
    `action` hold for every time that names none. `end_date` is inclusive (T9).
    `next_slot` is the first slot number no version has used yet. `worked_out` is no
    part of the value: the rules keep there what they found out about this line.
    """

    kind: Kind
    sequence: int = 1
    start_date: date | None = None
    start_time: time | None = None
    end_date: date | None = None
    count: int | None = None
    days: Days = EveryDays()
    times: tuple[TimeOfDay, ...] = ()
    steps: tuple[Step, ...] = ()
    pauses: tuple[Pause, ...] = ()
    dose: Dose | None = None
    action: str | None = None
    interval_hours: Decimal | None = None
    first: datetime | None = None
    at: datetime | None = None
    prn: Prn | None = None
    zone_policy: ZonePolicy = "follow"
    min_gap_hours_after_zone_change: Decimal | None = None
    window_min: int | None = None
    missed_after_min: int | None = None
    alert_profile: str | None = None
    meals: Meals | None = None
    zone_changes: tuple[ZoneChange, ...] = ()
    next_slot: int = 0
    worked_out: list[object] = field(
        default_factory=list, init=False, repr=False, compare=False
    )


def groups_of_times(line: Line) -> tuple[tuple[TimeOfDay, ...], ...]:
    """Return the times of each step, or the line's only times."""
    return tuple(step.times for step in line.steps) or (line.times,)


def free_slot(line: Line) -> int:
    """Return the first slot number this line and its forerunners never used."""
    used = [time.slot + 1 for times in groups_of_times(line) for time in times]
    return max([line.next_slot, *used])
