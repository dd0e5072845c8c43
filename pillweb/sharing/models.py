"""The rows that open doors."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedText
from pillweb.base.db import Base, Id


class Grant(Base):
    """What one account may do for one patient.

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
    alerts: Mapped[bool] = mapped_column(default=False, server_default=false())
    ladder_place: Mapped[int | None]
    wants: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("account_id", "patient_id"),)


class ShareLink(Base):
    """A link by which anybody who holds it sees today and the calendar."""

    __tablename__ = "share_link"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    label: Mapped[str] = mapped_column(EncryptedText("share_link.label"))
    show_names: Mapped[bool] = mapped_column(default=False)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    times_used: Mapped[int] = mapped_column(default=0)
