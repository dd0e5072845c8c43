"""Intakes that no dose was planned for, as pages list them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pillweb.doses.rules.days import may_undo
from pillweb.schedules.rules.words import intake_words


class IntakeFacts(NamedTuple):
    """An intake that no dose was planned for; `dose_id` is the one it came on top of.

    `was_asked` says that the plan allowed none, and the person said it was so.
    """

    id: int
    name: str
    strength: str
    unit: str
    medication_id: int
    dose_id: int | None
    taken_at: datetime
    entered_at: datetime
    amount: Decimal | None
    dose_text: str | None
    was_asked: bool


class IntakeCard(NamedTuple):
    """An intake as a page shows it."""

    id: int
    name: str
    strength: str
    amount_words: str
    time_words: str
    is_extra: bool
    can_undo: bool


def intake_cards(
    intakes: Iterable[IntakeFacts],
    *,
    now: datetime,
    when: Callable[[datetime], str],
    may_mark: bool,
) -> tuple[IntakeCard, ...]:
    """Return intakes, already in order, as a page lists them."""
    return tuple(
        IntakeCard(
            id=one.id,
            name=one.name,
            strength=one.strength,
            amount_words=intake_words(one.dose_text or "", "", one.unit),
            time_words=when(one.taken_at),
            is_extra=one.was_asked,
            can_undo=may_mark and may_undo(one.entered_at, now=now),
        )
        for one in intakes
    )
