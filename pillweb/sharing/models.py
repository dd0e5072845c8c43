"""The rows that open doors."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText


class Grant(Base):
    """What one account may do for one patient, or asked to; it stays when it ended.

    `sees` is what they may look at (`sharing.rules.SCOPES`); who manages sees all of
    it. `given_by_id` is the account that agreed. `ask_at` is when the patient's side is
    next to be asked whether it is right.

    `alerts` says whether they are told at once when too much is recorded; it is never
    on before somebody who manages for the patient chose it. `ladder_place` is when they
    are told that a dose has no record: 1 first, 2 when the first does not see to it,
    none never. `wants` are the other kinds of message they asked for
    (`contacts.rules.KINDS`).
    """

    __tablename__ = "access_grant"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    level: Mapped[int]
    role: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(10))
    sees: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    given_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    alerts: Mapped[bool] = mapped_column(default=False, server_default=false())
    ladder_place: Mapped[int | None]
    wants: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("account_id", "patient_id"),
        Index("ix_access_grant_ends_at", "ends_at"),
        Index("ix_access_grant_ask_at", "ask_at"),
    )


class HiddenMedication(Base):
    """That an account is to find nothing of a medicine, since `hidden_at`.

    It stays when that account helps no more, and holds when it comes back.
    """

    __tablename__ = "hidden_medication"
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    hidden_at: Mapped[datetime]


class ShareLink(Base):
    """A link by which anybody who holds it sees some pages (`sharing.rules.PAGES`).

    With `pin_hash` it opens only with six digits; after five wrong ones it never opens
    again: `wrong_pins` counts them.
    """

    __tablename__ = "share_link"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    label: Mapped[str] = mapped_column(SealedText("share_link.label"))
    show_names: Mapped[bool] = mapped_column(default=False)
    pages: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    pin_hash: Mapped[str | None] = mapped_column(String(200))
    wrong_pins: Mapped[int] = mapped_column(default=0, server_default="0")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    times_used: Mapped[int] = mapped_column(default=0)


class LinkOpening(Base):
    """One time that a link was opened: when, and with what, but not from where."""

    __tablename__ = "link_opening"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    link_id: Mapped[int] = mapped_column(
        ForeignKey("share_link.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime]
    device: Mapped[str] = mapped_column(String(40))
