"""What happens to medicines."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.medications.models import Medication
from pillweb.medications.rules import ORDINARY


def add_medication(
    session: Session,
    *,
    patient_id: int,
    name: str,
    strength: str,
    form: str,
    reason: str,
    instruction: str,
    now: datetime,
    category: str = ORDINARY,
) -> Medication:
    """Add a medicine to a patient's list."""
    row = Medication(
        patient_id=patient_id,
        name=name,
        strength=strength,
        form=form,
        reason=reason,
        instruction=instruction,
        category=category,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def describe_medication(
    row: Medication,
    *,
    name: str,
    strength: str,
    form: str,
    reason: str,
    instruction: str,
) -> None:
    """Correct what is said of a medicine; how it is taken stays as it is."""
    row.name = name
    row.strength = strength
    row.form = form
    row.reason = reason
    row.instruction = instruction
