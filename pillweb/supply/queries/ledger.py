"""The ledger: what was booked, and what is still to be booked, counted alike."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.doses.models import Dose, DoseEvent
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.rules.ledger import (
    TAKEN,
    TAKEN_BACK,
    Booking,
    Row,
    Said,
    bookings,
    with_balance,
)
from pillweb.supply.rules.run_out import USE_OF
from pillweb.supply.rules.units import NOTHING

ROWS_SHOWN = 30
_SUM = (SupplyEntry.denominator, func.sum(SupplyEntry.numerator))


def stocks_of(session: Session, patient_id: int) -> dict[int, Stock]:
    """Return what is counted of a patient's medicines, by medication."""
    rows = session.scalars(select(Stock).where(Stock.patient_id == patient_id))
    return {row.medication_id: row for row in rows}


def newest_event_id(session: Session) -> int:
    """Return the id of the newest event of any dose."""
    return session.scalar(select(func.max(DoseEvent.id))) or 0


def unbooked(session: Session, patient_id: int) -> list[Booking]:
    """Return what the ledger must still say of this patient's recorded doses."""
    lowest = select(func.min(Stock.after_event_id)).where(
        Stock.patient_id == patient_id
    )
    rows = session.execute(
        select(
            DoseEvent.id,
            DoseEvent.dose_id,
            Dose.medication_id,
            DoseEvent.what,
            DoseEvent.amount,
            Dose.dose_text,
            Dose.action,
            Medication.form,
            Medication.strength,
            DoseEvent.at,
            DoseEvent.account_id,
        )
        .join(Dose, Dose.id == DoseEvent.dose_id)
        .join(Stock, Stock.medication_id == Dose.medication_id)
        .join(Medication, Medication.id == Dose.medication_id)
        .outerjoin(SupplyEntry, SupplyEntry.dose_event_id == DoseEvent.id)
        .where(
            DoseEvent.patient_id == patient_id,
            DoseEvent.id > lowest.scalar_subquery(),
            DoseEvent.id > Stock.after_event_id,
            SupplyEntry.id.is_(None),
        )
        .order_by(DoseEvent.id)
    ).all()
    said = [
        Said(*row[:5], row[5] or "", row[6], unit_of(row[7]), *row[8:]) for row in rows
    ]
    doses = {event.dose_id for event in said}
    return list(bookings(said, _booked_as_used(session, doses)))


def _booked_as_used(session: Session, doses: Collection[int]) -> dict[int, Fraction]:
    if not doses:
        return {}
    rows = session.execute(
        select(DoseEvent.dose_id, *_SUM)
        .join(SupplyEntry, SupplyEntry.dose_event_id == DoseEvent.id)
        .where(DoseEvent.dose_id.in_(doses))
        .group_by(DoseEvent.dose_id, SupplyEntry.denominator)
    )
    return {dose: -total for dose, total in _totals(rows).items()}


def _totals(rows: Iterable[tuple[int, int, int]]) -> dict[int, Fraction]:
    """Add up (key, denominator, sum of numerators), exactly."""
    found: dict[int, Fraction] = {}
    for key, denominator, numerator in rows:
        part = Fraction(int(numerator), denominator)
        found[key] = found.get(key, NOTHING) + part
    return found


def _booked(
    session: Session, *where: ColumnElement[bool], pending: Sequence[Booking]
) -> dict[int, Fraction]:
    """Return the sums of what is booked and of what is pending, by medication."""
    # What is booked in this very moment is not counted twice.
    twice = [booking.said.event_id for booking in pending]
    rows = session.execute(
        select(SupplyEntry.medication_id, *_SUM)
        .where(
            or_(
                SupplyEntry.dose_event_id.is_(None),
                SupplyEntry.dose_event_id.not_in(twice),
            ),
            *where,
        )
        .group_by(SupplyEntry.medication_id, SupplyEntry.denominator)
    )
    found = _totals(rows)
    for booking in pending:
        key = booking.said.medication_id
        found[key] = found.get(key, NOTHING) + booking.quantity
    return found


def balances_of(session: Session, patient_id: int) -> dict[int, Fraction]:
    """Return how much there is of each counted medicine: the sum of its rows."""
    pending = unbooked(session, patient_id)
    mine = SupplyEntry.patient_id == patient_id
    return _booked(session, mine, pending=pending)


def used_lately(
    session: Session, patient_id: int, *, now: datetime
) -> dict[int, Fraction]:
    """Return how much of each medicine was taken in the last four weeks."""
    since = now - USE_OF
    found = _booked(
        session,
        SupplyEntry.patient_id == patient_id,
        SupplyEntry.cause.in_((TAKEN, TAKEN_BACK)),
        SupplyEntry.at >= since,
        pending=[one for one in unbooked(session, patient_id) if one.said.at >= since],
    )
    return {key: -total for key, total in found.items()}


def ledger_of(
    session: Session, medication: Medication, *, before: int | None = None
) -> tuple[list[Row], int | None]:
    """Return the newest rows of a ledger, and the id to go on from, None at its end.

    Each says who, when, why and how much there was after it; with `before` only rows
    older than that entry.
    """
    pending = [
        one
        for one in unbooked(session, medication.patient_id)
        if one.said.medication_id == medication.id
    ]
    mine = SupplyEntry.medication_id == medication.id
    where = [mine] if before is None else [mine, SupplyEntry.id < before]
    if before is not None:
        pending = []
    total = _booked(session, *where, pending=pending).get(medication.id, NOTHING)
    found = session.execute(
        select(SupplyEntry, Account.name)
        .outerjoin(Account, Account.id == SupplyEntry.account_id)
        .where(*where)
        .order_by(SupplyEntry.id.desc())
        .limit(ROWS_SHOWN + 1)
    ).all()
    names = _names(session, {one.said.account_id for one in pending})
    waiting = {one.said.event_id for one in pending}
    shown = [
        (one.quantity, one.cause, one.said.at, names.get(one.said.account_id, ""), "")
        for one in reversed(pending)
    ] + [
        (entry.quantity, entry.cause, entry.at, name or "", entry.note or "")
        for entry, name in found[:ROWS_SHOWN]
        if entry.dose_event_id not in waiting
    ]
    older = found[ROWS_SHOWN - 1][0].id if len(found) > ROWS_SHOWN else None
    return with_balance(shown, last=total), older


def _names(session: Session, ids: Collection[int | None]) -> Mapping[int | None, str]:
    rows = session.execute(
        select(Account.id, Account.name).where(Account.id.in_(ids - {None}))  # type: ignore[operator]
    )
    return {row.id: row.name for row in rows}
