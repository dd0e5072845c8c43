"""What happens to doses: planned, recorded, taken back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new, upsert
from pillweb.base.zones import tzdata_version
from pillweb.doses.models import Dose, DoseEvent, Horizon
from pillweb.doses.queries import settled_until
from pillweb.doses.rules import (
    CANCELLED,
    EARLY_BY,
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
SAME_DAYS = timedelta(days=2)

Identity = tuple[int, int, Any, int]


def plan_doses(
    session: Session, patients: Sequence[tuple[int, str]], *, now: datetime
) -> int:
    """Make the doses of these (id, zone) patients what their plans want.

    Adds what is missing until seven days from now, moves and cancels doses that
    nobody has recorded and no plan wanted at their time, and touches nothing that
    was settled before. Running it twice changes nothing. Returns the number of
    doses added.
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
    wanted, held = _wanted(session, zones, since=since, until=until)
    existing = _existing(session, ids, since=earliest)
    free = {
        key: row
        for key, row in existing.items()
        if _is_free(row, settled=settled, held=(key, row["due_at"]) in held, now=now)
    }
    _cancel_unwanted(session, [free[key] for key in free.keys() - wanted.keys()])
    _move_changed(session, existing, free, wanted)
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


def _wanted(
    session: Session,
    zones: Mapping[int, str],
    *,
    since: Mapping[int, datetime],
    until: datetime,
) -> tuple[dict[Identity, dict[str, Any]], set[tuple[Identity, datetime]]]:
    """Return the rows the newest plans want, and every moment any version wanted."""
    wanted: dict[Identity, dict[str, Any]] = {}
    held: set[tuple[Identity, datetime]] = set()
    earliest = min(since.values(), default=until)
    for line in planned_lines(session, list(zones), since=earliest):
        window = (since[line.patient_id], until)
        for row in _wanted_rows(line, zone=zones[line.patient_id], window=window):
            wanted[_identity(row)] = row
            held.add((_identity(row), row["due_at"]))
    return wanted, held


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
    followings = [*dues[1:], next_after(line, zone, dues[-1].due_at)] if dues else []
    for due, following in zip(dues, followings, strict=True):
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
    """Return the doses due since then, and earlier cancelled ones of the same days.

    A cancelled dose of this morning is the one that a time moved to tonight needs.
    """
    rows = session.execute(
        select(
            Dose.id,
            Dose.patient_id,
            Dose.line_id,
            Dose.zone_epoch,
            Dose.nominal_date,
            Dose.slot,
            Dose.due_at,
            Dose.state,
            Dose.plan_id,
        ).where(
            Dose.patient_id.in_(patient_ids),
            Dose.due_at >= since - SAME_DAYS,
            or_(Dose.due_at >= since, Dose.state == CANCELLED),
        )
    ).mappings()
    found = [dict(row) for row in rows]
    return {_identity(row): row for row in found}


def _is_free(
    row: Mapping[str, Any],
    *,
    settled: Mapping[int, datetime],
    held: bool,
    now: datetime,
) -> bool:
    """Say whether planning may still change a dose; what is recorded is not free.

    One whose time came while nobody planned is free when no plan wanted it then.
    """
    if row["state"] == CANCELLED:
        return True
    if row["state"] != OPEN:
        return False
    unsettled = row["due_at"] > settled.get(row["patient_id"], LONG_AGO)
    return row["due_at"] > now or (unsettled and not held)


def _cancel_unwanted(session: Session, rows: Collection[Mapping[str, Any]]) -> None:
    gone = [row["id"] for row in rows if row["state"] == OPEN]
    if gone:
        session.execute(
            update(Dose)
            .where(Dose.id.in_(gone), Dose.state == OPEN)
            .values(state=CANCELLED)
        )


def _move_changed(
    session: Session,
    existing: Mapping[Identity, Mapping[str, Any]],
    free: Mapping[Identity, Mapping[str, Any]],
    wanted: Mapping[Identity, Mapping[str, Any]],
) -> None:
    """Give free doses what the newest plan says of them.

    All are lifted out first, because two may trade their times. One that would land
    on a dose that stands, taken already perhaps, is not asked for.
    """
    moving = [
        key for key, row in free.items() if key in wanted and _differs(row, wanted[key])
    ]
    _cancel_unwanted(session, [free[key] for key in moving])
    lifted = set(moving) | (free.keys() - wanted.keys())
    standing = {
        (row["line_id"], row["due_at"])
        for key, row in existing.items()
        if key not in lifted and row["state"] != CANCELLED
    }
    for key in moving:
        new = wanted[key]
        place = (new["line_id"], new["due_at"])
        if place in standing:
            continue
        standing.add(place)
        session.execute(
            update(Dose)
            .where(Dose.id == free[key]["id"], Dose.state == CANCELLED)
            .values(**new)
        )


def _differs(row: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(row[name] != new[name] for name in ("state", "plan_id", "due_at"))


def mark_taken(
    session: Session,
    dose_ids: Collection[int],
    *,
    patient_id: int,
    account_id: int | None,
    channel: str,
    now: datetime,
) -> int:
    """Record that these doses were taken just now; return how many were not yet.

    A dose that is already recorded stays as it is: pressing twice is one dose. One
    that is more than half a day away cannot have been taken yet.
    """
    marked = session.execute(
        update(Dose)
        .where(
            Dose.id.in_(dose_ids),
            Dose.patient_id == patient_id,
            Dose.state == OPEN,
            Dose.due_at <= now + EARLY_BY,
        )
        .values(state=TAKEN, recorded_at=now, taken_at=now, taken_amount=Dose.amount)
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
