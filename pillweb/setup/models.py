"""The row of setting somebody up."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base


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
