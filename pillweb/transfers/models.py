"""The rows of files taken out and brought in, and of what was done elsewhere."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.built_rows import BuiltRow, waiting_index
from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedBytes, SealedText


class TakenOut(BuiltRow):
    """Everything of a patient as one file, for the account that asked for it.

    `look` says in whose language its words are. The file is there until `expires_at`;
    then the row goes.
    """

    __tablename__ = "taken_out"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    look: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[datetime]
    content: Mapped[bytes | None] = mapped_column(SealedBytes("taken_out.content"))
    __table_args__: Any = (
        waiting_index("taken_out"),
        Index("ix_taken_out_expires_at", "expires_at"),
    )


class BroughtIn(BuiltRow):
    """A file from elsewhere: looked through, then agreed to, then brought in.

    It is wanted twice: to be looked through, and once `agreed_at` to be brought in.
    When the patient is there, `made_id` says who it is and the file is gone. Where
    it was refused, `problem` says why. `found` is the JSON of what is in it;
    `role` what the account is to be for the patient; `how` they agreed to it and
    `note` what lets somebody decide for them (`accounts.rules.WAYS`).
    """

    __tablename__ = "brought_in"
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    made_id: Mapped[int | None] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    content: Mapped[bytes | None] = mapped_column(SealedBytes("brought_in.content"))
    found: Mapped[str | None] = mapped_column(SealedText("brought_in.found"))
    problem: Mapped[str | None] = mapped_column(String(12))
    role: Mapped[str | None] = mapped_column(String(12))
    how: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(SealedText("brought_in.note"))
    agreed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    __table_args__: Any = (
        waiting_index("brought_in"),
        Index("ix_brought_in_expires_at", "expires_at"),
    )


class PastEntry(Base):
    """One line of the record that a patient had elsewhere, in words.

    It can be read, and is no part of the chain here.
    """

    __tablename__ = "past_entry"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    at: Mapped[datetime]
    words: Mapped[str] = mapped_column(SealedText("past_entry.words"))
    __table_args__: Any = (Index("ix_past_entry_patient_id_at", "patient_id", "at"),)
