"""The rows of the record: entries that never change, and where each chain ends."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id


class AuditEntry(Base):
    """One look at a patient's data, or one change of it; never updated or deleted.

    `seq` counts from 1 in each chain; `patient_id` 0 is the chain of the house itself.
    `by` is how somebody came (`base.visits.Visit`), `act` the endpoint, job or command.
    `what` are the ids the act was about, as encrypted JSON; `hash` binds it as it is
    stored, and the entry before. Nothing here points at another table: an entry
    outlives whom it names.
    """

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(Id)
    seq: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[int | None] = mapped_column(Id)
    link_id: Mapped[int | None] = mapped_column(Id)
    act: Mapped[str] = mapped_column(String(80))
    what: Mapped[bytes] = mapped_column(LargeBinary)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (
        UniqueConstraint("patient_id", "seq"),
        Index(None, "patient_id", "at"),
    )


class AuditHead(Base):
    """The newest entry of a chain; whoever adds one holds its row."""

    __tablename__ = "audit_head"
    patient_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    seq: Mapped[int]
    at: Mapped[datetime]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
