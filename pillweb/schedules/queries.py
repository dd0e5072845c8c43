"""Questions about plans."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, func, or_, select
from sqlalchemy.orm import Session, aliased

from pillweb.accounts.models import Account
from pillweb.base.db import table_of
from pillweb.base.errors import NotFoundError
from pillweb.base.sealed import located, read_text
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient, ZoneChange
from pillweb.patients.queries import zone_changes_of
from pillweb.schedules.models import Line, Plan, PlanDraft
from pillweb.schedules.rules import line as rules
from pillweb.schedules.rules.draft import Answers, answers_from_json
from pillweb.schedules.rules.lateness import MedicineClass
from pillweb.schedules.rules.life import USUAL_MEALS, Life
from pillweb.schedules.rules.line_json import line_from_json, meals_from_json

REACHES_BACK = timedelta(minutes=30)
NOTHING = timedelta(0)
DRAFT_LIFE = timedelta(days=90)


class PlannedLine(NamedTuple):
    """A line as planning needs it, with the instants between which it holds."""

    patient_id: int
    line_id: int
    plan_id: int
    medication_id: int
    category: MedicineClass
    rule: rules.Line
    version: int
    valid_from: datetime
    valid_to: datetime | None

    @property
    def holds_from(self) -> datetime:
        """From when doses are wanted: a first plan reaches half an hour back.

        Whoever writes a plan down at 8.05 with 8am in it still has to take it.
        """
        return self.valid_from - (REACHES_BACK if self.version == 1 else NOTHING)


@dataclass(frozen=True, slots=True)
class ListedMedication:
    """A medicine with the lines of its current plan; no lines when stopped."""

    medication: Medication
    rules: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a plan with its lines, and the names of who made and ended it."""

    plan: Plan
    lines: tuple[rules.Line, ...]
    author: str
    ended_by: str


def planned_lines(
    session: Session, patient_ids: Collection[int], *, since: datetime
) -> Sequence[PlannedLine]:
    """Return the lines of these patients that held at `since` or later."""
    rows = session.execute(
        select(
            Line.patient_id,
            func.coalesce(Line.origin_id, Line.id),
            Plan.id,
            Plan.medication_id,
            Medication.category,
            located(table_of(Line).c.rule, LargeBinary()),
            Plan.version,
            Plan.valid_from,
            Plan.valid_to,
        )
        .join(Plan, Plan.id == Line.plan_id)
        .join(Medication, Medication.id == Plan.medication_id)
        .where(
            Line.patient_id.in_(patient_ids),
            or_(Plan.valid_to.is_(None), Plan.valid_to > since),
        )
        .order_by(Line.patient_id, Plan.id, Line.sequence)
    )
    return [PlannedLine._make((*row[:5], _line_of(row[5]), *row[6:])) for row in rows]


@lru_cache(maxsize=4096)
def _line_of(kept: bytes) -> rules.Line:
    # What is kept as the same says the same: it is read once.
    text = read_text(kept, place="line.rule")
    return line_from_json(json.loads(text or "null"))


def lives_of(session: Session, patient_ids: Collection[int]) -> dict[int, Life]:
    """Return by which clocks and meals these patients live."""
    changes: dict[int, list[ZoneChange]] = {}
    for change in zone_changes_of(session, patient_ids):
        changes.setdefault(change.patient_id, []).append(change)
    rows = session.execute(
        select(Patient.id, Patient.zone, Patient.meals).where(
            Patient.id.in_(patient_ids)
        )
    )
    return {
        row.id: life_of(row.zone, row.meals, changes.get(row.id, ())) for row in rows
    }


def life_of(
    zone: str, meals: Mapping[str, Any] | None, changes: Sequence[ZoneChange]
) -> Life:
    """Return the life of a patient whose home is `zone` now."""
    moves = [change for change in changes if not change.is_travel]
    return Life(
        zone=changes[0].before if changes else zone,
        home=moves[0].before if moves else zone,
        changes=_as_rules(changes),
        moves=_as_rules(moves),
        meals=USUAL_MEALS if meals is None else meals_from_json(meals),
    )


def _as_rules(changes: Iterable[ZoneChange]) -> tuple[rules.ZoneChange, ...]:
    return tuple(rules.ZoneChange(change.at, change.zone) for change in changes)


def current_plan(session: Session, medication_id: int) -> Plan | None:
    """Return the newest version of how a medicine is taken, ended or not."""
    return session.scalar(
        select(Plan)
        .where(Plan.medication_id == medication_id)
        .order_by(Plan.version.desc())
        .limit(1)
    )


def lines_of(session: Session, plan_id: int) -> Sequence[Line]:
    """Return the lines of a plan in their order."""
    return session.scalars(
        select(Line).where(Line.plan_id == plan_id).order_by(Line.sequence)
    ).all()


def standing_lines(session: Session, medication_id: int) -> list[rules.Line]:
    """Return the newest version of how a medicine is taken, ended or not."""
    plan = current_plan(session, medication_id)
    rows = lines_of(session, plan.id) if plan else []
    return [line_from_json(row.rule) for row in rows]


def versions_of(session: Session, medication_id: int) -> list[Version]:
    """Return every version of a medicine's plan, newest first."""
    ender = aliased(Account)
    rows = session.execute(
        select(Plan, Account.name, ender.name)
        .outerjoin(Account, Account.id == Plan.author_id)
        .outerjoin(ender, ender.id == Plan.ended_by_id)
        .where(Plan.medication_id == medication_id)
        .order_by(Plan.version.desc())
    ).all()
    lines: dict[int, list[rules.Line]] = {plan.id: [] for plan, _, _ in rows}
    for line in session.scalars(
        select(Line)
        .where(Line.plan_id.in_(lines))
        .order_by(Line.plan_id, Line.sequence)
    ):
        lines[line.plan_id].append(line_from_json(line.rule))
    return [
        Version(plan, tuple(lines[plan.id]), author or "", ended_by or "")
        for plan, author, ended_by in rows
    ]


def medicines_of(session: Session, patient_id: int) -> Sequence[ListedMedication]:
    """Return every medicine of a patient with its current lines, oldest first."""
    rows = session.execute(
        select(Medication, Line.rule)
        .outerjoin(
            Plan, (Plan.medication_id == Medication.id) & Plan.valid_to.is_(None)
        )
        .outerjoin(Line, Line.plan_id == Plan.id)
        .where(Medication.patient_id == patient_id)
        .order_by(Medication.id, Line.sequence)
    )
    found: dict[int, ListedMedication] = {}
    for medication, rule in rows:
        earlier = found.get(medication.id, ListedMedication(medication, ()))
        rules = (*earlier.rules, rule) if rule is not None else earlier.rules
        found[medication.id] = ListedMedication(medication, rules)
    return list(found.values())


def draft_of(
    session: Session, patient_id: int, draft_id: int, *, to_write: bool = False
) -> PlanDraft:
    """Return a draft of this patient, closed ones too; who writes it waits in line.

    Raises:
        NotFoundError: the patient has no such draft.
    """
    wanted = select(PlanDraft).where(
        PlanDraft.id == draft_id, PlanDraft.patient_id == patient_id
    )
    row = session.scalar(wanted.with_for_update() if to_write else wanted)
    if row is None:
        raise NotFoundError
    return row


def answers_in(row: PlanDraft) -> Answers:
    """Return the answers that a draft keeps."""
    return answers_from_json(json.loads(row.answers))


def drafts_of(
    session: Session, patient_id: int, *, now: datetime
) -> Sequence[PlanDraft]:
    """Return the patient's open drafts that are not too old, newest first."""
    return session.scalars(
        select(PlanDraft)
        .where(
            PlanDraft.patient_id == patient_id,
            PlanDraft.closed_at.is_(None),
            PlanDraft.updated_at >= now - DRAFT_LIFE,
        )
        .order_by(PlanDraft.id.desc())
    ).all()


def is_in_use(session: Session, patient_id: int, import_key: str) -> bool:
    """Say whether a plan that came from this entry of a file holds, unchanged."""
    held = select(Plan.id).where(
        Plan.patient_id == patient_id,
        Plan.import_key == import_key,
        Plan.valid_to.is_(None),
    )
    return session.scalar(select(held.exists())) or False


def oldest_draft(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a draft waits to be forgotten."""
    last = session.scalar(select(func.min(PlanDraft.updated_at)))
    return None if last is None or last > now - DRAFT_LIFE else last + DRAFT_LIFE


def life_with(session: Session, patient_id: int) -> Life:
    """Return by which clocks and meals one patient lives."""
    return lives_of(session, [patient_id])[patient_id]
