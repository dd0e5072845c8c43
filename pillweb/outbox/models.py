"""The rows of the outbox: a delivery, and each attempt at it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedText
from pillweb.base.db import Base, Id

WAITING = "state in ('pending', 'leased')"


class Delivery(Base):
    """One message to one address by one channel.

    States: pending > leased > accepted | dead | cancelled | expired; a retry
    goes back to pending. `context` holds the words, and links with their tokens,
    only until the provider has taken the message over.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(Id, index=True)
    subject_id: Mapped[int | None] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(40))
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    recipient: Mapped[str] = mapped_column(EncryptedText("delivery.recipient"))
    context: Mapped[str | None] = mapped_column(EncryptedText("delivery.context"))
    state: Mapped[str] = mapped_column(String(12), default="pending")
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    accepted_at: Mapped[datetime | None]
    provider_ref: Mapped[str | None] = mapped_column(String(120))
    last_error: Mapped[str | None] = mapped_column(String(60))
    __table_args__: Any = (
        Index(
            "ix_delivery_waiting",
            "next_at",
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
    )


class Attempt(Base):
    """One call of the provider: written before it, closed after it.

    An attempt that was never closed is a crash: nobody knows whether the provider
    took the message.
    """

    __tablename__ = "attempt"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("delivery.id", ondelete="CASCADE"), index=True
    )
    lease_id: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(60))
