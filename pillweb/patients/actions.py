"""What happens to a patient's own row."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.patients.models import Patient


def add_patient(
    session: Session,
    *,
    name: str,
    zone: str,
    reminder_email: str,
    now: datetime,
    is_demo: bool = False,
) -> Patient:
    """Add a person who takes medicine, in an IANA time zone."""
    patient = Patient(
        name=name,
        zone=zone,
        reminder_email=reminder_email,
        created_at=now,
        is_demo=is_demo,
        plan_revision=0,
    )
    session.add(patient)
    session.flush()
    return patient


def note_plan_change(session: Session, patient_id: int) -> None:
    """Mark that doses must be planned anew."""
    session.execute(
        update(Patient)
        .where(Patient.id == patient_id)
        .values(plan_revision=Patient.plan_revision + 1)
    )
