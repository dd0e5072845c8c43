"""The ledger: what was booked, and what is still to be booked, counted alike."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from pillweb.accounts.models import Account
from pillweb.doses.models import Dose, DoseEvent, Intake
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.rules.ledger import (
    TAKEN,
    TAKEN_BACK,
    Booking,
    Row,
    Said,
    Subject,
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


def newest_intake_id(session: Session) -> int:
    """Return the id of the newest intake of anybody."""
    return session.scalar(select(func.max(Intake.id))) or 0


def unbooked(session: Session, patient_id: int) -> list[Booking]:
    """Return what the ledger must still say of what this patient took."""
    said = _unbooked_doses(session, patient_id)
    said += _unbooked_intakes(session, patient_id)
    return list(bookings(said, _booked_as_used(session, said)))


def _unbooked_doses(session: Session, patient_id: int) -> list[Said]:
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
    return [
        Said("dose", *row[:5], row[5] or "", row[6], unit_of(row[7]), *row[8:])
        for row in rows
    ]


def _unbooked_intakes(session: Session, patient_id: int) -> list[Said]:
    """Return the intakes that are not booked, and the ones taken back since."""
    taking, back = aliased(SupplyEntry), aliased(SupplyEntry)
    is_back = back.cause == TAKEN_BACK
    rows = session.execute(
        select(Intake, Medication.form, Medication.strength, taking.id)
        .join(Stock, Stock.medication_id == Intake.medication_id)
        .join(Medication, Medication.id == Intake.medication_id)
        .outerjoin(
            taking, (taking.intake_id == Intake.id) & (taking.cause != TAKEN_BACK)
        )
        .outerjoin(back, (back.intake_id == Intake.id) & is_back)
        .where(
            Intake.patient_id == patient_id,
            Intake.id > Stock.after_intake_id,
            or_(taking.id.is_(None), Intake.undone_at.is_not(None) & back.id.is_(None)),
        )
        .order_by(Intake.id)
    ).all()
    return [one for row in rows for one in _said_since(*row)]


def _said_since(
    intake: Intake, form: str, strength: str, booked_id: int | None
) -> Iterator[Said]:
    taken = _said_of(intake, unit_of(form), strength)
    if booked_id is None:
        yield taken
    if intake.undone_at is not None:
        yield taken._replace(
            what="undone", at=intake.undone_at, account_id=intake.undone_by_id
        )


def _said_of(intake: Intake, unit: str, strength: str) -> Said:
    return Said(
        source="intake",
        event_id=intake.id,
        subject_id=intake.id,
        medication_id=intake.medication_id,
        what="taken",
        amount=intake.amount,
        dose_text=intake.dose_text or "",
        action=None,
        unit=unit,
        strength=strength,
        at=intake.taken_at,
        account_id=intake.account_id,
    )


def _booked_as_used(session: Session, said: Iterable[Said]) -> dict[Subject, Fraction]:
    subjects = {one.subject for one in said}
    doses = [number for source, number in subjects if source == "dose"]
    intakes = [number for source, number in subjects if source == "intake"]
    found: dict[Subject, Fraction] = {}
    if doses:
        rows = session.execute(
            select(DoseEvent.dose_id, *_SUM)
            .join(SupplyEntry, SupplyEntry.dose_event_id == DoseEvent.id)
            .where(DoseEvent.dose_id.in_(doses))
            .group_by(DoseEvent.dose_id, SupplyEntry.denominator)
        )
        found |= {("dose", key): -total for key, total in _totals(rows).items()}
    if intakes:
        rows = session.execute(
            select(SupplyEntry.intake_id, *_SUM)
            .where(SupplyEntry.intake_id.in_(intakes))
            .group_by(SupplyEntry.intake_id, SupplyEntry.denominator)
        )
        found |= {("intake", key): -total for key, total in _totals(rows).items()}
    return found


def _totals(rows: Iterable[Any]) -> dict[int, Fraction]:
    """Add up (key, denominator, sum of numerators), exactly."""
    found: dict[int, Fraction] = {}
    for key, denominator, numerator in rows:
        part = Fraction(int(numerator), denominator)
        found[key] = found.get(key, NOTHING) + part
    return found


def _not_among(pending: Iterable[Booking]) -> ColumnElement[bool]:
    """Ask for rows that are not pending: what is booked in this moment counts once."""
    events: list[int] = []
    takings: list[int] = []
    backs: list[int] = []
    for one in pending:
        back = one.cause == TAKEN_BACK
        among = backs if back else takings
        (events if one.said.source == "dose" else among).append(one.said.event_id)
    entry, of = SupplyEntry, SupplyEntry.intake_id
    return and_(
        or_(entry.dose_event_id.is_(None), entry.dose_event_id.not_in(events)),
        or_(of.is_(None), entry.cause == TAKEN_BACK, of.not_in(takings)),
        or_(of.is_(None), entry.cause != TAKEN_BACK, of.not_in(backs)),
    )


def _booked(
    session: Session, *where: ColumnElement[bool], pending: Sequence[Booking]
) -> dict[int, Fraction]:
    """Return the sums of what is booked and of what is pending, by medication."""
    rows = session.execute(
        select(SupplyEntry.medication_id, *_SUM)
        .where(_not_among(pending), *where)
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
        .where(_not_among(pending), *where)
        .order_by(SupplyEntry.id.desc())
        .limit(ROWS_SHOWN + 1)
    ).all()
    names = _names(session, {one.said.account_id for one in pending})
    shown = [
        (one.quantity, one.cause, one.said.at, names.get(one.said.account_id, ""), "")
        for one in reversed(pending)
    ] + [
        (entry.quantity, entry.cause, entry.at, name or "", entry.note or "")
        for entry, name in found[:ROWS_SHOWN]
    ]
    older = found[ROWS_SHOWN - 1][0].id if len(found) > ROWS_SHOWN else None
    return with_balance(shown, last=total), older


def _names(session: Session, ids: Collection[int | None]) -> Mapping[int | None, str]:
    rows = session.execute(
        select(Account.id, Account.name).where(Account.id.in_(ids - {None}))  # type: ignore[operator]
    )
    return {row.id: row.name for row in rows}
