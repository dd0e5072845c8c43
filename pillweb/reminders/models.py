"""The rows of reminders, and of the links by which they are answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id, index_where

OPEN = "state = 'open'"
LATE = "state = 'late'"
ALERTED = "alerted_at IS NOT NULL"


class Reminder(Base):
    """The ladder of everything a patient takes at one moment.

    `state` is open while its ladder lasts, late when that ended and no message had left
    (`watch.actions.late` tells of it), then done. `round` goes up each time it is put
    off: its ladder begins anew. `alerted_at` is when a helper was first told,
    `acknowledged_at` when one of them said that they see to it, `resolved_at` when
    those who were told heard that it is recorded.
    """

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
    acknowledged_at: Mapped[datetime | None]
    round: Mapped[int] = mapped_column(default=0, server_default="0")
    alerted_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    __table_args__: Any = (
        UniqueConstraint("patient_id", "due_at"),
        index_where("ix_reminder_alerted", "alerted_at", where=ALERTED),
        index_where("ix_reminder_open", "next_at", where=OPEN),
        index_where("ix_reminder_late", "next_at", where=LATE),
    )


class DeliveryDose(Base):
    """That one person is told once of a dose, at one address, at one step.

    `recipient` is "p" or "a" with the id of a patient or an account; `contact_id` names
    the address, for somebody may have two of one channel. `step` counts the rungs of
    the ladder, a hundred higher for each time it was put off.
    """

    __tablename__ = "delivery_dose"
    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True
    )
    dose_id: Mapped[int] = mapped_column(
        ForeignKey("dose.id", ondelete="CASCADE"), primary_key=True
    )
    recipient: Mapped[str] = mapped_column(String(21))
    channel: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(40))
    step: Mapped[int]
    contact_id: Mapped[int] = mapped_column(Id, default=0, server_default="0")
    __table_args__: Any = (
        UniqueConstraint(
            *("dose_id", "recipient", "channel", "kind", "step", "contact_id"),
            name="uq_delivery_dose_told",
        ),
    )


class ReminderLink(Base):
    """A link in a message: answers its reminder without signing in.

    `account_id` is the helper it was sent to, none where it is the patient; `channel`
    by which it went. `doubted_at` is when something pressed it so fast that it may have
    been a machine.
    """

    __tablename__ = "reminder_link"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reminder_id: Mapped[int] = mapped_column(
        ForeignKey("reminder.id", ondelete="CASCADE"), index=True
    )
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    delivery_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    channel: Mapped[str] = mapped_column(
        String(12), default="email", server_default="email"
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    doubted_at: Mapped[datetime | None]
