"""When each family hears next is written down, and moved on once it heard."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from pillweb.base.db import UTCDateTime, insert_new
from pillweb.base.zones import Zone, zone
from pillweb.digests.models import DigestClock
from pillweb.digests.queries import patients_without_clock
from pillweb.digests.rules.rhythm import (
    EVERY_EVENING,
    EVERY_SUNDAY,
    Rhythm,
    moment,
    newest_date,
    next_date,
)
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_in_force


class Due(NamedTuple):
    """A patient whose evening has come: of which date, and when it came."""

    patient_id: int
    on: date
    place: Zone
    at: datetime


def start_clocks(session: Session, *, now: datetime, limit: int) -> int:
    """Let patients who have no clock be told of from the next evening on."""
    rows = []
    for patient_id, home in patients_without_clock(session, limit=limit):
        row: dict[str, object] = {"patient_id": patient_id}
        for name, rhythm in (("day", EVERY_EVENING), ("week", EVERY_SUNDAY)):
            place = zone(home)
            on = next_date(rhythm, newest_date(rhythm, place, now=now))
            row |= {f"{name}_on": on, f"{name}_at": moment(rhythm, on, place)}
        rows.append(row)
    return insert_new(session, DigestClock, rows)


def take_days(
    session: Session, patient_ids: Sequence[int], *, now: datetime
) -> tuple[int, list[Due]]:
    """Move the clocks of these patients on to the next evening that is to be told.

    Returns how many moved, and whose evening has come: of a time that was slept
    through only the newest. On a journey west it may not have come yet.
    """
    return _take(session, patient_ids, "day", EVERY_EVENING, now=now)


def take_weeks(
    session: Session, patient_ids: Sequence[int], *, now: datetime
) -> tuple[int, list[Due]]:
    """Move the clocks of these patients on to the next week, as `take_days` does."""
    return _take(session, patient_ids, "week", EVERY_SUNDAY, now=now)


def _take(
    session: Session,
    patient_ids: Sequence[int],
    name: str,
    rhythm: Rhythm,
    *,
    now: datetime,
) -> tuple[int, list[Due]]:
    at = getattr(DigestClock, f"{name}_at")
    rows = session.execute(
        select(DigestClock, zone_in_force(literal(now, UTCDateTime())))
        .join(Patient, Patient.id == DigestClock.patient_id)
        .where(DigestClock.patient_id.in_(patient_ids), at <= now)
        .order_by(DigestClock.patient_id)
        .with_for_update(of=DigestClock, skip_locked=True)
    ).all()
    found = []
    for row, where in rows:
        place = zone(where)
        on, wanted = newest_date(rhythm, place, now=now), getattr(row, f"{name}_on")
        if on >= wanted:
            due = Due(row.patient_id, on, place, moment(rhythm, on, place))
            found.append(due)
            wanted = next_date(rhythm, on)
        setattr(row, f"{name}_on", wanted)
        setattr(row, f"{name}_at", moment(rhythm, wanted, place))
    session.flush()
    return len(rows), found
