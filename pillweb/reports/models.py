"""The rows of reports and of who gets them regularly."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.built_rows import PdfRow, waiting_index
from pillweb.base.db import Base, Id
from pillweb.base.i18n import Speech
from pillweb.base.sealed import SealedText


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
    doctor_name: Mapped[str] = mapped_column(SealedText("report_order.doctor_name"))
    email: Mapped[str] = mapped_column(SealedText("report_order.email"))
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


class Report(PdfRow):
    """One report about the days first to last; the file goes with its mail."""

    __tablename__ = "report"
    order_id: Mapped[int] = mapped_column(
        ForeignKey("report_order.id", ondelete="CASCADE")
    )
    occasion: Mapped[str] = mapped_column(String(40))
    first_on: Mapped[date]
    last_on: Mapped[date]
    __table_args__: Any = (
        UniqueConstraint("order_id", "occasion"),
        waiting_index("report"),
    )
