"""What happens to a patient's own row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.base.sight import new_patient_id
from pillweb.patients.models import Patient, ZoneChange
from pillweb.patients.queries import zone_at


def add_patient(
    session: Session,
    *,
    name: str,
    zone: str,
    now: datetime,
    language: str = "",
    born: str = "",
    is_demo: bool = False,
) -> Patient:
    """Add a person who takes medicine, in an IANA time zone."""
    patient = Patient(
        id=new_patient_id(session),
        name=name,
        zone=zone,
        language=language,
        born=born or None,
        created_at=now,
        is_demo=is_demo,
        plan_revision=0,
    )
    session.add(patient)
    session.flush()
    return patient


def describe_patient(
    session: Session, patient_id: int, *, name: str, born: str
) -> None:
    """Correct how a patient is called, and the year of birth; empty is not told."""
    patient = session.get_one(Patient, patient_id)
    patient.name, patient.born = name, born or None


def choose_language(session: Session, patient_id: int, *, language: str) -> None:
    """Write to a patient in this language from now on."""
    session.get_one(Patient, patient_id).language = language


def note_plan_change(session: Session, patient_id: int) -> None:
    """Mark that doses must be planned anew."""
    session.execute(
        update(Patient)
        .where(Patient.id == patient_id)
        .values(plan_revision=Patient.plan_revision + 1)
    )


def change_meals(
    session: Session, patient_id: int, meals: Mapping[str, Any] | None
) -> None:
    """Keep when a patient eats and sleeps, and have the doses to come planned anew.

    Whoever calls this plans first, so that what came due until now stays as it was.
    """
    session.execute(update(Patient).where(Patient.id == patient_id).values(meals=meals))
    note_plan_change(session, patient_id)


def change_zone(
    session: Session,
    patient_id: int,
    zone: str,
    *,
    at: datetime,
    is_travel: bool,
    account_id: int | None,
    now: datetime,
) -> bool:
    """Let a patient live by another clock from an instant on; say whether that is new.

    A change of home, `is_travel` false, holds from now on. Nothing changes before now:
    an earlier instant counts as now. Two changes for one instant are the second one.
    """
    home = session.scalars(
        select(Patient.zone).where(Patient.id == patient_id).with_for_update()
    ).one()
    at = max(at, now) if is_travel else now
    before = zone_at(session, patient_id, at=at)
    if zone == before and (is_travel or zone == home):
        return False
    same_moment = (ZoneChange.patient_id == patient_id, ZoneChange.at == at)
    replaced = session.scalars(
        delete(ZoneChange).where(*same_moment).returning(ZoneChange.before)
    ).first()
    session.add(
        ZoneChange(
            patient_id=patient_id,
            at=at,
            zone=zone,
            before=replaced or (before if is_travel else home),
            is_travel=is_travel,
            account_id=account_id,
            created_at=now,
        )
    )
    if not is_travel:
        session.execute(
            update(Patient).where(Patient.id == patient_id).values(zone=zone)
        )
    note_plan_change(session, patient_id)
    return True


def cancel_zone_change(
    session: Session, patient_id: int, change_id: int, *, now: datetime
) -> bool:
    """Take back a change of clock that has not come yet; say whether there was one."""
    planned = (ZoneChange.patient_id == patient_id, ZoneChange.at > now)
    gone = session.execute(
        delete(ZoneChange)
        .where(ZoneChange.id == change_id, *planned)
        .returning(ZoneChange.at, ZoneChange.before)
    ).first()
    if gone is None:
        return False
    following = (
        (select(ZoneChange.id).where(*planned, ZoneChange.at > gone.at))
        .order_by(ZoneChange.at)
        .limit(1)
    )
    session.execute(
        update(ZoneChange)
        .where(ZoneChange.id.in_(following.scalar_subquery()))
        .values(before=gone.before)
    )
    note_plan_change(session, patient_id)
    return True
