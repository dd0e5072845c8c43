"""What happens to plans."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.medications.models import Medication
from pillweb.patients.actions import note_plan_change
from pillweb.schedules.models import Line, Plan
from pillweb.schedules.queries import current_plan, lines_of
from pillweb.schedules.rules import line as rule
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.slots import is_same, match_slots


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

    A line of the new version that stands where one stood before is the same line:
    its doses keep their identity, and times that only moved keep their slot. Where
    all lines say what holds already, the version that stands is returned as it is.
    """
    # Two who save at once wait for each other; the second builds on the first.
    session.execute(
        select(Medication.id).where(Medication.id == medication.id).with_for_update()
    )
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
    for position, new in enumerate(lines):
        old = earlier[position] if position < len(earlier) else None
        kept = new if old is None else match_slots(line_from_json(old.rule), new)
        session.add(
            Line(
                plan_id=plan.id,
                patient_id=medication.patient_id,
                origin_id=None if old is None else old.origin_id or old.id,
                sequence=position,
                rule=line_to_json(kept),
            )
        )
    medication.stopped_at = None
    note_plan_change(session, medication.patient_id)
    return plan


def _are_same(earlier: Sequence[Line], lines: Sequence[rule.Line]) -> bool:
    return len(earlier) == len(lines) and all(
        is_same(line_from_json(old.rule), new)
        for old, new in zip(earlier, lines, strict=True)
    )


def stop_medication(session: Session, medication: Medication, *, now: datetime) -> None:
    """End a medicine's plan from now on; its history stays."""
    plan = current_plan(session, medication.id)
    if plan is not None and plan.valid_to is None:
        plan.valid_to = now
    medication.stopped_at = medication.stopped_at or now
    note_plan_change(session, medication.patient_id)
