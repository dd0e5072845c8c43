"""The rows of setting somebody up."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id


class SetUp(Base):
    """How far the set-up of a patient is, where nothing else tells it.

    `answers` are the steps that were pressed, by name: done, or left for later.
    """

    __tablename__ = "set_up"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True
    )
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    answers: Mapped[dict[str, str]] = mapped_column(JSON)


class MailTest(Base):
    """A message that asks for one press, to prove that an address gets reminders."""

    __tablename__ = "mail_test"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    address_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
