"""Counts and percentages of a set of doses: domain 3.2."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import floor

from pillweb.adherence.rules.outcome import (
    COUNTED,
    Outcome,
    Timing,
    Verdict,
    share_taken,
    timing,
    verdict,
)

HABITUAL_THRESHOLD = Decimal(80)
LONG_GAP_DAYS = 3
LATE_ENTRY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a set of doses adds up to at `as_of`.

    Percentages have one decimal, rounded half up; None is "not enough information".
    counted = taken + partial + no_record + not_taken. `not_taken` holds doses skipped
    for a reason that does not excuse. Nothing as needed, held, excused or open enters
    a percentage, nor what we failed to remind of (`not_reminded`). `reasons` are those
    of every dose not taken, excused ones too.
    """

    as_of: datetime
    counted: int
    taken: int
    on_time: int
    late: int
    early: int
    no_record: int
    not_reminded: int
    not_taken: int
    excused: int
    held: int
    open: int
    as_needed: int
    extra: int
    partial: int
    taken_pct: Decimal | None
    on_time_pct: Decimal | None
    due_days: int
    full_days: int
    full_days_pct: Decimal | None
    current_run: int
    best_run: int
    gaps_of_3_or_more: tuple[int, ...]
    meets_threshold: bool | None
    entered_by_carer: int
    entered_late: int
    reasons: tuple[tuple[str, int], ...]


def percent(part: Fraction | int, whole: int) -> Decimal | None:
    """Return the percentage with one decimal, half up; None of nothing."""
    if not whole:
        return None
    tenths = Fraction(part) * 1000 / whole
    return Decimal(floor(tenths + Fraction(1, 2))).scaleb(-1)


@dataclass(frozen=True, slots=True)
class _DayMarks:
    """What one day amounts to: is it due, full, with any dose at all?"""

    due: bool
    full: bool
    broken: bool
    any_taken: bool


def tally(
    outcomes: Iterable[Outcome],
    as_of: datetime,
    threshold: Decimal = HABITUAL_THRESHOLD,
) -> Tally:
    """Return every number of 3.2 for the doses given.

    Decided here: an as-needed row counts only where a dose was taken; a part of a dose
    is on time, early or late like a whole one; a taken dose without a time is none of
    the three.
    """
    doses = sorted(outcomes, key=lambda one: (one.nominal_date, one.due_at))
    found = Counter(verdict(one, as_of) for one in doses)
    mine = [one for one in doses if verdict(one, as_of) in COUNTED]
    shares = sum((share_taken(one, as_of) for one in mine), Fraction(0))
    times = Counter(timing(one) for one in mine if share_taken(one, as_of))
    marks = _marks(doses, as_of)
    due, full = sum(mark.due for mark in marks), sum(mark.full for mark in marks)
    current, best = _runs(marks)
    enough = Fraction(threshold) * len(mine) / 100
    return Tally(
        **_counts(found, times),
        **_provenance(mine),
        as_of=as_of,
        counted=len(mine),
        as_needed=_as_needed(doses),
        extra=sum(one.extra for one in doses if one.state != "cancelled"),
        taken_pct=percent(shares, len(mine)),
        on_time_pct=percent(times["on_time"], len(mine)),
        due_days=due,
        full_days=full,
        full_days_pct=percent(full, due),
        current_run=current,
        best_run=best,
        gaps_of_3_or_more=_gaps(marks),
        meets_threshold=shares >= enough if mine else None,
        reasons=_reasons(doses),
    )


def _counts(found: Counter[Verdict], times: Counter[Timing | None]) -> dict[str, int]:
    return {
        "taken": found["taken"],
        "partial": found["part"],
        "no_record": found["no_record"],
        "not_reminded": found["not_reminded"],
        "not_taken": found["not_taken"] + found["skipped"],
        "excused": found["excused"],
        "held": found["held"],
        "open": found["open"],
        "on_time": times["on_time"],
        "late": times["late"],
        "early": times["early"],
    }


def _as_needed(doses: Iterable[Outcome]) -> int:
    return sum(one.as_needed and one.state in ("taken", "part") for one in doses)


def _provenance(counted: Iterable[Outcome]) -> dict[str, int]:
    doses = list(counted)
    return {
        "entered_by_carer": sum(one.entered_by_carer for one in doses),
        "entered_late": sum(_is_late_entry(one) for one in doses),
    }


def _is_late_entry(outcome: Outcome) -> bool:
    entered = outcome.entered_at
    return entered is not None and entered - outcome.due_at > LATE_ENTRY


def _reasons(doses: Iterable[Outcome]) -> tuple[tuple[str, int], ...]:
    given = (
        one.reason
        for one in doses
        if one.reason and one.state in ("skipped", "not_taken", "part")
    )
    return tuple(Counter(given).most_common())


def _marks(doses: Sequence[Outcome], as_of: datetime) -> list[_DayMarks]:
    """Return the days with a counted dose, in order, open ones among them.

    A day with an open dose is not yet due; it breaks a run once a counted dose of it is
    not fully taken.
    """
    marks = []
    for _, of_day in groupby(doses, lambda one: one.nominal_date):
        verdicts = [verdict(one, as_of) for one in of_day]
        counted = [as_what for as_what in verdicts if as_what in COUNTED]
        if counted:
            whole = all(as_what == "taken" for as_what in counted)
            due = "open" not in verdicts
            some = any(as_what in ("taken", "part") for as_what in counted)
            marks.append(_DayMarks(due, due and whole, not whole, some))
    return marks


def _runs(marks: Iterable[_DayMarks]) -> tuple[int, int]:
    """Return the current and the best run of consecutive full due days."""
    current = best = 0
    for mark in marks:
        if mark.broken:
            current = 0
        current += mark.full
        best = max(best, current)
    return current, best


def _gaps(marks: Iterable[_DayMarks]) -> tuple[int, ...]:
    """Return the lengths of runs of 3 or more due days with no dose at all."""
    gaps, length = [], 0
    for mark in [
        *marks,
        _DayMarks(due=False, full=False, broken=False, any_taken=True),
    ]:
        if mark.any_taken:
            gaps.append(length)
            length = 0
        length += mark.due and not mark.any_taken
    return tuple(gap for gap in gaps if gap >= LONG_GAP_DAYS)


def by_medicine(
    outcomes: Iterable[Outcome],
    as_of: datetime,
    threshold: Decimal = HABITUAL_THRESHOLD,
) -> tuple[tuple[Hashable, Tally], ...]:
    """Return one tally a medicine, the lowest `taken_pct` first, unknown ones last.

    A pooled figure may only stand below these (3.2).
    """
    groups: dict[Hashable, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(one.medicine, []).append(one)
    tallies = [(name, tally(group, as_of, threshold)) for name, group in groups.items()]
    return tuple(sorted(tallies, key=_headline_order))


def _headline_order(entry: tuple[Hashable, Tally]) -> tuple[bool, Decimal]:
    taken_pct = entry[1].taken_pct
    return taken_pct is None, taken_pct or Decimal(0)
