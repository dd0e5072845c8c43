"""What each thing said of a dose changes in the supply."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from pillweb.supply.rules.units import NOTHING, recorded_units

RECEIVED = "received"
TAKEN = "taken"
TAKEN_BACK = "taken_back"
NOT_COUNTED = "not_counted"
RECOUNT = "recount"
LOST = "lost"
THROWN_AWAY = "thrown_away"
GIVEN_BACK = "given_back"
GONE = (LOST, THROWN_AWAY, GIVEN_BACK)

# What these say of a dose stands until something else is said of it.
_USED = ("taken", "part")
_NOT_USED = ("skipped", "not_taken", "undone")


Source = Literal["dose", "intake"]


class Said(NamedTuple):
    """One thing said of a dose or of an intake, with what is needed to count it.

    `event_id` is that of the event, or of the intake itself; `subject_id` that of the
    dose or intake it is about. `amount` is a number in the unit of `dose_text`, the
    plan's own words.
    """

    source: Source
    event_id: int
    subject_id: int
    medication_id: int
    what: str
    amount: Decimal | None
    dose_text: str
    action: str | None
    unit: str
    strength: str
    at: datetime
    account_id: int | None

    @property
    def subject(self) -> "Subject":
        """What it is about."""
        return self.source, self.subject_id


Subject = tuple[Source, int]


class Booking(NamedTuple):
    """What one event changes in the supply of its medicine."""

    said: Said
    quantity: Fraction
    cause: str


def bookings(
    events: Iterable[Said], used: Mapping[Subject, Fraction]
) -> Iterator[Booking]:
    """Yield one booking for each event, in the order in which they were said.

    `used` is what is booked as used up already, by subject. The newest word holds: each
    booking is the difference to what was booked before, so that taking a dose back
    gives exactly what it took, whatever was said of strengths in between.
    """
    held = dict(used)
    for said in events:
        before = held.get(said.subject, NOTHING)
        after = _used_after(said, before)
        if after is None:
            held[said.subject] = NOTHING
            yield Booking(said, before, NOT_COUNTED)
            continue
        held[said.subject] = after
        changed = before - after
        is_use = said.what in _USED or changed < 0
        yield Booking(said, changed, TAKEN if is_use else TAKEN_BACK)


def _used_after(said: Said, before: Fraction) -> Fraction | None:
    if said.what in _NOT_USED:
        return NOTHING
    if said.what not in _USED:
        return before
    return recorded_units(
        said.dose_text,
        said.amount,
        action=said.action,
        unit=said.unit,
        strength=said.strength,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger as it is shown, with the balance after it."""

    quantity: Fraction
    cause: str
    at: datetime
    who: str
    note: str
    balance: Fraction


def with_balance(
    rows: Iterable[tuple[Fraction, str, datetime, str, str]], *, last: Fraction
) -> list[Row]:
    """Return rows, newest first, each with the balance after it; `last` is today's."""
    found, balance = [], last
    for quantity, cause, at, who, note in rows:
        found.append(Row(quantity, cause, at, who, note, balance))
        balance -= quantity
    return found
