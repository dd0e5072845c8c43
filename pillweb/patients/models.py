"""The rows of a person who takes medicine, and of the clocks they lived by."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText
from pillweb.base.tokens import new_mark


class Patient(Base):
    """A person who takes medicine; every health row carries this row's id.

    `zone` is where they live now; `meals` when they eat and sleep, as the JSON of
    `schedules.rules.line.Meals`, None while nobody said. `plan_revision` goes up with
    every change of what planning works from: it compares it with the revision it last
    worked from. `language` is what they read, `born` the year they were born
    in; empty while nobody said.

    `mark` is random and never given twice, as ids may be. From `leaves_at` on nothing
    of them is kept; until then it can be taken back. Since `kept_in_at` nothing is
    shared.
    """

    __tablename__ = "patient"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(SealedText("patient.name"))
    zone: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    plan_revision: Mapped[int] = mapped_column(default=0)
    is_demo: Mapped[bool] = mapped_column(default=False)
    born: Mapped[str | None] = mapped_column(SealedText("patient.born"))
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    meals: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    mark: Mapped[bytes] = mapped_column(LargeBinary(16), default=new_mark)
    leaves_at: Mapped[datetime | None]
    kept_in_at: Mapped[datetime | None]


class ZoneChange(Base):
    """From an instant on a patient lives by another clock; the past keeps its own.

    `is_travel` is false where home itself is another zone: it moved, or had been given
    wrongly. `before` is the zone left behind, of life or of home.
    """

    __tablename__ = "zone_change"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(60))
    before: Mapped[str] = mapped_column(String(60))
    is_travel: Mapped[bool]
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime]
    __table_args__: Any = (
        Index("ix_zone_change_patient_id_at", "patient_id", "at", unique=True),
    )


class Unreachable(Base):
    """Since when reminders reach a patient nowhere; no row while they do.

    Written by `contacts.actions.reach.note_reach`; it stands here because every
    page of the patient says so. `told_at` is when those who help were told.
    """

    __tablename__ = "unreachable"
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[datetime]
    told_at: Mapped[datetime | None]
    __table_args__: Any = (Index("ix_unreachable_since", "since"),)
