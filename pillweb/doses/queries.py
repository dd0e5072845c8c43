"""Questions about doses."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo  # noqa: TID251 - the name of a type only

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from pillweb.base.zones import day_bounds, local, tzdata_version
from pillweb.doses.models import Dose, Horizon
from pillweb.doses.rules import CANCELLED, LATE_EVENING, OPEN, REPLAN_BEFORE, DoseFacts
from pillweb.medications.models import Medication
from pillweb.medications.rules import unit_of
from pillweb.patients.models import Patient
from pillweb.schedules.models import Plan

ENOUGH_TO_TELL = 50

_FACTS = select(
    Dose.id,
    Medication.name,
    Medication.strength,
    Medication.form,
    Medication.reason,
    Medication.instruction,
    Dose.amount,
    Dose.nominal_date,
    Dose.local_label,
    Dose.due_at,
    Dose.missed_at,
    Dose.state,
    Dose.recorded_at,
    Dose.taken_at,
).join(Medication, Medication.id == Dose.medication_id)


def _facts(session: Session, *where: ColumnElement[bool]) -> list[DoseFacts]:
    rows = session.execute(_FACTS.where(*where).order_by(Dose.due_at, Dose.id))
    return [
        DoseFacts(
            id=row.id,
            name=row.name,
            strength=row.strength,
            unit=unit_of(row.form),
            reason=row.reason,
            instruction=row.instruction,
            amount=row.amount,
            nominal_date=row.nominal_date,
            clock=time.fromisoformat(row.local_label),
            due_at=row.due_at,
            missed_at=row.missed_at,
            state=row.state,
            recorded_at=row.recorded_at,
            taken_at=row.taken_at,
        )
        for row in rows
    ]


def day_of(
    session: Session, patient_id: int, *, place: ZoneInfo, now: datetime
) -> list[DoseFacts]:
    """Return the doses that may stand on the page of the local day of `now`."""
    start, end = day_bounds(local(now, place).date(), place)
    return _facts(
        session,
        Dose.patient_id == patient_id,
        Dose.due_at >= start - LATE_EVENING,
        Dose.due_at < end + LATE_EVENING,
        Dose.state != CANCELLED,
    )


def doses_on(session: Session, patient_id: int, day: date) -> list[DoseFacts]:
    """Return the standing doses that belong to one day of the calendar."""
    return _facts(
        session,
        Dose.patient_id == patient_id,
        Dose.nominal_date == day,
        Dose.state != CANCELLED,
    )


def doses_between(
    session: Session, patient_id: int, *, start: datetime, end: datetime
) -> list[DoseFacts]:
    """Return the standing doses due from start until just before end."""
    return _facts(
        session,
        Dose.patient_id == patient_id,
        Dose.due_at >= start,
        Dose.due_at < end,
        Dose.state != CANCELLED,
    )


def doses_due_at(
    session: Session, patient_id: int, due_at: datetime
) -> list[DoseFacts]:
    """Return the standing doses of one moment: what one reminder is about."""
    return _facts(
        session,
        Dose.patient_id == patient_id,
        Dose.due_at == due_at,
        Dose.state != CANCELLED,
    )


def dose_facts(session: Session, patient_id: int, dose_id: int) -> DoseFacts | None:
    """Return one dose of this patient."""
    found = _facts(session, Dose.patient_id == patient_id, Dose.id == dose_id)
    return found[0] if found else None


def any_open(session: Session, patient_id: int, due_at: datetime) -> bool:
    """Say whether anything due at this moment is still unrecorded."""
    return bool(
        session.scalar(
            select(Dose.id)
            .where(
                Dose.patient_id == patient_id,
                Dose.due_at == due_at,
                Dose.state == OPEN,
            )
            .limit(1)
        )
    )


def _unplanned(now: datetime) -> ColumnElement[bool]:
    return or_(
        Horizon.patient_id.is_(None),
        Horizon.plan_revision != Patient.plan_revision,
        Horizon.tzdata_version != tzdata_version(),
        Horizon.planned_until < now + REPLAN_BEFORE,
    )


def patients_to_plan(
    session: Session, *, now: datetime, limit: int, without: Collection[int] = ()
) -> Sequence[tuple[int, str]]:
    """Return (id, zone) of patients whose doses are not planned far enough."""
    rows = session.execute(
        select(Patient.id, Patient.zone)
        .outerjoin(Horizon, Horizon.patient_id == Patient.id)
        .where(_unplanned(now), Patient.id.not_in(without))
        .order_by(Patient.id)
        .limit(limit)
    )
    return [(row.id, row.zone) for row in rows]


def oldest_unplanned(session: Session, *, now: datetime) -> datetime | None:
    """Return since when somebody's doses wait to be planned; None when nobody's."""
    changed_at = (
        select(func.max(func.coalesce(Plan.valid_to, Plan.valid_from)))
        .where(Plan.patient_id == Patient.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Patient.created_at,
            Horizon.planned_at,
            Horizon.planned_until,
            changed_at.label("changed_at"),
        )
        .outerjoin(Horizon, Horizon.patient_id == Patient.id)
        .where(_unplanned(now))
        .limit(ENOUGH_TO_TELL)
    ).all()
    waits = []
    for row in rows:
        waits.append(now)
        if row.planned_at is None:
            waits.append(row.changed_at or row.created_at)
            continue
        waits.append(row.planned_until - REPLAN_BEFORE)
        if row.changed_at is not None and row.changed_at >= row.planned_at:
            waits.append(row.changed_at)
    return min(waits, default=None)


def is_planned(session: Session, patient_id: int) -> bool:
    """Say whether the doses on the page follow from the newest plan."""
    return bool(
        session.scalar(
            select(Horizon.patient_id)
            .join(Patient, Patient.id == Horizon.patient_id)
            .where(
                Horizon.patient_id == patient_id,
                Horizon.plan_revision == Patient.plan_revision,
            )
        )
    )


def settled_until(
    session: Session, patient_ids: Collection[int]
) -> dict[int, datetime]:
    """Return until when each patient's doses can no longer be other than planned.

    That is the last time they were planned, or the end of what was planned then,
    when nobody planned for longer than that. Who was never planned is left out.
    """
    rows = session.execute(
        select(Horizon.patient_id, Horizon.planned_at, Horizon.planned_until).where(
            Horizon.patient_id.in_(patient_ids)
        )
    )
    return {row.patient_id: min(row.planned_at, row.planned_until) for row in rows}
