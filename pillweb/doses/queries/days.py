"""Questions about doses."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo  # noqa: TID251 - the name of a type only

from sqlalchemy import ColumnElement, Executable, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from pillweb.base.db import ask
from pillweb.base.zones import day_bounds, local, tzdata_version
from pillweb.doses.models import Dose, DoseEvent, Horizon
from pillweb.doses.rules.days import (
    CANCELLED,
    LATE_EVENING,
    LEAD,
    OPEN,
    REPLAN_BEFORE,
    SKIPPED,
    TRAVEL,
    DoseFacts,
)
from pillweb.medications.models import Medication
from pillweb.medications.rules import Looks, unit_of
from pillweb.patients.models import Patient
from pillweb.patients.queries import stays
from pillweb.schedules.models import Plan

ENOUGH_TO_TELL = 50

_FACTS = (
    select(
        Dose.id,
        Medication.name,
        Medication.strength,
        Medication.form,
        Medication.reason,
        Medication.instruction,
        Dose.amount,
        Dose.dose_text,
        Dose.action,
        Dose.nominal_date,
        Dose.local_label,
        Dose.due_at,
        Dose.missed_at,
        Dose.state,
        Dose.recorded_at,
        Dose.taken_at,
        Dose.zone,
        Dose.medication_id,
        Dose.window_min,
        Dose.skip_reason,
        Dose.later_until,
        Medication.looks,
        Medication.picture_key,
        Dose.system_fault,
    )
    .join(Medication, Medication.id == Dose.medication_id)
    .where(Dose.patient_id == bindparam("patient_id"))
    .order_by(Dose.due_at, Dose.id)
)
_BETWEEN = _FACTS.where(
    Dose.due_at >= bindparam("start"),
    Dose.due_at < bindparam("end"),
    Dose.state != CANCELLED,
)
# Narrowed to what `rules.belongs_to_today` lets through: half the rows to decrypt.
TODAY_ROWS = _BETWEEN.where(
    or_(
        Dose.nominal_date == bindparam("today"),
        and_(
            Dose.state == OPEN,
            Dose.due_at <= bindparam("soon"),
            Dose.missed_at > bindparam("now"),
        ),
    )
)
# A day also tells what a journey left out of it.
_ON_DATE = _FACTS.where(
    Dose.due_at >= bindparam("start"),
    Dose.due_at < bindparam("end"),
    or_(Dose.state != CANCELLED, Dose.skip_reason == TRAVEL),
    Dose.nominal_date == bindparam("on"),
)
_DUE_AT = _FACTS.where(Dose.due_at == bindparam("due_at"), Dose.state != CANCELLED)
_AMONG = _FACTS.where(
    Dose.id.in_(bindparam("ids", expanding=True)), Dose.state != CANCELLED
)
_ONE = _FACTS.where(Dose.id == bindparam("dose_id"))


WIDTH = len(_FACTS.selected_columns)


def dose_of_row(row: Sequence[Any]) -> DoseFacts:
    """Return the dose of a row that begins with the columns of `_FACTS`.

    They stand in the order of `DoseFacts`; a few are read into what they mean.
    """
    return DoseFacts._make(
        (
            *row[:3],
            unit_of(row[3]),
            *row[4:10],
            time.fromisoformat(row[10]),
            *row[11:18],
            timedelta(minutes=row[18]),
            *row[19:21],
            Looks(*row[21:23]),
            row[23],
        )
    )


def _facts(
    session: Session, statement: Executable, **values: object
) -> list[DoseFacts]:
    return [dose_of_row(row) for row in ask(session, statement, values)]


def today_values(
    patient_id: int, *, place: ZoneInfo, now: datetime
) -> dict[str, object]:
    """Return what `TODAY_ROWS` must be told to find the day of `now`."""
    today = local(now, place).date()
    start, end = day_bounds(today, place)
    return {
        "patient_id": patient_id,
        "start": start - LATE_EVENING,
        "end": end + LATE_EVENING,
        "today": today,
        "soon": now + LEAD,
        "now": now,
    }


def day_of(
    session: Session, patient_id: int, *, place: ZoneInfo, now: datetime
) -> list[DoseFacts]:
    """Return the doses that stand on the page of the local day of `now`."""
    values = today_values(patient_id, place=place, now=now)
    return _facts(session, TODAY_ROWS, **values)


def doses_on(session: Session, patient_id: int, on: date) -> list[DoseFacts]:
    """Return the standing doses that belong to a date, whenever they were due."""
    # A nominal date lies within two days of the instant, in whatever zone.
    start = datetime.combine(on, time(), UTC) - timedelta(days=2)
    end = start + timedelta(days=5)
    return _facts(session, _ON_DATE, patient_id=patient_id, start=start, end=end, on=on)


def doses_between(
    session: Session, patient_id: int, *, start: datetime, end: datetime
) -> list[DoseFacts]:
    """Return the standing doses due from start until just before end."""
    return _facts(session, _BETWEEN, patient_id=patient_id, start=start, end=end)


def doses_due_at(
    session: Session, patient_id: int, due_at: datetime
) -> list[DoseFacts]:
    """Return the standing doses of one moment: what one reminder is about."""
    return _facts(session, _DUE_AT, patient_id=patient_id, due_at=due_at)


def doses_among(
    session: Session, patient_id: int, dose_ids: Collection[int]
) -> list[DoseFacts]:
    """Return the standing doses of this patient among these."""
    return _facts(session, _AMONG, patient_id=patient_id, ids=list(dose_ids))


def dose_facts(session: Session, patient_id: int, dose_id: int) -> DoseFacts | None:
    """Return one dose of this patient."""
    found = _facts(session, _ONE, patient_id=patient_id, dose_id=dose_id)
    return found[0] if found else None


def notes_of(session: Session, dose_ids: Collection[int]) -> dict[int, str]:
    """Return what was said in own words of doses that are left out, by their ids."""
    rows = session.execute(
        select(DoseEvent.dose_id, DoseEvent.note)
        .join(Dose, Dose.id == DoseEvent.dose_id)
        .where(
            DoseEvent.dose_id.in_(dose_ids),
            DoseEvent.what == SKIPPED,
            DoseEvent.note.is_not(None),
            Dose.state == SKIPPED,
            Dose.recorded_at == DoseEvent.entered_at,
        )
    )
    return {row.dose_id: row.note for row in rows}


def _unplanned(now: datetime) -> ColumnElement[bool]:
    is_behind = or_(
        Horizon.patient_id.is_(None),
        Horizon.plan_revision != Patient.plan_revision,
        Horizon.tzdata_version != tzdata_version(),
        Horizon.planned_until < now + REPLAN_BEFORE,
    )
    return and_(stays(), is_behind)


def patients_to_plan(
    session: Session, *, now: datetime, limit: int, without: Collection[int] = ()
) -> Sequence[tuple[int, str]]:
    """Return (id, zone) of patients whose doses are not planned far enough."""
    rows = session.execute(
        select(Patient.id, Patient.zone)
        .outerjoin(Horizon, Horizon.patient_id == Patient.id)
        .where(_unplanned(now), Patient.id.not_in(without))
        .order_by(Patient.id)
        .limit(limit)
    )
    return [(row.id, row.zone) for row in rows]


def oldest_unplanned(session: Session, *, now: datetime) -> datetime | None:
    """Return since when somebody's doses wait to be planned; None when nobody's."""
    changed_at = (
        select(func.max(func.coalesce(Plan.valid_to, Plan.valid_from)))
        .where(Plan.patient_id == Patient.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Patient.created_at,
            Horizon.planned_at,
            Horizon.planned_until,
            changed_at.label("changed_at"),
        )
        .outerjoin(Horizon, Horizon.patient_id == Patient.id)
        .where(_unplanned(now))
        .limit(ENOUGH_TO_TELL)
    ).all()
    waits = []
    for row in rows:
        waits.append(now)
        if row.planned_at is None:
            waits.append(row.changed_at or row.created_at)
            continue
        waits.append(row.planned_until - REPLAN_BEFORE)
        if row.changed_at is not None and row.changed_at >= row.planned_at:
            waits.append(row.changed_at)
    return min(waits, default=None)


def is_planned(session: Session, patient_id: int) -> bool:
    """Say whether the doses on the page follow from the newest plan."""
    return bool(
        session.scalar(
            select(Horizon.patient_id)
            .join(Patient, Patient.id == Horizon.patient_id)
            .where(
                Horizon.patient_id == patient_id,
                Horizon.plan_revision == Patient.plan_revision,
            )
        )
    )


def horizons_of(session: Session, patient_ids: Collection[int]) -> Sequence[Horizon]:
    """Return how far these patients are planned; who never was is left out."""
    return session.scalars(
        select(Horizon)
        .where(Horizon.patient_id.in_(patient_ids))
        .execution_options(populate_existing=True)
    ).all()
