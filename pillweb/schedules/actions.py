"""What happens to plans, and to those that are not finished."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pillweb.base.crypto import blind_index
from pillweb.medications.actions import add_medication, describe_medication
from pillweb.medications.models import Medication
from pillweb.medications.rules import ORDINARY
from pillweb.patients.actions import note_plan_change
from pillweb.patients.models import Patient
from pillweb.schedules.models import Line, Plan, PlanDraft
from pillweb.schedules.queries import (
    DRAFT_LIFE,
    answers_in,
    current_plan,
    is_in_use,
    lines_of,
    standing_lines,
)
from pillweb.schedules.rules import line as rule
from pillweb.schedules.rules.compare import match_lines
from pillweb.schedules.rules.draft import FACTS, OF_MEDICINE, Answers, answers_to_json
from pillweb.schedules.rules.draft import lines_of as lines_of_draft
from pillweb.schedules.rules.fhir.imported import Imported
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.slots import is_same, match_slots

IMPORTED = "import"
# What is known of a medicine beside its description.
NOT_DESCRIBED = ("category", "codes", "ingredients", "missed_text")


def set_plan(
    session: Session,
    medication: Medication,
    *,
    lines: Sequence[rule.Line],
    author_id: int | None,
    now: datetime,
    reason: str = "",
    source: str = "patient",
    urgent: bool = False,
) -> Plan:
    """Say from now on how a medicine is taken; the earlier version is kept, ended.

    A line of the new version that is one of the old ones (`match_lines`) stays the
    same line: its doses keep their identity, and times that only moved keep their
    slot. Where all lines say what holds already, the version that stands is returned.
    """
    _take_turns(session, medication)
    before = current_plan(session, medication.id)
    earlier = lines_of(session, before.id) if before else []
    if before is not None and before.valid_to is None and _are_same(earlier, lines):
        return before
    if before is not None and before.valid_to is None:
        before.valid_to = now
    plan = Plan(
        patient_id=medication.patient_id,
        medication_id=medication.id,
        version=before.version + 1 if before else 1,
        valid_from=now,
        replaces_id=before.id if before else None,
        author_id=author_id,
        reason=reason,
        source=source,
        urgent=urgent,
        created_at=now,
    )
    session.add(plan)
    session.flush()
    matched = match_lines([line_from_json(old.rule) for old in earlier], lines)
    for position, (new, place) in enumerate(zip(lines, matched, strict=True)):
        old = None if place is None else earlier[place]
        kept = new if old is None else match_slots(line_from_json(old.rule), new)
        session.add(
            Line(
                plan_id=plan.id,
                patient_id=medication.patient_id,
                origin_id=None if old is None else old.origin_id or old.id,
                sequence=position,
                kind=kept.kind,
                rule=line_to_json(kept),
            )
        )
    medication.stopped_at = None
    note_plan_change(session, medication.patient_id)
    return plan


def change_lines(
    session: Session,
    medication: Medication,
    change: Callable[[rule.Line], rule.Line],
    *,
    author_id: int | None,
    now: datetime,
    reason: str = "",
) -> bool:
    """Change each line of the plan that holds; a stopped medicine stays stopped.

    What somebody else saves in the same moment is changed, not undone. Returns whether
    there was a plan to change.
    """
    _take_turns(session, medication)
    if medication.stopped_at is not None:
        return False
    lines = [change(line) for line in standing_lines(session, medication.id)]
    set_plan(
        session, medication, lines=lines, author_id=author_id, now=now, reason=reason
    )
    return True


def _take_turns(session: Session, medication: Medication) -> None:
    """Let who changes a medicine wait for each other; the second sees the first's.

    Its key stays free: doses that are planned in this moment refer to it.
    """
    session.flush()
    session.refresh(medication, with_for_update={"key_share": True})
    session.scalars(
        select(Plan).where(Plan.medication_id == medication.id),
        execution_options={"populate_existing": True},
    ).all()


def _are_same(earlier: Sequence[Line], lines: Sequence[rule.Line]) -> bool:
    return len(earlier) == len(lines) and all(
        is_same(line_from_json(old.rule), new)
        for old, new in zip(earlier, lines, strict=True)
    )


def stop_medication(
    session: Session,
    medication: Medication,
    *,
    now: datetime,
    author_id: int | None = None,
    reason: str = "",
) -> None:
    """End a medicine's plan from now on; its history stays, and says who and why."""
    _take_turns(session, medication)
    plan = current_plan(session, medication.id)
    if plan is not None and plan.valid_to is None:
        plan.valid_to = now
        plan.ended_by_id, plan.end_reason = author_id, reason
    medication.stopped_at = medication.stopped_at or now
    note_plan_change(session, medication.patient_id)


def start_plan(
    session: Session,
    draft: PlanDraft,
    answers: Answers,
    *,
    author_id: int | None,
    reason: str,
    now: datetime,
) -> Medication:
    """Let a draft go live: its medicine is added or changed, and its plan holds.

    Raises:
        ValueError: a question is open.
    """
    lines = lines_of_draft(answers)
    facts = {name: answers.medicine.get(name, "") for name in FACTS}
    facts["category"] = facts["category"] or ORDINARY
    later = {name: facts.pop(name) for name in NOT_DESCRIBED}
    if draft.medication_id is None:
        medication = add_medication(
            session, patient_id=draft.patient_id, now=now, **facts
        )
    else:
        medication = session.get_one(Medication, draft.medication_id)
        describe_medication(medication, **facts)
    medication.category = later["category"]
    medication.codes = later["codes"] or None
    medication.ingredients = later["ingredients"] or None
    medication.missed_text = later["missed_text"] or None
    plan = set_plan(
        session,
        medication,
        lines=lines,
        author_id=author_id,
        now=now,
        reason=reason,
        source=draft.source,
    )
    if draft.source == IMPORTED:
        plan.import_key = draft.key
    close_draft(draft, now=now, medication_id=medication.id)
    return medication


def begin_draft(
    session: Session,
    *,
    patient_id: int,
    account_id: int | None,
    answers: Answers,
    key: str,
    now: datetime,
    source: str = "patient",
    medication_id: int | None = None,
) -> PlanDraft:
    """Keep answers until they become a plan; the same key is the same draft.

    `source` is patient, prescription or import; the page that begins a draft makes
    its `key`, so that whoever presses twice begins one.
    """
    # Two presses at once wait for each other.
    session.execute(
        select(Patient.id).where(Patient.id == patient_id).with_for_update()
    )
    found = session.scalar(
        select(PlanDraft).where(
            PlanDraft.patient_id == patient_id, PlanDraft.key == key
        )
    )
    if found is not None:
        return found
    row = PlanDraft(
        patient_id=patient_id,
        account_id=account_id,
        medication_id=medication_id,
        source=source,
        key=key,
        answers=_told(answers),
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return row


def keep_imported(
    session: Session,
    patient_id: int,
    medicines: Sequence[Imported],
    *,
    account_id: int | None,
    now: datetime,
) -> list[PlanDraft]:
    """Keep the medicines of a file as drafts, and return those that wait.

    The same entry again is the draft that waits for it already, or none where its
    plan is in use unchanged. One that was thrown away, changed since, or stopped
    begins anew.
    """
    found: dict[int, PlanDraft] = {}
    for one in medicines:
        hashed = blind_index(f"{patient_id}:{one.content}", purpose="import")
        key = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        if is_in_use(session, patient_id, key):
            continue
        draft = begin_draft(
            session,
            patient_id=patient_id,
            account_id=account_id,
            answers=one.answers,
            key=key,
            source=IMPORTED,
            now=now,
        )
        if draft.closed_at is not None or draft.updated_at < now - DRAFT_LIFE:
            draft.closed_at = draft.medication_id = None
            keep_answers(draft, one.answers, now=now)
        found[draft.id] = draft
    return list(found.values())


def change_instead(
    draft: PlanDraft,
    medication: Medication,
    facts: Mapping[str, str],
    *,
    base: int,
    now: datetime,
) -> None:
    """Let an imported draft change a medicine that is there, which keeps its `facts`.

    `base` is the version of the plan that stands.
    """
    answers = answers_in(draft)
    known = {key: value for key, value in facts.items() if value}
    is_named = tuple(one for one in answers.open if one not in OF_MEDICINE)
    draft.medication_id = medication.id
    keep_answers(
        draft,
        replace(
            answers, medicine={**answers.medicine, **known}, open=is_named, base=base
        ),
        now=now,
    )


def _told(answers: Answers) -> str:
    return json.dumps(answers_to_json(answers), ensure_ascii=False)


def keep_answers(row: PlanDraft, answers: Answers, *, now: datetime) -> None:
    """Keep what was answered; its life begins anew."""
    row.answers = _told(answers)
    row.updated_at = now


def close_draft(
    row: PlanDraft, *, now: datetime, medication_id: int | None = None
) -> None:
    """Forget the answers: they went live as this medicine's, or were thrown away."""
    row.answers = "{}"
    row.medication_id = medication_id or row.medication_id
    row.closed_at = row.closed_at or now


def forget_drafts(session: Session, *, now: datetime) -> int:
    """Delete drafts that nobody touched for their whole life; return how many."""
    old = delete(PlanDraft).where(PlanDraft.updated_at < now - DRAFT_LIFE)
    return len(session.scalars(old.returning(PlanDraft.id)).all())
