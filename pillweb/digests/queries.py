"""Questions for what a family hears in the evening."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pillweb.digests.models import DigestClock
from pillweb.digests.rules.day import DayDose, Health
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import CANCELLED
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery, Incident
from pillweb.patients.models import Patient, Unreachable
from pillweb.reminders.models import Reminder
from pillweb.reminders.rules.course import DOSE_DUE
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.hiding import HIDDEN, read_hidden
from pillweb.sharing.rules import ACCEPTED, SELF

# No dose waits longer for its record before it counts as having none.
REACHES_BACK = timedelta(days=4)
LATELY = timedelta(days=2)
LOST = frozenset({"dead", "expired", "suppressed"})
_EVENING = (
    select(
        Dose.patient_id,
        Dose.due_at,
        Dose.nominal_date,
        Dose.local_label,
        Dose.state,
        Dose.missed_at,
        Dose.recorded_at,
        Dose.skip_reason,
        Dose.system_fault,
        Reminder.alerted_at,
        Medication.name,
        Dose.medication_id,
    )
    .join(Medication, Medication.id == Dose.medication_id)
    .outerjoin(
        Reminder,
        and_(Reminder.patient_id == Dose.patient_id, Reminder.due_at == Dose.due_at),
    )
    .where(
        Dose.patient_id.in_(bindparam("ids", expanding=True)),
        Dose.due_at >= bindparam("start"),
        Dose.due_at < bindparam("end"),
        Dose.state != CANCELLED,
    )
    .order_by(Dose.due_at, Dose.id)
)
When = InstrumentedAttribute[datetime]


class Wish(NamedTuple):
    """Which digests about a patient one helper wants, and of which medicines none."""

    grant_id: int
    account_id: int
    groups: frozenset[str]
    hidden: frozenset[int]


def oldest_digest(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a family waits to be told; None when none does."""
    day = select(func.min(DigestClock.day_at)).where(DigestClock.day_at <= now)
    week = select(func.min(DigestClock.week_at)).where(DigestClock.week_at <= now)
    newest = func.coalesce(
        select(func.max(DigestClock.patient_id)).scalar_subquery(), 0
    )
    fresh = select(Patient.created_at).where(Patient.id > newest).order_by(Patient.id)
    found = session.execute(
        select(*(one.scalar_subquery() for one in (day, week, fresh.limit(1))))
    ).one()
    return min((at for at in found if at), default=None)


def patients_without_clock(
    session: Session, *, limit: int
) -> Sequence[tuple[int, str]]:
    """Return (id, zone) of patients of whom nobody was to be told yet."""
    rows = session.execute(
        select(Patient.id, Patient.zone)
        .outerjoin(DigestClock, DigestClock.patient_id == Patient.id)
        .where(DigestClock.patient_id.is_(None))
        .order_by(Patient.id)
        .limit(limit)
    )
    return [(row.id, row.zone) for row in rows]


def patients_due(
    session: Session, at: When, *, now: datetime, limit: int
) -> Sequence[int]:
    """Return whose day, or whose week, is to be told now, the oldest first."""
    return session.scalars(
        select(DigestClock.patient_id).where(at <= now).order_by(at).limit(limit)
    ).all()


def wishes_of_helpers(
    session: Session, patient_ids: Collection[int], groups: Collection[str]
) -> Mapping[int, Sequence[Wish]]:
    """Return who helps these patients and wants any of these groups, by patient."""
    rows = session.execute(
        select(Grant.patient_id, Grant.id, Grant.account_id, Grant.wants, HIDDEN)
        .where(
            Grant.patient_id.in_(patient_ids),
            Grant.status == ACCEPTED,
            Grant.role != SELF,
        )
        .order_by(Grant.id)
    )
    found: dict[int, list[Wish]] = {}
    for patient_id, grant_id, account_id, wants, hidden in rows:
        chosen = frozenset(wants or ()) & frozenset(groups)
        if chosen:
            wish = Wish(grant_id, account_id, chosen, read_hidden(hidden))
            found.setdefault(patient_id, []).append(wish)
    return found


def digests_wanted(
    session: Session, delivery_ids: Collection[int], *, group: str, now: datetime
) -> set[int]:
    """Return of these messages those whose helper may still be told, and wants it.

    A patient always is.
    """
    del now
    rows = session.execute(
        select(Delivery.id, Delivery.subject_id, Grant.wants)
        .outerjoin(
            Grant, and_(Grant.id == Delivery.subject_id, Grant.status == ACCEPTED)
        )
        .where(Delivery.id.in_(delivery_ids))
    )
    return {
        row.id for row in rows if row.subject_id is None or group in (row.wants or ())
    }


def evening_doses(
    session: Session, patient_ids: Collection[int], *, since: datetime, until: datetime
) -> Mapping[int, list[DayDose]]:
    """Return the standing doses of which something may be said, by patient.

    They were due from days before `since` on, and up to a day past `until`.
    """
    values = {
        "ids": patient_ids,
        "start": since - REACHES_BACK,
        "end": until + timedelta(days=1),
    }
    rows = session.execute(_EVENING, values)
    found: dict[int, list[DayDose]] = {one: [] for one in patient_ids}
    for row in rows:
        found[row.patient_id].append(
            DayDose(
                due_at=row.due_at,
                nominal_date=row.nominal_date,
                clock=time.fromisoformat(row.local_label),
                state=row.state,
                missed_at=row.missed_at,
                recorded_at=row.recorded_at,
                skip_reason=row.skip_reason,
                is_our_fault=row.system_fault,
                is_alerted=row.alerted_at is not None,
                name=row.name,
                medication_id=row.medication_id,
            )
        )
    return found


def health_of(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> Mapping[int, Health]:
    """Return whether the reminders of these patients work, by patient."""
    closed_at, is_open = session.execute(
        select(
            func.max(Incident.closed_at),
            func.count().filter(Incident.closed_at.is_(None)),
        ).where(Incident.kind != "storm")
    ).one()
    lost = set(
        session.scalars(
            select(Unreachable.patient_id).where(
                Unreachable.patient_id.in_(patient_ids)
            )
        )
    )
    began = _began(session, patient_ids)
    failed = _failed(session, patient_ids, now=now)
    return {
        one: Health(
            since=max((at for at in (*began[one], closed_at) if at), default=None)
            if one in began and began[one][0]
            else None,
            is_disturbed=bool(is_open),
            is_unreachable=one in lost,
            has_failed=one in failed,
        )
        for one in patient_ids
    }


def _began(
    session: Session, patient_ids: Collection[int]
) -> dict[int, tuple[datetime | None, datetime | None]]:
    """Return when a reminder first arrived, and when one last did not, by patient."""
    rows = session.execute(
        select(
            Delivery.patient_id,
            func.min(Delivery.accepted_at),
            func.max(Delivery.created_at).filter(Delivery.state.in_(LOST)),
        )
        .where(Delivery.patient_id.in_(patient_ids), Delivery.kind == DOSE_DUE)
        .group_by(Delivery.patient_id)
    )
    return {patient_id or 0: (first, last) for patient_id, first, last in rows}


def _failed(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> set[int]:
    """Return whose last reminder reached them by no channel."""
    rows = session.execute(
        select(Delivery.patient_id, Delivery.subject_id, Delivery.state)
        .where(
            Delivery.patient_id.in_(patient_ids),
            Delivery.kind == DOSE_DUE,
            Delivery.created_at > now - LATELY,
        )
        .order_by(Delivery.created_at, Delivery.id)
    )
    last: dict[int, int | None] = {}
    states: dict[tuple[int, int | None], set[str]] = defaultdict(set)
    for patient_id, subject_id, state in rows:
        last[patient_id or 0] = subject_id
        states[patient_id or 0, subject_id].add(state)
    return {one for one, subject in last.items() if states[one, subject] <= LOST}
