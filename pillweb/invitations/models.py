"""The rows of access that was offered, and of the codes by which it is asked for."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText


class Invitation(Base):
    """An offer to help, behind a secret that works once; it stays when it was answered.

    `label` is whom it is for, in the words of who invited. `address` is where it was
    sent, by `channel`; a channel of none was handed over.
    """

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    answered_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    label: Mapped[str] = mapped_column(SealedText("invitation.label"))
    channel: Mapped[str | None] = mapped_column(String(12))
    address: Mapped[str | None] = mapped_column(SealedText("invitation.address"))
    level: Mapped[int]
    role: Mapped[str] = mapped_column(String(12))
    sees: Mapped[list[str]] = mapped_column(JSON)
    ends_at: Mapped[datetime | None]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    status: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class AskingCode(Base):
    """The letters by which a doctor may ask for access to a patient, and nothing more.

    They are found by a keyed hash; a patient without a row cannot be asked.
    """

    __tablename__ = "asking_code"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(SealedText("asking_code.code"))
    code_index: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[datetime]
