"""When a dose taken as needed is next allowed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from pillweb.schedules.rules.dose import in_unit_of
from pillweb.schedules.rules.line import Dose, Prn, PrnLimit


class Taken(NamedTuple):
    """A dose that was taken: when (UTC), and how much where that is known."""

    at: datetime
    dose: Dose | None = None


def next_allowed(
    prn: Prn,
    taken: Iterable[Taken | datetime],
    now: datetime,
    *,
    dose: Dose | None = None,
) -> datetime | None:
    """Return the first instant from `now` on at which one more dose is allowed.

    Exactly at a limit is allowed; limits are real hours (T5). `dose` is the dose wanted
    next; it is also the amount of every taken dose that names none. None means never:
    the wanted dose alone is above the limit.

    Decided here: records later than `now` bind as well; a wanted dose of no known
    amount is like the largest taken one; a taken amount that is not known, or cannot
    be turned into the limit's unit, does not bind.
    """
    doses = sorted(
        (Taken(one) if isinstance(one, datetime) else one for one in taken),
        key=lambda one: one.at,
    )
    least = now
    if doses and prn.min_interval_minutes is not None:
        apart = timedelta(minutes=prn.min_interval_minutes)
        least = max(now, doses[-1].at + apart)
    if prn.max is None:
        return least
    if dose is None and prn.max.amount is not None:
        dose = _largest(doses, prn.max.amount)
    hours = timedelta(minutes=int(prn.max.hours * 60))
    moments = [least, *(one.at + hours for one in doses if one.at + hours > least)]
    for moment in moments:
        within = [one for one in doses if one.at > moment - hours]
        if _is_within(prn.max, within, dose):
            return moment
    return None


def _is_within(limit: PrnLimit, taken: list[Taken], dose: Dose | None) -> bool:
    if limit.doses is not None and len(taken) + 1 > limit.doses:
        return False
    if limit.amount is None or limit.amount.fraction is None:
        return True
    amounts = [in_unit_of(one.dose or dose, limit.amount) for one in taken]
    amounts.append(in_unit_of(dose, limit.amount))
    return sum(amount or 0 for amount in amounts) <= limit.amount.fraction


def _largest(taken: list[Taken], limit: Dose) -> Dose | None:
    """Return the largest dose taken that the limit allows at all."""
    known = [(in_unit_of(one.dose, limit), one.dose) for one in taken]
    allowed = [
        (amount, dose)
        for amount, dose in known
        if amount is not None and limit.fraction and amount <= limit.fraction
    ]
    return max(allowed, key=lambda one: one[0], default=(None, None))[1]
