"""Questions about medicines."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.errors import NotFoundError
from pillweb.medications.models import Medication


def medication_of(session: Session, patient_id: int, medication_id: int) -> Medication:
    """Return a medicine of this patient.

    Raises:
        NotFoundError: the patient has no such medicine.
    """
    row = session.scalar(
        select(Medication).where(
            Medication.id == medication_id, Medication.patient_id == patient_id
        )
    )
    if row is None:
        raise NotFoundError
    return row
