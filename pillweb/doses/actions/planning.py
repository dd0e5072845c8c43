"""Doses are planned: added, moved and cancelled as the plans want."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new, table_of, upsert
from pillweb.base.zones import tzdata_version
from pillweb.doses.models import Dose, Horizon
from pillweb.doses.queries.days import horizons_of
from pillweb.doses.rules.days import (
    CANCELLED,
    HORIZON,
    OPEN,
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
A_DAY = timedelta(days=1)

_DOSE = table_of(Dose)

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
    since = _unsettled_since(session, revisions, now=now)
    wanted, held = _wanted(session, zones, since=since, until=until)
    existing = _existing(session, since)
    free = {
        key: row
        for key, row in existing.items()
        if _is_free(row, since=since, held=(key, row["due_at"]) in held, now=now)
    }
    _cancel_unwanted(session, [free[key] for key in free.keys() - wanted.keys()])
    _move_changed(session, existing, free, wanted)
    fresh = [row for key, row in wanted.items() if key not in existing]
    added = insert_new(session, Dose, fresh)
    _note_horizons(session, revisions, now=now, until=until)
    return added


def _note_horizons(
    session: Session, revisions: Mapping[int, int], *, now: datetime, until: datetime
) -> None:
    rows = [
        {
            "patient_id": patient_id,
            "plan_revision": revision,
            "tzdata_version": tzdata_version(),
            "planned_at": now,
            "planned_until": until,
        }
        for patient_id, revision in revisions.items()
    ]
    upsert(session, Horizon, rows)


def _unsettled_since(
    session: Session, revisions: Mapping[int, int], *, now: datetime
) -> dict[int, datetime]:
    """Return from when on each patient's doses may be other than planned.

    Where neither plan nor zone data changed since, that is the end of what was
    planned: so the daily planning of a day more costs a day, and not a week.
    """
    since = dict.fromkeys(revisions, LONG_AGO - REACHES_BACK)
    for horizon in horizons_of(session, revisions):
        patient_id = horizon.patient_id
        unchanged = (
            horizon.plan_revision == revisions[patient_id]
            and horizon.tzdata_version == tzdata_version()
        )
        if unchanged:
            since[patient_id] = horizon.planned_until
        else:
            settled = min(horizon.planned_at, horizon.planned_until)
            since[patient_id] = min(now, settled) - REACHES_BACK
    return since


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
    # The first dose after the window tells how long its last one stays open.
    found = occurrences(line, zone, (start, end + A_DAY))
    dues = [due for due in found if due.due_at < end]
    beyond = found[len(dues)] if len(dues) < len(found) else None
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
    if dues and beyond is None:
        beyond = next_after(line, zone, dues[-1].due_at)
    for due, following in zip(dues, [*dues[1:], beyond], strict=False):
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
            "dose_text": due.dose or None,
            "action": due.action or None,
            "missed_at": due.due_at + missed_after(line, due.due_at, next_due_at),
        }


def _identity(row: Mapping[str, Any] | RowMapping) -> Identity:
    return (row["line_id"], row["zone_epoch"], row["nominal_date"], row["slot"])


def _existing(
    session: Session, since: Mapping[int, datetime]
) -> dict[Identity, RowMapping]:
    """Return each patient's doses since then, and cancelled ones of the same days.

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
            Dose.patient_id.in_(since),
            Dose.due_at >= min(since.values(), default=LONG_AGO) - SAME_DAYS,
        )
    ).mappings()
    return {
        _identity(row): row
        for row in rows
        if row["due_at"] >= since[row["patient_id"]] or row["state"] == CANCELLED
    }


def _is_free(
    row: RowMapping,
    *,
    since: Mapping[int, datetime],
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
    unsettled = row["due_at"] > since[row["patient_id"]] + REACHES_BACK
    return row["due_at"] > now or (unsettled and not held)


def _cancel_unwanted(session: Session, rows: Collection[RowMapping]) -> None:
    gone = [row["id"] for row in rows if row["state"] == OPEN]
    if gone:
        session.execute(
            update(Dose)
            .where(Dose.id.in_(gone), Dose.state == OPEN)
            .values(state=CANCELLED)
        )


def _move_changed(
    session: Session,
    existing: Mapping[Identity, RowMapping],
    free: Mapping[Identity, RowMapping],
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


def _differs(row: RowMapping, new: Mapping[str, Any]) -> bool:
    return any(row[name] != new[name] for name in ("state", "plan_id", "due_at"))
