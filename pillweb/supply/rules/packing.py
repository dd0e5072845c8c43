"""What to pack for a journey, by the plan."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from pillweb.schedules.rules.line import Dose, Line, Prn
from pillweb.supply.rules.run_out import HeldLine, Need
from pillweb.supply.rules.units import NOTHING, units_used

SPARE = 3
MOST_SPARE = 30
LONGEST = timedelta(days=366)
A_DAY_OF_HOURS = 24
A_DAY_OF_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Packing:
    """What one medicine needs: for the journey in whole units, and until it begins.

    `needed` is None where an amount is no number of units, or as-needed use has no
    limit; `balance` where nobody counted.
    """

    needed: int | None
    before: Fraction
    balance: Fraction | None

    @property
    def missing(self) -> int:
        """How many whole units more there must be on the day of departure."""
        if self.needed is None or self.balance is None:
            return 0
        return max(0, math.ceil(self.needed + self.before - self.balance))


def needed_between(needs: Iterable[Need], first: date, last: date) -> Fraction | None:
    """Return what the doses that belong to these days use up, both ends included."""
    total = NOTHING
    for need in needs:
        if first <= need.day <= last:
            if need.units is None:
                return None
            total += need.units
    return total


def as_needed_a_day(held: HeldLine) -> Fraction | None:
    """Return the most units an as-needed line allows a day; None without a limit."""
    prn, dose = held.line.prn or Prn(), held.line.dose
    each = None if dose is None else _units(held, dose)
    limits = []
    if prn.max is not None and prn.max.amount is not None:
        most = _units(held, prn.max.amount)
        if most is not None:
            limits.append(most * _per_day(prn.max.hours))
    if prn.max is not None and prn.max.doses is not None and each is not None:
        limits.append(prn.max.doses * each * _per_day(prn.max.hours))
    if prn.min_interval_minutes and each is not None:
        doses = math.ceil(Fraction(A_DAY_OF_MINUTES, prn.min_interval_minutes))
        limits.append(doses * each)
    return min(limits, default=None)


def _per_day(hours: Decimal) -> Fraction:
    return Fraction(A_DAY_OF_HOURS) / Fraction(hours)


def _units(held: HeldLine, dose: Dose) -> Fraction | None:
    return units_used(dose, unit=held.unit, strength=held.strength)


def may_be_taken(line: Line, first: date, last: date) -> int:
    """Return on how many of these days an as-needed line holds."""
    start = max(first, line.start_date or first)
    end = min(last, line.end_date or last)
    return max(0, (end - start).days + 1)


def packing(
    lines: Iterable[HeldLine],
    needs: Iterable[Need],
    *,
    first: date,
    last: date,
    balance: Fraction | None,
) -> Packing:
    """Return what one medicine needs from the first to the last day.

    `needs` are its coming doses from now on. As-needed doses count at their daily
    limit, for the journey only.
    """
    coming = list(needs)
    total = needed_between(coming, first, last)
    for held in lines:
        if held.line.kind == "prn" and total is not None:
            each = as_needed_a_day(held)
            days = may_be_taken(held.line, first, last)
            total = None if each is None else total + each * days
    before = needed_between(coming, date.min, first - timedelta(days=1))
    return Packing(
        needed=None if total is None else math.ceil(total),
        before=before or NOTHING,
        balance=balance,
    )
