"""The rows of reminders, and of the links by which they are answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id

OPEN = "state = 'open'"


class Reminder(Base):
    """The ladder of everything a patient takes at one moment."""

    __tablename__ = "reminder"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    due_at: Mapped[datetime]
    next_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(6))
    last_fired_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    __table_args__: Any = (
        UniqueConstraint("patient_id", "due_at"),
        Index(
            "ix_reminder_open",
            "next_at",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )


class ReminderLink(Base):
    """A link in a reminder mail: records that reminder's doses without signing in."""

    __tablename__ = "reminder_link"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reminder_id: Mapped[int] = mapped_column(
        ForeignKey("reminder.id", ondelete="CASCADE"), index=True
    )
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
