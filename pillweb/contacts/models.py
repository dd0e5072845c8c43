"""The rows of where somebody is reached, and of what they want to be told."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText

ONE_OWNER = "(patient_id IS NULL) <> (account_id IS NULL)"


class ContactPoint(Base):
    """Where one person can be reached by one channel (FHIR: ContactPoint).

    It belongs to a patient, who is reminded there, or to an account, who is told there
    of others. States: unproven (no test was answered yet), active, failing (three in a
    row did not arrive), gone (the address is dead), stopped (they unsubscribed).
    `rank` orders them, 1 first (FHIR's word).
    """

    __tablename__ = "contact_point"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    channel: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(SealedText("contact_point.address"))
    address_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    rank: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    proven_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(60))
    __table_args__: Any = (
        CheckConstraint(ONE_OWNER, name="one_owner"),
        UniqueConstraint("patient_id", "channel", "address_index"),
        UniqueConstraint("account_id", "channel", "address_index"),
    )


class ContactTest(Base):
    """A message that asks for one answer, to prove that a channel reaches somebody."""

    __tablename__ = "contact_test"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Preference(Base):
    """How one person wants to be told: a patient, or an account.

    `unwanted` names by kind of message (`contacts.rules.KINDS`) the channels that are
    not wanted for it. Quiet hours are clock times (HH:MM) where the person lives, none
    where both are empty; `urgent_passes` lets what is time-critical through them.
    `shows_names` allows the names of medicines in messages.
    """

    __tablename__ = "preference"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), unique=True
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), unique=True
    )
    unwanted: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    quiet_from: Mapped[str] = mapped_column(String(5), default="")
    quiet_until: Mapped[str] = mapped_column(String(5), default="")
    urgent_passes: Mapped[bool] = mapped_column(default=True, server_default=true())
    shows_names: Mapped[bool] = mapped_column(default=False)
    __table_args__: Any = (CheckConstraint(ONE_OWNER, name="one_owner"),)


class StopLink(Base):
    """The link in a message that stops its channel (RFC 8058): one a contact point."""

    __tablename__ = "stop_link"
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), primary_key=True
    )
    token: Mapped[str] = mapped_column(SealedText("stop_link.token"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
