"""The card for the purse: what somebody takes, on 85 by 54 millimetres, folded."""

from collections.abc import Iterable
from typing import NamedTuple

from pillweb.base.emergency import Help
from pillweb.base.words import long_date_words
from pillweb.papers.rules.sheet import Around, paper_in

CARD = "card"
# What fits on one side, in lines and letters of the small type of the card.
LINES = 11
LETTERS = 46


class CardMedicine(NamedTuple):
    """A medicine, with its strength and how often."""

    name: str
    strength: str
    plan_words: str


Side = tuple[CardMedicine, ...]


class Card(NamedTuple):
    """A card: the first side says whose it is; `strips` are what follows, in pairs.

    The first strip holds one side of medicines beside the first side, each other two.
    """

    patient_name: str
    made_words: str
    first: Side
    strips: tuple[tuple[Side, Side], ...]
    numbers: Help
    help_phone: str
    paper: str


def make_card(medicines: Iterable[CardMedicine], around: Around) -> Card:
    """Return the card of these medicines; what is too much goes onto more cards."""
    sides = _sides(medicines) or [()]
    rest = [*sides[1:], *([()] if len(sides) % 2 == 0 else [])]
    return Card(
        patient_name=around.patient_name,
        made_words=long_date_words(around.made_on),
        first=sides[0],
        strips=tuple(zip(rest[::2], rest[1::2], strict=True)),
        numbers=around.numbers,
        help_phone=around.help_phone,
        paper=paper_in(around.zone),
    )


def _sides(medicines: Iterable[CardMedicine]) -> list[Side]:
    sides: list[list[CardMedicine]] = []
    left = 0
    for one in medicines:
        lines = _lines(one)
        if lines > left or not sides:
            sides.append([])
            left = LINES
        sides[-1].append(one)
        left -= lines
    return [tuple(side) for side in sides]


def _lines(one: CardMedicine) -> int:
    letters = len(f"{one.name} {one.strength} {one.plan_words}")
    return -(-letters // LETTERS)
