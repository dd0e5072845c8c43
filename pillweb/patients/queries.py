"""Questions about the clock a patient lives by, and whether they stay."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    and_,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from pillweb.base.db import UTCDateTime
from pillweb.patients.models import Patient, ZoneChange


def stays() -> ColumnElement[bool]:
    """Return that the `Patient` of a statement is not leaving."""
    return Patient.leaves_at.is_(None)


def shares(*, is_own: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """Return that what is known of the `Patient` of a statement may be shared now.

    What is the patient's own (`is_own`) stays open while sharing is stopped. Every way
    in asks here, or gives a reason: `tests/house/test_ways_in.py`.
    """
    is_shared = Patient.kept_in_at.is_(None)
    return and_(stays(), or_(is_shared, false() if is_own is None else is_own))


def zone_in_force(at: SQLColumnExpression[datetime]) -> ColumnElement[str]:
    """Return the zone by which the `Patient` of a statement lives at an instant."""
    newest = (
        select(ZoneChange.zone)
        .where(ZoneChange.patient_id == Patient.id, ZoneChange.at <= at)
        .order_by(ZoneChange.at.desc())
        .limit(1)
        .correlate(Patient)
    )
    oldest = (
        select(ZoneChange.before)
        .where(ZoneChange.patient_id == Patient.id)
        .order_by(ZoneChange.at)
        .limit(1)
        .correlate(Patient)
    )
    return func.coalesce(
        newest.scalar_subquery(), oldest.scalar_subquery(), Patient.zone
    )


def zone_changes_of(
    session: Session, patient_ids: Collection[int]
) -> Sequence[ZoneChange]:
    """Return the changes of clock of these patients, past and planned, in order."""
    return session.scalars(
        select(ZoneChange)
        .where(ZoneChange.patient_id.in_(patient_ids))
        .order_by(ZoneChange.patient_id, ZoneChange.at)
    ).all()


def zone_at(session: Session, patient_id: int, *, at: datetime) -> str:
    """Return the zone by which a patient lives at an instant."""
    asked = zone_in_force(literal(at, UTCDateTime()))
    return session.scalars(select(asked).where(Patient.id == patient_id)).one()
