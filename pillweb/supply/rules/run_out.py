"""How long a supply lasts: by the plan, not by what was tapped."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.occurrence import Occurrence
from pillweb.supply.rules.units import planned_units

LOOKS_AHEAD = timedelta(days=366)
AT_A_TIME = timedelta(days=28)
USE_OF = timedelta(days=28)
FEWEST_DAYS = 7
# Two days more than the pharmacy needs: to be told, and to go there.
SPARE_DAYS = 2


class Lasting(StrEnum):
    """How it can be said how long a supply lasts."""

    UNTIL = "until"
    PLAN_ENDS = "plan_ends"
    LONG = "long"
    ESTIMATE = "estimate"
    AS_NEEDED = "as_needed"
    UNKNOWN = "unknown"
    NOT_TAKEN = "not_taken"


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long a supply lasts; `runs_out_on` is the first day that lacks a dose."""

    lasting: Lasting
    runs_out_on: date | None = None


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A line, the medicine's unit and strength, and the instants in which it holds."""

    line_id: int
    line: Line
    unit: str
    strength: str
    start: datetime
    end: datetime | None = None


class Need(NamedTuple):
    """What one coming dose uses up; None where its amount is no number of units."""

    due_at: datetime
    day: date
    units: Fraction | None


def coming_needs(
    lines: Sequence[HeldLine],
    life: Life,
    *,
    start: datetime,
    end: datetime,
    settled: frozenset[tuple[int, datetime]] = frozenset(),
) -> Iterator[Need]:
    """Yield what the doses due from start until just before end use up, in order.

    `settled` names by (line, due time) the doses that are recorded ahead of time. The
    days are looked at four weeks at a time, so that asking for the first costs little.
    """
    while start < end:
        upto = min(start + AT_A_TIME, end)
        found = [
            Need(due.due_at, due.nominal_date, _units(held, due))
            for held in lines
            for due in _doses(held, life, start, upto)
            if (held.line_id, due.due_at) not in settled
        ]
        yield from sorted(found, key=lambda need: need.due_at)
        start = upto


def _doses(
    held: HeldLine, life: Life, start: datetime, end: datetime
) -> tuple[Occurrence, ...]:
    upto = end if held.end is None else min(end, held.end)
    return life.occurrences(held.line, (max(start, held.start), upto))


def _units(held: HeldLine, due: Occurrence) -> Fraction | None:
    return planned_units(
        due.dose,
        due.amount,
        action=due.action,
        unit=held.unit,
        strength=held.strength,
    )


def first_uncovered(balance: Fraction, needs: Iterable[Need]) -> Need | None:
    """Return the first dose that a balance does not cover, or cannot be counted."""
    left = balance
    for need in needs:
        if need.units is None:
            return need
        left -= need.units
        if left < 0:
            return need
    return None


def outlook(
    balance: Fraction,
    lines: Sequence[HeldLine],
    life: Life,
    *,
    now: datetime,
    still_open: Sequence[Need] = (),
    settled: frozenset[tuple[int, datetime]] = frozenset(),
) -> Outlook:
    """Return how long a balance lasts by the plan, looking a year ahead at most.

    `still_open` are doses whose time came and that may still be taken: so the date is
    the same before and after "taken" is pressed.
    """
    planned = [held for held in lines if held.line.kind != "prn"]
    if not planned:
        return Outlook(Lasting.AS_NEEDED if lines else Lasting.NOT_TAKEN)
    end = now + LOOKS_AHEAD
    coming = coming_needs(planned, life, start=now, end=end, settled=settled)
    short = first_uncovered(balance, chain(still_open, coming))
    if short is not None and short.units is None:
        return Outlook(Lasting.UNKNOWN)
    if short is not None:
        return Outlook(Lasting.UNTIL, short.day)
    goes_on = any(
        held.end is None and life.next_after(held.line, end) for held in planned
    )
    return Outlook(Lasting.LONG if goes_on else Lasting.PLAN_ENDS)


def estimate(
    balance: Fraction, *, used: Fraction, since: datetime, now: datetime, today: date
) -> Outlook:
    """Return how long a supply taken only when needed lasts, by its use so far.

    `used` is what was used in the last four weeks, or since it is counted if that is
    shorter; less than a week tells nothing.
    """
    days = min(now - since, USE_OF).days
    if days < FEWEST_DAYS or used <= 0 or balance < 0:
        return Outlook(Lasting.AS_NEEDED)
    left = balance * days / used
    if left > LOOKS_AHEAD.days:
        return Outlook(Lasting.LONG)
    return Outlook(Lasting.ESTIMATE, today + timedelta(days=int(left)))


def remind_from(runs_out_on: date, *, lead_days: int) -> date:
    """Return the day from which whoever fetches the medicine must be told."""
    return runs_out_on - timedelta(days=lead_days + SPARE_DAYS)


def is_low(found: Outlook, *, lead_days: int, today: date) -> bool:
    """Say whether more has to be got now; an estimate counts like a plan."""
    return found.runs_out_on is not None and today >= remind_from(
        found.runs_out_on, lead_days=lead_days
    )
