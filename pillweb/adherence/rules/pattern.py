"""Where in the week doses go unrecorded or untaken: domain 3.2."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from pillweb.adherence.rules.outcome import COUNTED, Outcome, share_taken, verdict
from pillweb.base.words import PartOfDay, part_of_day

FEWEST_DOSES = 4
LEAST_DIFFERENCE = Fraction(20, 100)

Cell = tuple[PartOfDay | None, int | None]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A part of the week in which clearly more is not taken than in the rest.

    `band` None means any time of day, `weekday` (Monday is 0) None any day. Shares are
    exact fractions of counted doses not taken: here, and in all other counted doses.
    """

    band: PartOfDay | None
    weekday: int | None
    counted: int
    not_taken: Fraction
    elsewhere: Fraction


def patterns(outcomes: Iterable[Outcome], as_of: datetime) -> tuple[Pattern, ...]:
    """Return the patterns that may be stated, the clearest first.

    A cell is a time band, a weekday, or both; it needs 4 counted doses and a share of
    at least 20 points above the rest. Decided here: only cells worse than the rest are
    stated; a part not taken of a dose counts as that part; a dose without a planned
    wall time joins weekday cells only; the weekday is that of the nominal date.
    """
    counted: dict[Cell, int] = {}
    missed: dict[Cell, Fraction] = {}
    for one in outcomes:
        if verdict(one, as_of) in COUNTED:
            share = 1 - share_taken(one, as_of)
            for cell in {*_cells(one), (None, None)}:
                counted[cell] = counted.get(cell, 0) + 1
                missed[cell] = missed.get(cell, Fraction(0)) + share
    everything: Cell = (None, None)
    found = []
    for cell, number in counted.items():
        rest = counted[everything] - number
        if number < FEWEST_DOSES or not rest:
            continue
        here = missed[cell] / number
        elsewhere = (missed[everything] - missed[cell]) / rest
        if here - elsewhere >= LEAST_DIFFERENCE:
            found.append(Pattern(*cell, number, here, elsewhere))
    return tuple(sorted(found, key=_clearest_first))


def _cells(outcome: Outcome) -> set[Cell]:
    weekday = outcome.nominal_date.weekday()
    if outcome.local_time is None:
        return {(None, weekday)}
    band = part_of_day(outcome.local_time)
    return {(band, None), (None, weekday), (band, weekday)}


def _clearest_first(found: Pattern) -> tuple[Fraction, int, str, int]:
    weekday = -1 if found.weekday is None else found.weekday
    return (
        found.elsewhere - found.not_taken,
        -found.counted,
        found.band or "",
        weekday,
    )
