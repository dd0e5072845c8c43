"""Two lines of one medicine that may meet at one instant."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations
from math import gcd

from pillweb.schedules.rules.line import EveryDays, Line, OnMonthDay, OnWeekdays

_SHORT_MONTH = 28


def meeting(lines: Sequence[Line | None]) -> set[int]:
    """Return the places of lines that may give two doses at one instant."""
    found: set[int] = set()
    for (place, one), (other, two) in combinations(enumerate(lines), 2):
        if one and two and _share_a_day(one, two) and _meet(one, two):
            found |= {place, other}
    return found


def _first(line: Line) -> date:
    if line.first or line.at:
        return (line.first or line.at).date()  # type: ignore[union-attr]
    return line.start_date or date.min


def _last(line: Line) -> date:
    if line.at:
        return line.at.date()
    if line.end_date is None and line.count and line.first and line.interval_hours:
        hours = int(line.interval_hours * 60) * (line.count - 1)
        return (line.first + timedelta(minutes=hours)).date()
    return line.end_date or date.max


def _share_a_day(one: Line, two: Line) -> bool:
    return _first(one) <= _last(two) and _first(two) <= _last(one)


def _meet(one: Line, two: Line) -> bool:
    kinds = {one.kind, two.kind}
    if kinds == {"prn"}:
        return True
    if kinds == {"clock"}:
        return bool(_walls(one) & _walls(two)) and _days_meet(one, two)
    if kinds == {"interval"} and one.first and two.first:
        step = gcd(_minutes(one), _minutes(two))
        apart = two.first - one.first
        return apart // timedelta(minutes=1) % step == 0
    if kinds == {"once"}:
        return one.at == two.at
    if kinds == {"once", "clock"}:
        single, clock = (one, two) if one.at else (two, one)
        at = single.at
        return at is not None and at.time() in {entry.at for entry in clock.times}
    return False


def _minutes(line: Line) -> int:
    return max(1, int((line.interval_hours or 1) * 60))


def _walls(line: Line) -> set[tuple[object, ...]]:
    return {(entry.at, entry.meal, entry.offset_min) for entry in line.times}


def _days_meet(one: Line, two: Line) -> bool:
    match one.days, two.days:
        case OnWeekdays(first), OnWeekdays(second):
            return bool(set(first) & set(second))
        case EveryDays(first_step), EveryDays(second_step):
            apart = (_first(two) - _first(one)).days
            return apart % gcd(first_step, second_step) == 0
        case OnMonthDay(first_day), OnMonthDay(second_day):
            late = max(first_day, second_day) > _SHORT_MONTH
            return first_day == second_day or late
    return True
