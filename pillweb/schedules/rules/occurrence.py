"""One planned dose, as the rules tell it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.slots_of_day import DaySlot, action_of
from pillweb.schedules.rules.travel import Epoch


class Occurrence(NamedTuple):
    """One planned dose.

    `due_at` is UTC; (`zone_epoch`, `nominal_date`, `slot`) is its identity within the
    line; `zone` the IANA name it is lived by; `local_label` the wall time as planned,
    "HH:MM" (02:30 even on the day the clocks skip it); `dose` the exact words of the
    amount and `amount` its decimal, None for words.
    """

    due_at: datetime
    nominal_date: date
    slot: int
    zone_epoch: int
    zone: str
    local_label: str
    amount: Decimal | None
    dose: str
    action: str


def occurrence(due: datetime, day: date, slot: DaySlot, epoch: Epoch) -> Occurrence:
    """Return the planned dose of a slot at its instant."""
    return Occurrence(
        due_at=due,
        nominal_date=day,
        slot=slot.slot,
        zone_epoch=epoch.number,
        zone=epoch.place.key,
        local_label=slot.label,
        amount=slot.amount,
        dose=slot.dose,
        action=slot.action,
    )


def line_slot(line: Line, number: int, label: str) -> DaySlot:
    """Return a slot whose amount and action are those of the whole line."""
    dose = line.dose
    amount, words = (dose.amount, dose.text) if dose else (None, "")
    action = action_of(line.action, dose)
    return DaySlot(0, 0, number, label, amount, words, action, timedelta())
