"""The row of when a family hears next."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base


class DigestClock(Base):
    """When what became of a patient's day, and of the week, is told next."""

    __tablename__ = "digest_clock"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True
    )
    day_at: Mapped[datetime] = mapped_column(index=True)
    week_at: Mapped[datetime] = mapped_column(index=True)
