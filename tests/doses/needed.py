"""A medicine that is taken when needed."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.medications.actions import add_medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import Line, Prn

EVERY_FOUR_HOURS = Prn(min_interval_minutes=240)


def add_needed(
    session: Session, patient: Patient, *, now: datetime, prn: Prn | None = None
) -> int:
    """Add paracetamol, 2 tablets when needed; return the medication's id."""
    medication = add_medication(
        session,
        patient_id=patient.id,
        name="Paracetamol",
        strength="500 mg",
        form="tablet",
        reason="pain",
        instruction="",
        now=now,
    )
    line = Line(kind="prn", dose=read_dose("2 tablets"), prn=prn or EVERY_FOUR_HOURS)
    set_plan(session, medication, lines=[line], author_id=None, now=now)
    return medication.id
