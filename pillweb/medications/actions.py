"""What happens to medicines."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pillweb.base.picture import Crop, thumbnail
from pillweb.base.tokens import new_token
from pillweb.medications.models import Medication, MedicationPicture
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


def say_looks(row: Medication, *, words: str) -> None:
    """Describe in words what a medicine looks like; empty words take it back."""
    row.looks = words or None


def show_looks(
    session: Session, row: Medication, *, whole: bytes, crop: Crop, now: datetime
) -> MedicationPicture:
    """Give a medicine a picture that was made safe, instead of the one it has."""
    mine = select(Medication.id).where(Medication.id == row.id)
    session.execute(mine.with_for_update(key_share=True))
    hide_looks(session, row)
    picture = MedicationPicture(
        patient_id=row.patient_id,
        medication_id=row.id,
        key=new_token(),
        crop=crop,
        whole=whole,
        small=thumbnail(whole, crop),
        made_at=now,
    )
    session.add(picture)
    session.flush()
    row.picture_key = picture.key
    return picture


def hide_looks(session: Session, row: Medication) -> None:
    """Forget the picture of a medicine, if it has one."""
    row.picture_key = None
    session.execute(
        delete(MedicationPicture).where(MedicationPicture.medication_id == row.id)
    )


def keep_ladder(row: Medication, ladder: list[dict[str, Any]] | None) -> None:
    """Say when who is told of a medicine; None lets its class say so."""
    row.ladder = ladder
