"""The rows of doses and of what is recorded about them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id, index_where
from pillweb.base.sealed import SealedText

STANDING = "state <> 'cancelled'"


class Dose(Base):
    """One planned intake. What it is never changes; what became of it may.

    Its identity is (line, zone_epoch, nominal_date, slot), whatever the plan's
    version. `state`, `recorded_at`, `taken_at`, `taken_amount` and `skip_reason`
    repeat what the newest of its events say, so that a month reads from one table.
    `later_until` is when somebody wants to hear of it again.
    `dose_text` is the amount in the plan's own words ("40 mg", "1"), `action` what is
    done with it ("remove"); `amount` is its number.
    """

    __tablename__ = "dose"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE")
    )
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    nominal_date: Mapped[date]
    slot: Mapped[int]
    zone_epoch: Mapped[int]
    due_at: Mapped[datetime]
    local_label: Mapped[str] = mapped_column(String(5))
    zone: Mapped[str] = mapped_column(String(60))
    tzdata_version: Mapped[str] = mapped_column(String(12))
    amount: Mapped[Decimal | None]
    dose_text: Mapped[str | None] = mapped_column(String(200))
    action: Mapped[str | None] = mapped_column(String(200))
    window_min: Mapped[int]
    missed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    recorded_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
    taken_amount: Mapped[Decimal | None]
    skip_reason: Mapped[str | None] = mapped_column(String(20))
    later_until: Mapped[datetime | None]
    system_fault: Mapped[bool] = mapped_column(default=False)
    __table_args__: Any = (
        UniqueConstraint("line_id", "zone_epoch", "nominal_date", "slot"),
        Index("ix_dose_patient_id_due_at", "patient_id", "due_at"),
        index_where(
            "uq_dose_standing", "line_id", "due_at", unique=True, where=STANDING
        ),
    )


class DoseEvent(Base):
    """One thing said about a dose: who, when, from where, why. Append-only."""

    __tablename__ = "dose_event"
    __table_args__ = (Index("ix_dose_event_patient_id_id", "patient_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    dose_id: Mapped[int] = mapped_column(
        ForeignKey("dose.id", ondelete="CASCADE"), index=True
    )
    what: Mapped[str] = mapped_column(String(10))
    amount: Mapped[Decimal | None]
    at: Mapped[datetime]
    entered_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    channel: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(SealedText("dose_event.note"))


class Intake(Base):
    """One intake that no dose was planned for: as needed, or one more in a slot.

    `dose_id` names the planned dose it came on top of. What was recorded stays; an undo
    only marks it. `key` is that of the form it came from: sent twice it is one intake.
    `why` is what was said where the plan allowed none, `was_asked` whether that was so.
    """

    __tablename__ = "intake"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE"), index=True
    )
    line_id: Mapped[int | None] = mapped_column(
        ForeignKey("line.id", ondelete="SET NULL")
    )
    dose_id: Mapped[int | None] = mapped_column(
        ForeignKey("dose.id", ondelete="SET NULL")
    )
    taken_at: Mapped[datetime]
    amount: Mapped[Decimal | None]
    dose_text: Mapped[str | None] = mapped_column(String(200))
    was_asked: Mapped[bool] = mapped_column(default=False)
    why: Mapped[str | None] = mapped_column(SealedText("intake.why"))
    entered_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    channel: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(64))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    __table_args__: Any = (
        UniqueConstraint("patient_id", "key"),
        Index("ix_intake_patient_id_taken_at", "patient_id", "taken_at"),
    )


class Horizon(Base):
    """How far, and from which revision of the plans, a patient's doses are planned."""

    __tablename__ = "horizon"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True
    )
    plan_revision: Mapped[int]
    tzdata_version: Mapped[str] = mapped_column(String(12))
    planned_at: Mapped[datetime]
    planned_until: Mapped[datetime]
