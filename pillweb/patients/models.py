"""The row of a person who takes medicine."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedText
from pillweb.base.db import Base, Id


class Patient(Base):
    """A person who takes medicine; every health row carries this row's id.

    `plan_revision` goes up with every change of a plan: planning compares it
    with the revision it last worked from.
    """

    __tablename__ = "patient"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(EncryptedText("patient.name"))
    zone: Mapped[str] = mapped_column(String(60))
    reminder_email: Mapped[str] = mapped_column(EncryptedText("patient.reminder_email"))
    created_at: Mapped[datetime]
    plan_revision: Mapped[int] = mapped_column(default=0)
    is_demo: Mapped[bool] = mapped_column(default=False)
