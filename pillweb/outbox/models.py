"""The rows of the outbox: a delivery, and each attempt at it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, defer, mapped_column

from pillweb.base.db import Base, Id, index_where
from pillweb.base.sealed import SealedText

WAITING = "state in ('pending', 'leased')"
DEAD = "state = 'dead'"


class Delivery(Base):
    """One message to one address by one channel.

    States: pending > leased > accepted | dead | cancelled | expired | suppressed |
    superseded; a retry goes back to pending. `context` holds the words, and links with
    their tokens, only until the provider has taken the message over. `contact_id` names
    the contact point it goes to, `account_id` who is told where that is no patient;
    `due_at` is since when its cause was due.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(Id)
    subject_id: Mapped[int | None] = mapped_column(Id)
    contact_id: Mapped[int | None] = mapped_column(Id)
    account_id: Mapped[int | None] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(40))
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    recipient: Mapped[str] = mapped_column(SealedText("delivery.recipient"))
    context: Mapped[str | None] = mapped_column(SealedText("delivery.context"))
    state: Mapped[str] = mapped_column(String(12), default="pending")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    next_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    accepted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    provider_ref: Mapped[str | None] = mapped_column(String(120), index=True)
    last_error: Mapped[str | None] = mapped_column(String(60))
    __table_args__: Any = (
        index_where("ix_delivery_waiting", "channel", "next_at", where=WAITING),
        index_where("ix_delivery_dead", "created_at", where=DEAD),
        Index("ix_delivery_contact_id_created_at", "contact_id", "created_at"),
        Index("ix_delivery_patient_id_subject_id", "patient_id", "subject_id"),
    )


# For who reads a row whose words may be unreadable.
UNREAD = (defer(Delivery.recipient), defer(Delivery.context))


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


class Breaker(Base):
    """How a provider does: after five failures in a row it is left alone for a while.

    While `retry_at` is to come nobody calls it; whoever does next is alone with it.
    """

    __tablename__ = "breaker"
    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(60))


class Incident(Base):
    """A time in which messages may not have arrived; open until `closed_at`.

    `kind` is late (work waits), channel (a provider fails), canary (a test message did
    not come back), storm (too many for one person), stopped (nothing ran at all),
    clock_jump (the database's clock went wrong), unfired (a patient's rows cannot be
    worked with), restored (it is an old one, put back: nothing leaves until somebody
    says so), backup (none could be made) or restore (none was proven to be one).
    """

    __tablename__ = "incident"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    about: Mapped[str] = mapped_column(String(40), default="")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    __table_args__: Any = (
        index_where(
            "uq_incident_open", "kind", "about", unique=True, where="closed_at is null"
        ),
    )


class Canary(Base):
    """A message to ourselves, to see that a channel carries messages all the way."""

    __tablename__ = "canary"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), index=True)
    mark: Mapped[str] = mapped_column(String(43), unique=True)
    sent_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
