"""Several imported lines as the lines of one plan: parts that hold together, steps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from pillweb.schedules.rules.line import (
    EveryDays,
    Line,
    OnWeekdays,
    Step,
    TimeOfDay,
)


def joined(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the same doses in as few lines as our own model needs.

    Clock times that hold together on the same days, or on certain weekdays, are one
    line; daily parts that follow each other without a gap are one line of steps.
    """
    together: dict[object, list[Line]] = {}
    for place, line in enumerate(lines):
        plain = line.kind == "clock" and line.count is None and not line.steps
        together.setdefault(_period(line) if plain else place, []).append(line)
    found = tuple(_as_one(group) for group in together.values())
    return _as_steps(found) or found


def _period(line: Line) -> tuple[object, ...]:
    weekly = isinstance(line.days, OnWeekdays) and line.days.every_n_weeks == 1
    days = EveryDays() if weekly else line.days
    return line.sequence, line.start_date, line.start_time, line.end_date, days


def _as_one(lines: Sequence[Line]) -> Line:
    first = lines[0]
    if len(lines) == 1:
        return first
    same = len({line.days for line in lines}) == 1
    times = [entry for line in lines for entry in _with_dose(line, narrowed=not same)]
    numbered = tuple(replace(entry, slot=slot) for slot, entry in enumerate(times))
    days = first.days if same else EveryDays()
    return replace(first, times=numbered, dose=None, days=days)


def _with_dose(line: Line, *, narrowed: bool) -> list[TimeOfDay]:
    weekdays = line.days.weekdays if isinstance(line.days, OnWeekdays) else None
    return [
        replace(
            entry,
            dose=entry.dose or line.dose,
            weekdays=weekdays if narrowed else entry.weekdays,
        )
        for entry in line.times
    ]


def _as_steps(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return one line of steps, nothing if these lines do not follow each other."""
    ordered = sorted(lines, key=lambda line: line.sequence)
    if len({line.sequence for line in ordered}) < max(2, len(ordered)):
        return ()
    if not all(_is_step(line) for line in ordered):
        return ()
    if not all(_follows(before, after) for before, after in pairwise(ordered)):
        return ()
    steps, slot = [], 0
    for line in ordered:
        times = [
            replace(entry, slot=slot + place)
            for place, entry in enumerate(_with_dose(line, narrowed=False))
        ]
        slot += len(times)
        steps.append(Step(_length(line), tuple(times)))
    return (Line("clock", start_date=ordered[0].start_date, steps=tuple(steps)),)


def _is_step(line: Line) -> bool:
    daily = line.kind == "clock" and line.days == EveryDays()
    return daily and line.count is None and line.start_time is None


def _follows(before: Line, after: Line) -> bool:
    if before.end_date is None or after.start_date is None:
        return False
    return before.end_date + timedelta(days=1) == after.start_date


def _length(line: Line) -> int | None:
    if line.end_date is None or line.start_date is None:
        return None
    return (line.end_date - line.start_date).days + 1
