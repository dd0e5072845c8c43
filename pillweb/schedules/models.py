"""The rows of plans: how a medicine is taken, in versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedJson, SealedText


class Plan(Base):
    """One version of how a medicine is taken; never edited, only replaced.

    `import_key` is the key of the draft it came from, if that came from a file.
    """

    __tablename__ = "plan"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    medication_id: Mapped[int] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE")
    )
    version: Mapped[int]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(
        ForeignKey("plan.id", ondelete="SET NULL")
    )
    author_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    reason: Mapped[str] = mapped_column(SealedText("plan.reason"))
    source: Mapped[str] = mapped_column(String(12))
    urgent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    ended_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    end_reason: Mapped[str | None] = mapped_column(SealedText("plan.end_reason"))
    import_key: Mapped[str | None] = mapped_column(String(43))
    __table_args__ = (UniqueConstraint("medication_id", "version"),)


class PlanDraft(Base):
    """A plan that is not finished: a new medicine's, or a change of one.

    `answers` is the JSON of `schedules.rules.draft`. `key` is made by the page that
    begins it, so that pressing twice begins one. Once it went live or was thrown away
    it is closed, and holds no answers any more.
    """

    __tablename__ = "plan_draft"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    medication_id: Mapped[int | None] = mapped_column(
        ForeignKey("medication.id", ondelete="CASCADE")
    )
    source: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(43))
    answers: Mapped[str] = mapped_column(SealedText("plan_draft.answers"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("patient_id", "key"),)


class Line(Base):
    """One dosing rule of a plan, as the JSON of `schedules.rules.line`.

    It is sealed: why doses pause is said there in somebody's own words. `kind` is the
    rule's, for questions.

    `origin_id` is the first version of the same line: doses belong to it, so that
    replacing a plan never changes what a dose is.
    """

    __tablename__ = "line"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    patient_id: Mapped[int] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE")
    )
    origin_id: Mapped[int | None] = mapped_column(
        ForeignKey("line.id", ondelete="CASCADE")
    )
    sequence: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    rule: Mapped[dict[str, Any]] = mapped_column(SealedJson("line.rule"))
    __table_args__ = (Index("ix_line_plan_id_sequence", "plan_id", "sequence"),)
