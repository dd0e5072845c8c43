"""Questions about medicines."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.errors import NotFoundError
from pillweb.base.hiding import counting_hidden, hidden_ids
from pillweb.medications.models import Medication, MedicationPicture

A_MOMENT = timedelta(minutes=1)


def just_added(
    session: Session, patient_id: int, *, now: datetime, **facts: str
) -> list[Medication]:
    """Return the running medicines of these facts added within the last minute."""
    rows = session.scalars(
        select(Medication).where(
            Medication.patient_id == patient_id,
            Medication.created_at > now - A_MOMENT,
            Medication.stopped_at.is_(None),
        )
    )
    return [
        row
        for row in rows
        if all(getattr(row, name) == value for name, value in facts.items())
    ]


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


class Running(NamedTuple):
    """A medicine that is taken, as far as others are compared with it."""

    id: int
    name: str
    ingredients: str | None
    codes: str | None
    is_hidden: bool


def running_of(session: Session, patient_id: int) -> list[Running]:
    """Return what a patient takes, to ask of another whether it is one of them.

    What is hidden from who asks is among them: nobody is to take anything twice.
    """
    hidden = hidden_ids(session)
    with counting_hidden(session):
        rows = session.execute(
            select(
                Medication.id,
                Medication.name,
                Medication.ingredients,
                Medication.codes,
            )
            .where(Medication.patient_id == patient_id, Medication.stopped_at.is_(None))
            .order_by(Medication.id)
        ).all()
    return [Running(*row, is_hidden=row.id in hidden) for row in rows]


def picture_of(session: Session, patient_id: int, key: str) -> MedicationPicture:
    """Return a picture of a medicine of this patient.

    Raises:
        NotFoundError: the patient has no such picture, or has another one by now.
    """
    row = session.scalar(
        select(MedicationPicture).where(
            MedicationPicture.key == key,
            MedicationPicture.patient_id == patient_id,
        )
    )
    if row is None:
        raise NotFoundError
    return row
