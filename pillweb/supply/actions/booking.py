"""Supply comes in and goes out: every change is a row with a cause."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.sealed import sealed_rows
from pillweb.base.zones import zone
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.queries.ledger import (
    balances_of,
    newest_event_id,
    newest_intake_id,
    unbooked,
)
from pillweb.supply.rules.checks import LEAD_DAYS, next_check
from pillweb.supply.rules.ledger import RECEIVED, RECOUNT, Said
from pillweb.supply.rules.units import NOTHING


def book_supply(session: Session, patient_id: int, *, now: datetime) -> int:
    """Write down what recorded doses used up; return how many rows are new.

    Each event of a dose, and each intake, is booked once, however often and by however
    many at a time this is called: they take turns. What was recorded before a
    medicine's supply was counted is not taken off it.
    """
    _take_turns(session, patient_id)
    rows = [
        {
            "patient_id": patient_id,
            "medication_id": booking.said.medication_id,
            "numerator": booking.quantity.numerator,
            "denominator": booking.quantity.denominator,
            "cause": booking.cause,
            "dose_event_id": _if(booking.said, "dose"),
            "intake_id": _if(booking.said, "intake"),
            "at": booking.said.at,
            "entered_at": now,
            "account_id": booking.said.account_id,
        }
        for booking in unbooked(session, patient_id)
    ]
    return insert_new(session, SupplyEntry, rows)


def _if(said: Said, source: str) -> int | None:
    return said.event_id if said.source == source else None


def _take_turns(session: Session, patient_id: int) -> Sequence[Stock]:
    return session.scalars(
        select(Stock)
        .where(Stock.patient_id == patient_id)
        .order_by(Stock.medication_id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()


def follow_supply(session: Session, medication: Medication, *, now: datetime) -> Stock:
    """Count a medicine's supply from now on; return its row, locked.

    Following it twice changes nothing. All that was recorded since is booked.
    """
    patient = session.get_one(Patient, medication.patient_id)
    newest = newest_event_id(session)
    row = {
        "medication_id": medication.id,
        "patient_id": patient.id,
        "since": now,
        "after_event_id": newest,
        "after_intake_id": newest_intake_id(session),
        "seen_event_id": newest,
        "lead_days": LEAD_DAYS,
        "check_at": next_check(now, zone(patient.zone)),
    }
    insert_new(session, Stock, [row])
    book_supply(session, patient.id, now=now)
    return session.get_one(Stock, medication.id)


def receive_supply(
    session: Session,
    medication: Medication,
    *,
    quantity: Fraction,
    uses_repeat: bool,
    account_id: int | None,
    press: str | None,
    now: datetime,
    note: str = "",
) -> bool:
    """Write down that more was got; say whether this is new.

    `press` names the form it was said in: the same one twice is one entry. With
    `uses_repeat` one repeat less is left.
    """
    stock = follow_supply(session, medication, now=now)
    is_new = _enter(
        session,
        medication,
        quantity,
        cause=RECEIVED,
        account_id=account_id,
        press=press,
        now=now,
        note=note,
    )
    if is_new and uses_repeat and stock.repeats_left:
        stock.repeats_left -= 1
    return is_new


def count_supply(
    session: Session,
    medication: Medication,
    *,
    counted: Fraction,
    account_id: int | None,
    press: str | None,
    now: datetime,
) -> bool:
    """Write down how much there really is; say whether this is new.

    The entry is the difference to what the ledger said.
    """
    follow_supply(session, medication, now=now)
    balance = balances_of(session, medication.patient_id).get(medication.id, NOTHING)
    return _enter(
        session,
        medication,
        counted - balance,
        cause=RECOUNT,
        account_id=account_id,
        press=press,
        now=now,
    )


def remove_supply(
    session: Session,
    medication: Medication,
    *,
    quantity: Fraction,
    cause: str,
    account_id: int | None,
    press: str | None,
    now: datetime,
    note: str = "",
) -> bool:
    """Write down that some is gone without being taken; say whether this is new."""
    follow_supply(session, medication, now=now)
    return _enter(
        session,
        medication,
        -quantity,
        cause=cause,
        account_id=account_id,
        press=press,
        now=now,
        note=note,
    )


def set_refill(
    session: Session,
    medication: Medication,
    *,
    pack_size: Decimal | None,
    repeats_left: int | None,
    lead_days: int,
    fetcher_id: int | None,
    now: datetime,
) -> None:
    """Say how more of a medicine is got, and by whom; None is the patient."""
    stock = follow_supply(session, medication, now=now)
    stock.pack_size = pack_size
    stock.repeats_left = repeats_left
    stock.lead_days = lead_days
    stock.fetcher_id = fetcher_id


def _enter(
    session: Session,
    medication: Medication,
    quantity: Fraction,
    *,
    cause: str,
    account_id: int | None,
    press: str | None,
    now: datetime,
    note: str = "",
) -> bool:
    row: dict[str, Any] = {
        "patient_id": medication.patient_id,
        "medication_id": medication.id,
        "numerator": quantity.numerator,
        "denominator": quantity.denominator,
        "cause": cause,
        "press": press,
        "at": now,
        "entered_at": now,
        "account_id": account_id,
        "note": note or None,
    }
    rows = sealed_rows(session, SupplyEntry, [row])
    return insert_new(session, SupplyEntry, rows) == 1
