"""A slow, separate reading of domain 2.1 for clock lines, to check the fast one by.

It walks every day from the start and finds instants by asking every minute's clock,
so it shares neither the arithmetic nor the zone rules of the code under test.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pillweb.base import zones

Rule = dict[str, Any]
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


def find_instant(wall: datetime, place: str) -> tuple[datetime, bool]:
    """Return the first instant showing a wall time, or the gap rule's, and if real."""
    here = zones.zone(place)
    base = wall.replace(tzinfo=UTC)
    offsets: list[timedelta] = []
    for quarter in range(-4 * 16, 4 * 16):  # offsets as the zone lives them nearby
        probe = (base + timedelta(minutes=15 * quarter)).astimezone(here)
        offset = probe.utcoffset()
        assert offset is not None
        if not offsets or offsets[-1] != offset:
            offsets.append(offset)
    for offset in sorted(offsets, reverse=True):  # the larger offset comes first
        shown = (base - offset).astimezone(here)
        if shown.replace(tzinfo=None) == wall:
            return base - offset, True
    return base - offsets[0], False


def is_day_on(rule: Rule, day: date, start: date) -> bool:
    days = rule.get("days", {"every": 1})
    index = (day - start).days
    if "every" in days:
        return bool(index % days["every"] == 0)
    if "cycle" in days:
        on, off = days["cycle"]
        return bool(index % (on + off) < on)
    if "weekdays" in days:
        first = start
        while NAMES[first.weekday()] not in days["weekdays"]:
            first += DAY
        monday = first - DAY * first.weekday()
        week = (day - monday).days // 7 % days.get("every_n_weeks", 1)
        return NAMES[day.weekday()] in days["weekdays"] and week == 0
    return is_month_day_on(days, day, start)


def is_month_day_on(days: Rule, day: date, start: date) -> bool:
    def clamped(of: date) -> int:
        return min(int(days["month_day"]), monthrange(of.year, of.month)[1])

    anchor = start.year * 12 + start.month
    if clamped(start) < start.day:
        anchor += 1
    apart = day.year * 12 + day.month - anchor
    months = days.get("every_n_months", 1)
    return day.day == clamped(day) and apart >= 0 and apart % months == 0


def times_on(rule: Rule, day: date, start: date) -> list[Rule]:
    times = rule.get("times", [])
    passed = (day - start).days
    for step in rule.get("steps", []):
        times = step["times"]
        if step["days"] is None or passed < step["days"]:
            break
        passed -= step["days"]
        times = []
    return [{"at": entry} if isinstance(entry, str) else entry for entry in times]


def slots_of(rule: Rule, day: date, start: date) -> list[tuple[int, datetime]]:
    found = []
    for place, entry in enumerate(times_on(rule, day, start)):
        if NAMES[day.weekday()] not in entry.get("weekdays", NAMES):
            continue
        if entry.get("day_parity", (day - start).days % 2) != (day - start).days % 2:
            continue
        hour, minute = map(int, entry["at"].split(":"))
        wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001
        found.append((place, wall + DAY * entry.get("day_offset", 0)))
    return found


def is_held(rule: Rule, day: date) -> bool:
    return any(
        date.fromisoformat(pause["from"]) <= day <= date.fromisoformat(pause["to"])
        for pause in rule.get("pauses", [])
    )


def expected(
    rule: Rule, place: str, start: datetime, end: datetime
) -> list[tuple[datetime, date, int]]:
    """Return (instant, nominal date, slot) of every dose in the window."""
    begin = date.fromisoformat(rule["start_date"])
    last = date.fromisoformat(rule.get("end_date", "9999-01-01"))
    chosen: dict[datetime, tuple[bool, date, int]] = {}
    day = begin
    while day <= min(last, end.date() + 3 * DAY):
        slots = slots_of(rule, day, begin)
        for slot, wall in slots if is_day_on(rule, day, begin) else ():
            first = f"{begin}T{rule.get('start_time', '00:00')}"
            if is_held(rule, day) or wall < datetime.fromisoformat(first):
                continue
            due, real = find_instant(wall, place)
            if due not in chosen or (real and not chosen[due][0]):
                chosen[due] = (real, day, slot)
        day += DAY
    doses = [(due, day, slot) for due, (_, day, slot) in sorted(chosen.items())]
    doses = doses[: rule.get("count", len(doses))]
    return [dose for dose in doses if start <= dose[0] < end]
