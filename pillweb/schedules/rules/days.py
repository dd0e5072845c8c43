"""On which dates a clock line has doses, without walking from its start."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date

from pillweb.schedules.rules.line import (
    EveryDays,
    InCycle,
    Line,
    OnMonthDay,
    OnWeekdays,
    Step,
)

MONDAY_OF_ORDINAL = 6  # (ordinal + 6) % 7 is the weekday, Monday being 0
DAYS_A_WEEK = 7
MONTHS_A_YEAR = 12
_TWO_MONTHS = 62


def start_of(line: Line) -> date:
    """Return the start date of a clock line.

    Raises:
        ValueError: the line has none.
    """
    if line.start_date is None:
        raise ValueError("start_date: say on which day the plan starts.")
    return line.start_date


def last_of(line: Line) -> date | None:
    """Return the last date on which the line may have doses, None for no end.

    It is the earlier of the inclusive end date and the end of the last step (T9).
    """
    lengths = [step.days for step in line.steps]
    if not lengths or None in lengths:
        return line.end_date
    total = sum(days or 0 for days in lengths)
    last = start_of(line).toordinal() + total - 1
    end = date.fromordinal(min(max(last, 1), date.max.toordinal()))
    return min(end, line.end_date) if line.end_date else end


def planned_dates(line: Line, first: int, last: int) -> Iterator[date]:
    """Return the line's dates from `first` to `last` inclusive, pauses not removed.

    Both are ordinals, as `date.toordinal` gives them.

    Days count from the start date (T7). Decided here: "every 2 weeks" counts calendar
    weeks that begin on Monday, as RFC 5545 does, but from the week of the first such
    day on or after the start date, so the first dose is never more than a week away;
    "every 3 months on the 1st" counts from the first such day, for the same reason.
    """
    start = start_of(line)
    end = last_of(line)
    low = max(first, start.toordinal())
    high = min(last, end.toordinal()) if end else last
    days = line.days
    match days:
        case EveryDays():
            ahead = -(low - start.toordinal()) % days.every
            ordinals: Iterable[int] = range(low + ahead, high + 1, days.every)
        case OnMonthDay():
            return _month_days(days, start, low, high)
        case OnWeekdays():
            ordinals = _week_days(days, start.toordinal(), low, high)
        case InCycle():
            ordinals = _cycle_days(days, start.toordinal(), low, high)
    return map(date.fromordinal, ordinals)


def first_month_day(line: Line) -> date | None:
    """Return the first date of a line that counts months, None without a start."""
    if line.start_date is None or not isinstance(line.days, OnMonthDay):
        return None
    start = line.start_date.toordinal()
    high = min(start + _TWO_MONTHS, date.max.toordinal())
    return next(_month_days(line.days, line.start_date, start, high), None)


def _cycle_days(days: InCycle, start: int, low: int, high: int) -> Iterator[int]:
    whole = days.on + days.off
    for ordinal in range(low, high + 1):
        if (ordinal - start) % whole < days.on:
            yield ordinal


def _week_days(days: OnWeekdays, start: int, low: int, high: int) -> Iterator[int]:
    """Yield the dates; Monday of the first week with a dose begins the count."""
    weekday = (start + MONDAY_OF_ORDINAL) % DAYS_A_WEEK
    monday = start - weekday
    if max(days.weekdays) < weekday:
        monday += DAYS_A_WEEK
    for ordinal in range(low, high + 1):
        week, day = divmod(ordinal - monday, DAYS_A_WEEK)
        if day in days.weekdays and week % days.every_n_weeks == 0:
            yield ordinal


def _month_days(days: OnMonthDay, start: date, low: int, high: int) -> Iterator[date]:
    if low > high:
        return
    anchor = start.year * MONTHS_A_YEAR + start.month - 1
    if _in_month(anchor, days.month_day) < start:
        anchor += 1
    from_day, to_day = date.fromordinal(low), date.fromordinal(high)
    month = from_day.year * MONTHS_A_YEAR + from_day.month - 1
    month = max(month + (anchor - month) % days.every_n_months, anchor)
    last = to_day.year * MONTHS_A_YEAR + to_day.month - 1
    for number in range(month, last + 1, days.every_n_months):
        day = _in_month(number, days.month_day)
        if from_day <= day <= to_day:
            yield day


def _in_month(number: int, day: int) -> date:
    year, month = divmod(number, MONTHS_A_YEAR)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def is_paused(line: Line, day: date) -> bool:
    """Return whether a pause holds the doses of this nominal date.

    Decided here: both ends of a pause are inclusive, as the end date is.
    """
    return any(
        pause.start <= day and (pause.end is None or day <= pause.end)
        for pause in line.pauses
    )


def step_on(line: Line, day: date) -> Step | None:
    """Return the step of a taper that holds on a date, None outside every step."""
    passed = (day - start_of(line)).days
    for step in line.steps:
        if step.days is None or passed < step.days:
            return step
        passed -= step.days
    return None


def is_rarer_than_daily(line: Line) -> bool:
    """Return whether the line always leaves days free between its planned days.

    Such a line loses or doubles a whole dose when a traveller's date jumps, so each of
    its planned doses happens exactly once (see `occurrences`).
    """
    days = line.days
    if line.kind == "once" or isinstance(days, OnMonthDay):
        return True
    if isinstance(days, EveryDays):
        return days.every > 1
    if isinstance(days, OnWeekdays):
        chosen = set(days.weekdays)
        return not any((day + 1) % DAYS_A_WEEK in chosen for day in chosen)
    return False
