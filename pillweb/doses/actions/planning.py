"""Doses are planned: added, moved, held and cancelled as the plans want."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import ask, table_of, upsert
from pillweb.base.many_rows import insert_many_new
from pillweb.base.zones import tzdata_version
from pillweb.doses.actions.wanted import Identity, Wanted, identity_of, wanted_of
from pillweb.doses.models import Dose, Horizon
from pillweb.doses.queries.days import horizons_of
from pillweb.doses.rules.days import CANCELLED, HELD, HORIZON, OPEN, RECORDED, TRAVEL
from pillweb.patients.models import Patient
from pillweb.schedules.queries import REACHES_BACK, lives_of, planned_lines

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SAME_DAYS = timedelta(days=2)
HALF_A_DAY = timedelta(hours=12)
UNRECORDED = (OPEN, HELD)

_DOSE = table_of(Dose)
_CANCEL = (
    update(_DOSE)
    .where(
        _DOSE.c.id.in_(bindparam("ids", expanding=True)),
        _DOSE.c.state.not_in(RECORDED),
    )
    .values(state=CANCELLED, skip_reason=None)
)


class Move(NamedTuple):
    """A dose to come that is due at another instant than before."""

    patient_id: int
    before: datetime
    after: datetime


class Planning(NamedTuple):
    """What planning did.

    `zone_data` names the version each patient was planned by before, where it was
    another; `moves` are the doses that moved by that alone.
    """

    added: int
    zone_data: Mapping[int, str]
    moves: tuple[Move, ...]


class Stretch(NamedTuple):
    """What is planned of one patient: doses from `since` on.

    Those due until `settled` stand as they are. Until then doses may be moved, but
    only from `added_from` on may one be added. `is_new` where nothing is planned yet.
    """

    since: datetime
    settled: datetime
    added_from: datetime
    revision: int
    zone_data: str
    is_new: bool = False


def plan_doses(
    session: Session, patients: Sequence[tuple[int, str]], *, now: datetime
) -> int:
    """Make the doses of these (id, zone) patients what their plans want.

    Returns the number of doses added; `replan_doses` says how.
    """
    ids = [patient_id for patient_id, _ in patients]
    return replan_doses(session, ids, now=now).added


def replan_doses(
    session: Session, patient_ids: Sequence[int], *, now: datetime
) -> Planning:
    """Make the doses of these patients what their plans want.

    Adds what is missing until seven days from now, moves and cancels doses that
    nobody has recorded and no plan wanted at their time, and touches nothing that
    was settled before. Days of a pause have held doses. Running it twice changes
    nothing.
    """
    # Locked in order, so that two planners of one patient wait for each other.
    locked = session.execute(
        select(Patient.id, Patient.plan_revision)
        .where(Patient.id.in_(patient_ids))
        .order_by(Patient.id)
        .with_for_update()
    )
    revisions = {row.id: row.plan_revision for row in locked}
    until = now + HORIZON
    stretches = _stretches(session, revisions, now=now)
    rows = _wanted_rows(session, stretches, until=until)
    wanted = {identity_of(row): row for row in rows}
    added = 0
    moved: list[Move] = []
    all_new = all(stretch.is_new for stretch in stretches.values())
    if all_new:
        added = insert_many_new(session, Dose, [*wanted.values()])
    if not all_new or added < len(wanted):
        more, moved = _settle(session, stretches, rows, wanted, now=now)
        added += more
    _note_horizons(session, stretches, now=now, until=until)
    older = {
        patient_id: stretch.zone_data
        for patient_id, stretch in stretches.items()
        if stretch.zone_data != tzdata_version()
    }
    return Planning(added, older, tuple(m for m in moved if m.patient_id in older))


def _settle(
    session: Session,
    stretches: Mapping[int, Stretch],
    rows: Sequence[Wanted],
    wanted: dict[Identity, Wanted],
    *,
    now: datetime,
) -> tuple[int, list[Move]]:
    """Make what is there what is wanted; return how many were added, which moved."""
    asked = {(identity_of(row), row.due_at) for row in rows}
    existing = _existing(session, stretches)
    free = {
        key: row
        for key, row in existing.items()
        if _is_free(
            row,
            settled=stretches[row.patient_id].settled,
            asked=(key, row.due_at) in asked,
            now=now,
        )
    }
    _leave_out_what_was_recorded(existing, wanted)
    unwanted = [free[key] for key in free.keys() - wanted.keys()]
    _cancel(session, [row for row in unwanted if _is_shown(row, now=now)])
    moved = _move_changed(session, existing, free, wanted, stretches)
    fresh = [
        dose
        for key, dose in wanted.items()
        if key not in existing and dose.due_at >= stretches[dose.patient_id].added_from
    ]
    return insert_many_new(session, Dose, fresh), moved


def _note_horizons(
    session: Session,
    stretches: Mapping[int, Stretch],
    *,
    now: datetime,
    until: datetime,
) -> None:
    rows = [
        {
            "patient_id": patient_id,
            "plan_revision": stretch.revision,
            "tzdata_version": tzdata_version(),
            "planned_at": now,
            "planned_until": until,
        }
        for patient_id, stretch in stretches.items()
    ]
    upsert(session, Horizon, rows)


def _stretches(
    session: Session, revisions: Mapping[int, int], *, now: datetime
) -> dict[int, Stretch]:
    """Return what of each patient's doses may be other than planned.

    Where neither plan nor zone data changed since, that begins at the end of what was
    planned: so the daily planning of a day more costs a day, and not a week. Where the
    zone data alone changed, what came due until now was lived by the old data.
    """
    stretches = {}
    horizons = {one.patient_id: one for one in horizons_of(session, revisions)}
    for patient_id, revision in revisions.items():
        known = horizons.get(patient_id)
        if known is None:
            begin = LONG_AGO - REACHES_BACK
            found = Stretch(
                begin, LONG_AGO, begin, revision, tzdata_version(), is_new=True
            )
        elif (known.plan_revision, known.tzdata_version) == (
            revision,
            tzdata_version(),
        ):
            end = known.planned_until
            found = Stretch(end, end, end, revision, known.tzdata_version, is_new=True)
        else:
            same_plan = known.plan_revision == revision
            settled = min(now if same_plan else known.planned_at, known.planned_until)
            back = min(now, settled)
            found = Stretch(
                since=back - HALF_A_DAY,
                settled=settled,
                added_from=back - REACHES_BACK,
                revision=revision,
                zone_data=known.tzdata_version if same_plan else tzdata_version(),
            )
        stretches[patient_id] = found
    return stretches


def _wanted_rows(
    session: Session, stretches: Mapping[int, Stretch], *, until: datetime
) -> list[Wanted]:
    """Return every dose that any version of a plan wanted, those of the newest last."""
    earliest = min((one.since for one in stretches.values()), default=until)
    lives = lives_of(session, stretches)
    return [
        dose
        for line in planned_lines(session, stretches, since=earliest)
        for dose in wanted_of(
            line,
            lives[line.patient_id],
            window=(stretches[line.patient_id].since, until),
        )
    ]


def _existing(
    session: Session, stretches: Mapping[int, Stretch]
) -> dict[Identity, Row[Any]]:
    """Return each patient's doses since then, and of the days before the cancelled.

    A cancelled dose of this morning is the one that a time moved to tonight needs; a
    recorded one of the morning may be tonight's by another clock.
    """
    earliest = min((one.since for one in stretches.values()), default=LONG_AGO)
    rows: Iterable[Any] = session.execute(
        select(
            Dose.id,
            Dose.patient_id,
            Dose.line_id,
            Dose.zone_epoch,
            Dose.nominal_date,
            Dose.slot,
            Dose.due_at,
            Dose.missed_at,
            Dose.local_label,
            Dose.zone,
            Dose.state,
            Dose.skip_reason,
            Dose.plan_id,
        ).where(
            Dose.patient_id.in_(stretches),
            Dose.due_at >= earliest - SAME_DAYS,
        )
    )
    return {
        identity_of(row): row
        for row in rows
        if row.due_at >= stretches[row.patient_id].since
        or row.state in (CANCELLED, *RECORDED)
    }


def _is_free(
    row: Row[Any],
    *,
    settled: datetime,
    asked: bool,
    now: datetime,
) -> bool:
    """Say whether planning may still change a dose; what is recorded is not free.

    One whose time came while nobody planned is free when no plan wanted it then.
    """
    if row.state == CANCELLED:
        return True
    if row.state not in UNRECORDED:
        return False
    return bool(row.due_at > now or (row.due_at > settled and not asked))


def _leave_out_what_was_recorded(
    existing: Mapping[Identity, Row[Any]], wanted: dict[Identity, Wanted]
) -> None:
    """Ask for nothing that was recorded ahead of a change of clock.

    Decided here: the same slot of the same date under another clock is the same dose
    while the one recorded would still be waited for, half a day at most.
    """
    recorded: dict[tuple[int, Any, int], list[Row[Any]]] = {}
    for row in existing.values():
        if row.state in RECORDED:
            key = (row.line_id, row.nominal_date, row.slot)
            recorded.setdefault(key, []).append(row)
    for dose in [*wanted.values()] if recorded else ():
        for row in recorded.get((dose.line_id, dose.nominal_date, dose.slot), ()):
            waited = min(row.missed_at - row.due_at, HALF_A_DAY)
            if (
                row.zone_epoch != dose.zone_epoch
                and abs(row.due_at - dose.due_at) < waited
            ):
                wanted.pop(identity_of(dose), None)


def _is_shown(row: Row[Any], *, now: datetime) -> bool:
    return bool(
        row.state in UNRECORDED or (row.skip_reason == TRAVEL and row.due_at > now)
    )


def _cancel(session: Session, rows: Collection[Row[Any]]) -> None:
    if rows:
        ask(session, _CANCEL, {"ids": [row.id for row in rows]})


def _move_changed(
    session: Session,
    existing: Mapping[Identity, Row[Any]],
    free: Mapping[Identity, Row[Any]],
    wanted: Mapping[Identity, Wanted],
    stretches: Mapping[int, Stretch],
) -> list[Move]:
    """Give free doses what the newest plan says of them; return which got a new time.

    All are lifted out first, because two may trade their times. One that would land
    on a dose that stands, taken already perhaps, is not asked for.
    """
    moving = [
        key
        for key, row in free.items()
        if key in wanted
        and _differs(row, wanted[key])
        and (
            row.state != CANCELLED
            or wanted[key].due_at >= stretches[row.patient_id].added_from
        )
    ]
    _cancel(session, [free[key] for key in moving])
    lifted = set(moving) | (free.keys() - wanted.keys())
    standing = {
        (row.line_id, row.due_at)
        for key, row in existing.items()
        if key not in lifted and row.state != CANCELLED
    }
    moves = []
    for key in moving:
        row, new = free[key], wanted[key]
        place = (new.line_id, new.due_at)
        if new.state != CANCELLED:
            if place in standing:
                continue
            standing.add(place)
        session.execute(
            update(Dose)
            .where(Dose.id == row.id, Dose.state == CANCELLED)
            .values(**new._asdict())
        )
        if row.state == OPEN and row.due_at != new.due_at:
            moves.append(Move(row.patient_id, row.due_at, new.due_at))
    return moves


def _differs(row: Row[Any], new: Wanted) -> bool:
    return any(
        getattr(row, name) != getattr(new, name)
        for name in (
            "state",
            "skip_reason",
            "plan_id",
            "due_at",
            "missed_at",
            "zone",
            "local_label",
        )
    )
