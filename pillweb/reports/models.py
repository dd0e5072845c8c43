"""The rows of reports and of who gets them regularly."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedBytes, EncryptedText
from pillweb.base.db import Base, Id
from pillweb.base.i18n import Speech

WAITING = "state = 'wanted'"


class ReportOrder(Base):
    """A doctor who gets the report: now and then, every week or every month.

    `language` is what the doctor reads it in.
    """

    __tablename__ = "report_order"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    doctor_name: Mapped[str] = mapped_column(EncryptedText("report_order.doctor_name"))
    email: Mapped[str] = mapped_column(EncryptedText("report_order.email"))
    every: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(8), server_default="en")
    next_on: Mapped[date | None]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    @property
    def speech(self) -> Speech:
        """How the report and its mail speak to the doctor."""
        return Speech(self.language)


class Report(Base):
    """One report: wanted, built under a lease, then ready; the file goes with it.

    The PDF stands in the row, encrypted, so that every host finds it, one backup
    holds it and erasing the patient erases it.
    """

    __tablename__ = "report"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    order_id: Mapped[int] = mapped_column(
        ForeignKey("report_order.id", ondelete="CASCADE")
    )
    occasion: Mapped[str] = mapped_column(String(40))
    first_on: Mapped[date]
    last_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    built_at: Mapped[datetime | None]
    pdf: Mapped[bytes | None] = mapped_column(EncryptedBytes("report.pdf"))
    __table_args__: Any = (
        UniqueConstraint("order_id", "occasion"),
        Index(
            "ix_report_waiting",
            "created_at",
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
    )
