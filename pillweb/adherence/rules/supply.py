"""Figures from dispensing and from days with a dose: PDC, MPR, persistence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pillweb.adherence.rules.tally import HABITUAL_THRESHOLD, percent

ONE_DAY = timedelta(days=1)
PERMISSIBLE_GAP_DAYS = 30
FEWEST_FILLS = 2
SHORTEST_PERIOD_DAYS = 91


@dataclass(frozen=True, slots=True)
class Supply:
    """How far dispensed supply covers a period; never a measure from taps.

    The period runs from the first fill in it (`index_date`). `is_eligible` says whether
    the PQA measure would take this patient in: fills on 2 days, and 91 days.
    """

    index_date: date | None
    period_days: int
    covered_days: int
    pdc_pct: Decimal | None
    days_supply: int
    mpr_pct: Decimal | None
    mpr_capped_pct: Decimal | None
    meets_threshold: bool | None
    is_eligible: bool


@dataclass(frozen=True, slots=True)
class Persistence:
    """From the first taken day to the last one before too long a gap."""

    first: date | None
    stopped_after: date | None
    persistence_days: int
    still_taking: bool | None


def supply(
    period: tuple[date, date],
    fills: Iterable[tuple[date, int]],
    threshold: Decimal = HABITUAL_THRESHOLD,
) -> Supply:
    """Return PDC and MPR of one drug; both ends of the period are inclusive.

    A fill is its date and its days of supply; supply in hand moves the start of the
    next fill forward. Source: PQA. Decided here: fills outside the period do not count;
    the figures are given for any period, `is_eligible` says what PQA would ask.
    """
    start, end = period
    mine = sorted((day, days) for day, days in fills if start <= day <= end)
    if not mine:
        return Supply(None, 0, 0, None, 0, None, None, None, is_eligible=False)
    index = mine[0][0]
    whole = (end - index).days + 1
    covered, free = 0, index
    for day, days in mine:
        begin = max(day, free)
        free = begin + ONE_DAY * days
        covered += max(0, (min(free, end + ONE_DAY) - begin).days)
    total = sum(days for _, days in mine)
    fill_days = len({day for day, _ in mine})
    return Supply(
        index_date=index,
        period_days=whole,
        covered_days=covered,
        pdc_pct=percent(covered, whole),
        days_supply=total,
        mpr_pct=percent(total, whole),
        mpr_capped_pct=percent(min(total, whole), whole),
        meets_threshold=covered * 100 >= threshold * whole,
        is_eligible=fill_days >= FEWEST_FILLS and whole >= SHORTEST_PERIOD_DAYS,
    )


def persistence(
    taken_days: Iterable[date],
    as_of: date,
    permissible_gap_days: int = PERMISSIBLE_GAP_DAYS,
) -> Persistence:
    """Return how long treatment went on before a gap longer than permitted.

    A gap is its days without a dose; exactly the permitted number is allowed. Decided
    here: the day `as_of` is not over and is no day without a dose; taken days after it
    are left out; what is taken again after the end does not lengthen it.
    """
    days = sorted({day for day in taken_days if day <= as_of})
    if not days:
        return Persistence(None, None, 0, None)
    last = days[0]
    for day in [*days[1:], as_of]:
        if (day - last).days - 1 > permissible_gap_days:
            length = (last - days[0]).days + 1
            return Persistence(days[0], last, length, still_taking=False)
        last = day if day in days else last
    length = (last - days[0]).days + 1
    return Persistence(days[0], None, length, still_taking=True)
