"""The row of when a family hears next."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base


class DigestClock(Base):
    """When what became of a patient's day, and of the week, is told next.

    `day_on` and `week_on` are the next local dates of which nothing was told yet,
    `day_at` and `week_at` when to look whether their evenings have come.
    """

    __tablename__ = "digest_clock"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True
    )
    day_on: Mapped[date]
    day_at: Mapped[datetime] = mapped_column(index=True)
    week_on: Mapped[date]
    week_at: Mapped[datetime] = mapped_column(index=True)
