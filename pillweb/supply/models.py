"""The rows of supply: the ledger of each medicine, and how more of it is got."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText


class Stock(Base):
    """A medicine whose supply is counted since an instant.

    What dose events up to `after_event_id` say is booked, or is none of its business;
    the same is surely true of those up to `seen_event_id` when it is next looked at.
    Intakes without a planned dose count from the one after `after_intake_id` on.
    `repeats_left` is None where nobody said; `lead_days` is how long doctor and
    pharmacy take; without `fetcher_id` the patient fetches it. `check_at` is when it
    is next looked at, `reminded_at` when somebody was last told that it is low.
    """

    __tablename__ = "stock"
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE"), primary_key=True
    )
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    since: Mapped[datetime]
    after_event_id: Mapped[int] = mapped_column(Id)
    after_intake_id: Mapped[int] = mapped_column(Id)
    seen_event_id: Mapped[int] = mapped_column(Id)
    pack_size: Mapped[Decimal | None]
    repeats_left: Mapped[int | None]
    lead_days: Mapped[int]
    fetcher_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    check_at: Mapped[datetime] = mapped_column(index=True)
    reminded_at: Mapped[datetime | None]


class SupplyEntry(Base):
    """One change of a medicine's supply: how much, why, when, by whom. Append-only.

    The balance is the sum of these rows and nothing else. The quantity is a fraction,
    kept as two whole numbers so that every database can add it up exactly. An event
    of a dose is booked once, an intake once and once more when it is taken back;
    `press` is the form it came from, so that pressing twice is one entry.
    """

    __tablename__ = "supply_entry"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE")
    )
    numerator: Mapped[int] = mapped_column(BigInteger)
    denominator: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[str] = mapped_column(String(12))
    dose_event_id: Mapped[int | None] = mapped_column(
        ForeignKey("dose_event.id", ondelete="CASCADE"), unique=True
    )
    intake_id: Mapped[int | None] = mapped_column(
        ForeignKey("intake.id", ondelete="CASCADE")
    )
    press: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime]
    entered_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    note: Mapped[str | None] = mapped_column(SealedText("supply_entry.note"))
    __table_args__ = (
        UniqueConstraint("medication_id", "press"),
        UniqueConstraint("intake_id", "cause"),
    )

    @property
    def quantity(self) -> Fraction:
        """What came in, or went out if it is below zero, in the medicine's units."""
        return Fraction(self.numerator, self.denominator)
