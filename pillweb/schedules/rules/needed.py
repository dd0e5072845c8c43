"""Medicines that are taken as needed, as a page shows them every day."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from pillweb.medications.rules import Looks
from pillweb.schedules.rules.guard import Medicine, Taking
from pillweb.schedules.rules.guard_words import Allowance, allowance
from pillweb.schedules.rules.line import Line, Prn
from pillweb.schedules.rules.words import dose_words


class Needed(NamedTuple):
    """A medicine that is taken as needed, and by which line of its plan."""

    line_id: int
    medicine: Medicine
    line: Line
    strength: str
    reason: str
    instruction: str
    looks: Looks = Looks()


class NeededCard(NamedTuple):
    """A medicine that is taken as needed, as a page shows it every day."""

    id: int
    name: str
    strength: str
    amount_words: str
    instruction: str
    reason: str
    allowance: Allowance
    looks: Looks = Looks()


def needed_cards(
    needed: Iterable[Needed],
    taken: Sequence[Taking],
    *,
    today: date,
    now: datetime,
    when: Callable[[datetime], str],
) -> tuple[NeededCard, ...]:
    """Return the medicines taken as needed whose plan holds today."""
    mine = [one for one in needed if holds_on(one.line, today)]
    return tuple(
        NeededCard(
            id=one.medicine.id,
            name=one.medicine.name,
            strength=one.strength,
            amount_words=dose_words(one.line.dose, one.medicine.unit),
            instruction=one.instruction,
            reason=one.reason,
            looks=one.looks,
            allowance=allowance(
                one.line,
                one.medicine,
                taken,
                now=now,
                when=when,
                others=limits_besides(one.medicine, mine),
            ),
        )
        for one in mine
    )


def limits_besides(
    medicine: Medicine, needed: Iterable[Needed]
) -> list[tuple[Prn, Medicine]]:
    """Return the limits of the other medicines taken as needed."""
    return [
        (one.line.prn or Prn(), one.medicine)
        for one in needed
        if one.medicine.id != medicine.id
    ]


def holds_on(line: Line, day: date) -> bool:
    """Say whether a line holds on a day: between its ends, and not paused."""
    return (
        (line.start_date is None or line.start_date <= day)
        and (line.end_date is None or day <= line.end_date)
        and not any(
            pause.start <= day and (pause.end is None or day <= pause.end)
            for pause in line.pauses
        )
    )
