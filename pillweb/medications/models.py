"""The row of a medicine."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedText
from pillweb.base.db import Base, Id


class Medication(Base):
    """One medicine that a patient takes, or took."""

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
    created_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
