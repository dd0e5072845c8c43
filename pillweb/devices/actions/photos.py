"""The photo of a patient: kept, and forgotten."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pillweb.base.tokens import new_token
from pillweb.devices.models import PatientPhoto


def keep_photo(
    session: Session, *, patient_id: int, photo: bytes, now: datetime
) -> None:
    """Keep a photo that was made safe, instead of the one before."""
    forget_photo(session, patient_id=patient_id)
    session.add(
        PatientPhoto(patient_id=patient_id, key=new_token(), photo=photo, made_at=now)
    )
    session.flush()


def forget_photo(session: Session, *, patient_id: int) -> None:
    """Forget the photo of a patient, if there is one."""
    session.execute(delete(PatientPhoto).where(PatientPhoto.patient_id == patient_id))
