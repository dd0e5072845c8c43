"""The row of a medicine."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedText
from pillweb.base.db import Base, Id


class Medication(Base):
    """One medicine that a patient takes, or took.

    `codes` is a JSON list of FHIR Codings; `ingredients` a JSON list of what one unit
    holds, each with `name` and `amount` ("500 mg"); `missed_text` what its leaflet says
    to do about a forgotten dose.
    """

    __tablename__ = "medication"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(EncryptedText("medication.name"))
    strength: Mapped[str] = mapped_column(EncryptedText("medication.strength"))
    form: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(EncryptedText("medication.reason"))
    instruction: Mapped[str] = mapped_column(EncryptedText("medication.instruction"))
    category: Mapped[str] = mapped_column(String(16))
    codes: Mapped[str | None] = mapped_column(EncryptedText("medication.codes"))
    ingredients: Mapped[str | None] = mapped_column(
        EncryptedText("medication.ingredients")
    )
    missed_text: Mapped[str | None] = mapped_column(
        EncryptedText("medication.missed_text")
    )
    created_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
