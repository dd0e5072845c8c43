"""What happens to doses: planned, recorded, taken back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new, upsert
from pillweb.base.zones import tzdata_version
from pillweb.doses.models import Dose, DoseEvent, Horizon
from pillweb.doses.queries import settled_until
from pillweb.doses.rules import (
    CANCELLED,
    HORIZON,
    OPEN,
    RECORDED,
    SKIPPED,
    TAKEN,
    UNDO_FOR,
)
from pillweb.patients.models import Patient
from pillweb.schedules.queries import (
    REACHES_BACK,
    PlannedLine,
    planned_lines,
)
from pillweb.schedules.rules.lateness import missed_after
from pillweb.schedules.rules.lateness import window as on_time_window
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.occurrences import next_after, occurrences

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)

Identity = tuple[int, int, Any, int]


def plan_doses(
    session: Session, patients: Sequence[tuple[int, str]], *, now: datetime
) -> int:
    """Make the doses of these (id, zone) patients what their plans want.

    Adds what is missing until seven days from now, moves and cancels future doses
    that nobody has recorded, and touches nothing of the past. Running it twice
    changes nothing. Returns the number of doses added.
    """
    ids = [patient_id for patient_id, _ in patients]
    zones = dict(patients)
    # Locked in order, so that two planners of one patient wait for each other.
    locked = session.execute(
        select(Patient.id, Patient.plan_revision)
        .where(Patient.id.in_(ids))
        .order_by(Patient.id)
        .with_for_update()
    )
    revisions = {row.id: row.plan_revision for row in locked}
    until = now + HORIZON
    settled = settled_until(session, ids)
    since = {i: min(now, settled.get(i, LONG_AGO)) - REACHES_BACK for i in ids}
    earliest = min(since.values(), default=now)
    wanted: dict[Identity, dict[str, Any]] = {}
    for line in planned_lines(session, ids, since=earliest):
        window = (since[line.patient_id], until)
        for row in _wanted_rows(line, zone=zones[line.patient_id], window=window):
            wanted[_identity(row)] = row
    existing = _existing(session, ids, since=earliest)
    _cancel_unwanted(session, existing, wanted, now=now)
    _move_changed(session, existing, wanted, now=now)
    fresh = [row for key, row in wanted.items() if key not in existing]
    added = insert_new(session, Dose, fresh)
    for patient_id in ids:
        upsert(
            session,
            Horizon,
            {
                "patient_id": patient_id,
                "plan_revision": revisions[patient_id],
                "tzdata_version": tzdata_version(),
                "planned_at": now,
                "planned_until": until,
            },
        )
    return added


def _wanted_rows(
    planned: PlannedLine, *, zone: str, window: tuple[datetime, datetime]
) -> Iterator[dict[str, Any]]:
    """Yield the dose rows one line asks for, inside the time its plan holds."""
    since, until = window
    start = max(since, planned.holds_from)
    end = until if planned.valid_to is None else min(until, planned.valid_to)
    line = line_from_json(planned.rule)
    dues = occurrences(line, zone, (start, end))
    shared = {
        "patient_id": planned.patient_id,
        "medication_id": planned.medication_id,
        "line_id": planned.line_id,
        "plan_id": planned.plan_id,
        "tzdata_version": tzdata_version(),
        "window_min": on_time_window(line, planned.category) // A_MINUTE,
        "state": OPEN,
        "system_fault": False,
    }
    last = next_after(line, zone, dues[-1].due_at) if dues else None
    for due, following in zip(dues, [*dues[1:], last], strict=True):
        next_due_at = None if following is None else following.due_at
        yield {
            **shared,
            "nominal_date": due.nominal_date,
            "slot": due.slot,
            "zone_epoch": due.zone_epoch,
            "due_at": due.due_at,
            "local_label": due.local_label,
            "zone": due.zone,
            "amount": due.amount,
            "missed_at": due.due_at + missed_after(line, due.due_at, next_due_at),
        }


def _identity(row: Mapping[str, Any]) -> Identity:
    return (row["line_id"], row["zone_epoch"], row["nominal_date"], row["slot"])


def _existing(
    session: Session, patient_ids: Collection[int], *, since: datetime
) -> dict[Identity, dict[str, Any]]:
    rows = session.execute(
        select(
            Dose.id,
            Dose.line_id,
            Dose.zone_epoch,
            Dose.nominal_date,
            Dose.slot,
            Dose.due_at,
            Dose.state,
            Dose.plan_id,
        ).where(Dose.patient_id.in_(patient_ids), Dose.due_at >= since)
    ).mappings()
    found = [dict(row) for row in rows]
    return {_identity(row): row for row in found}


def _cancel_unwanted(
    session: Session,
    existing: Mapping[Identity, Mapping[str, Any]],
    wanted: Mapping[Identity, Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    gone = [
        row["id"]
        for key, row in existing.items()
        if key not in wanted and row["state"] == OPEN and row["due_at"] > now
    ]
    if gone:
        session.execute(
            update(Dose)
            .where(Dose.id.in_(gone), Dose.state == OPEN)
            .values(state=CANCELLED)
        )


def _move_changed(
    session: Session,
    existing: Mapping[Identity, Mapping[str, Any]],
    wanted: Mapping[Identity, Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Give future doses that nobody recorded what the newest plan says of them."""
    for key, row in existing.items():
        new = wanted.get(key)
        future = row["due_at"] > now and row["state"] in {OPEN, CANCELLED}
        if new is None or not future:
            continue
        settled = row["state"] == OPEN and row["plan_id"] == new["plan_id"]
        if settled and row["due_at"] == new["due_at"]:
            continue
        session.execute(
            update(Dose)
            .where(Dose.id == row["id"], Dose.state.in_((OPEN, CANCELLED)))
            .values(**new)
        )


def mark_taken(
    session: Session,
    dose_ids: Collection[int],
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
    just_now: bool = True,
) -> int:
    """Record that these doses were taken; return how many were not recorded yet.

    `just_now` is false where they were taken earlier, nobody knows when. A dose that
    is already recorded stays as it is: pressing twice is one dose.
    """
    marked = session.execute(
        update(Dose)
        .where(Dose.id.in_(dose_ids), Dose.patient_id == patient_id, Dose.state == OPEN)
        .values(
            state=TAKEN,
            recorded_at=now,
            taken_at=now if just_now else None,
            taken_amount=Dose.amount,
        )
        .returning(Dose.id, Dose.amount),
        execution_options={"synchronize_session": False},
    ).all()
    _append(
        session,
        [{"dose_id": dose.id, "amount": dose.amount} for dose in marked],
        what=TAKEN,
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
    )
    return len(marked)


def skip_dose(
    session: Session,
    dose_id: int,
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    reason: str,
    now: datetime,
) -> bool:
    """Record that a dose was left out, and why; say whether it was still open."""
    skipped = session.execute(
        update(Dose)
        .where(Dose.id == dose_id, Dose.patient_id == patient_id, Dose.state == OPEN)
        .values(state=SKIPPED, recorded_at=now, skip_reason=reason)
        .returning(Dose.id),
        execution_options={"synchronize_session": False},
    ).all()
    _append(
        session,
        [{"dose_id": dose.id, "reason": reason} for dose in skipped],
        what=SKIPPED,
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
    )
    return bool(skipped)


def undo_marks(
    session: Session,
    dose_ids: Collection[int],
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
) -> int:
    """Take back what was recorded about these doses within 24 hours; return how many.

    The events stay and one more says that they no longer hold.
    """
    undone = session.execute(
        update(Dose)
        .where(
            Dose.id.in_(dose_ids),
            Dose.patient_id == patient_id,
            Dose.state.in_(RECORDED),
            Dose.recorded_at > now - UNDO_FOR,
        )
        .values(
            state=OPEN,
            recorded_at=None,
            taken_at=None,
            taken_amount=None,
            skip_reason=None,
        )
        .returning(Dose.id),
        execution_options={"synchronize_session": False},
    ).all()
    _append(
        session,
        [{"dose_id": dose.id} for dose in undone],
        what="undone",
        patient_id=patient_id,
        account_id=account_id,
        channel=channel,
        now=now,
    )
    return len(undone)


def _append(
    session: Session,
    facts: Sequence[Mapping[str, Any]],
    *,
    what: str,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
) -> None:
    if not facts:
        return
    shared = {
        "what": what,
        "patient_id": patient_id,
        "account_id": account_id,
        "channel": channel,
        "at": now,
        "entered_at": now,
    }
    session.execute(insert(DoseEvent), [{**shared, **fact} for fact in facts])
