"""When a dose is on time, and when its silence becomes "no record": domain 3.2, 4.3."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pillweb.schedules.rules.line import (
    EveryDays,
    InCycle,
    Line,
    OnMonthDay,
    OnWeekdays,
    groups_of_times,
)

MedicineClass = Literal["ordinary", "high_alert", "time_critical"]

TIME_CRITICAL_WINDOW = timedelta(minutes=30)
FREQUENT_WINDOW = timedelta(minutes=60)
DAILY_WINDOW = timedelta(minutes=120)
SHORTEST_WAIT = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=12)
WEEKLY_WAIT = timedelta(hours=48)
WEEKLY = timedelta(days=6, hours=12)  # a week that a clock change or flight shortened
HOURS_A_DAY = 24
DAYS_A_WEEK = 7


class Lateness(NamedTuple):
    """A dose taken within `window` of its due time is on time.

    Without a record it turns into "no record" at `missed_at` (UTC).
    """

    window: timedelta
    missed_at: datetime


def lateness(
    line: Line,
    due_at: datetime,
    next_due_at: datetime | None,
    medicine_class: MedicineClass,
) -> Lateness:
    """Return window and missed instant of one dose (both instants in UTC)."""
    return Lateness(
        window(line, medicine_class), due_at + missed_after(line, due_at, next_due_at)
    )


def window(line: Line, medicine_class: MedicineClass) -> timedelta:
    """Return how far from its due time a dose is still on time, inclusive.

    The line's own minutes win; else 30 for a time-critical medicine, 60 more than once
    a day, 120 otherwise.
    """
    if line.window_min is not None:
        return timedelta(minutes=line.window_min)
    if medicine_class == "time_critical":
        return TIME_CRITICAL_WINDOW
    return FREQUENT_WINDOW if is_more_than_daily(line) else DAILY_WINDOW


def is_more_than_daily(line: Line) -> bool:
    """Return whether some day holds more than one dose.

    Decided here: two times that share no day of the week, or differ in parity, are one
    a day, however the plan writes them.
    """
    if line.kind == "interval":
        return line.interval_hours is not None and line.interval_hours < HOURS_A_DAY
    days = [(weekday, parity) for weekday in range(7) for parity in (0, 1)]
    return any(
        sum(
            (entry.weekdays is None or weekday in entry.weekdays)
            and entry.day_parity in (None, parity)
            for entry in times
        )
        > 1
        for times in groups_of_times(line)
        for weekday, parity in days
    )


def missed_after(
    line: Line, due_at: datetime, next_due_at: datetime | None
) -> timedelta:
    """Return how long after its due time a dose without record stays open.

    The line's own minutes win; else half the time to the next dose, at least 1 hour, at
    most 12, and 48 hours where the next dose is about a week away or later. Decided
    here: after the last dose of all, a line that was weekly or rarer waits 48 hours,
    any other 12. Find the next dose with `occurrences.next_after`.
    """
    if line.missed_after_min is not None:
        return timedelta(minutes=line.missed_after_min)
    if next_due_at is None:
        return WEEKLY_WAIT if _is_weekly_or_rarer(line) else LONGEST_WAIT
    apart = next_due_at - due_at
    if apart >= WEEKLY:
        return WEEKLY_WAIT
    return min(max(apart / 2, SHORTEST_WAIT), LONGEST_WAIT)


def _is_weekly_or_rarer(line: Line) -> bool:
    if line.kind == "interval":
        return timedelta(minutes=int((line.interval_hours or 0) * 60)) >= WEEKLY
    match line.days:
        case EveryDays(every):
            return every >= DAYS_A_WEEK
        case OnWeekdays(weekdays):
            return len(weekdays) == 1
        case OnMonthDay():
            return True
        case InCycle():
            return False
