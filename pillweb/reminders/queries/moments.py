"""What is due, to be told: everything that firing asks of a batch of patients."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, case, func, select
from sqlalchemy.orm import Session, aliased

from pillweb.base.db import UTCDateTime, ask
from pillweb.base.zones import local, zone
from pillweb.contacts.rules import OPEN_PAGE
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import CANCELLED, HELD, OPEN, RECORDED
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_in_force
from pillweb.reminders.models import DeliveryDose, Reminder
from pillweb.reminders.queries.waiting import IS_OF_REMINDER
from pillweb.reminders.rules.course import (
    DOSE_ALERT,
    DOSE_DUE,
    DOSE_LATE,
    GATHERED,
    DueDose,
    Moment,
)
from pillweb.reminders.rules.ladder import read_ladder, usual_ladder
from pillweb.reminders.rules.lateness import told_until
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.hiding import HIDDEN, read_hidden
from pillweb.sharing.rules import ACCEPTED, SELF

# How far around a dose the others of its medicine are looked for.
A_WEEK = timedelta(days=8)

# What was told already: of which dose, whom, by which kind of message, at which step.
Told = tuple[int, str, str, int]

_other = aliased(Dose)
_of_same_medicine = and_(
    _other.patient_id == Dose.patient_id,
    _other.medication_id == Dose.medication_id,
    _other.state.not_in((CANCELLED, HELD)),
)
_before = (
    select(func.max(_other.due_at))
    .where(
        _of_same_medicine,
        _other.due_at < Dose.due_at,
        _other.due_at > bindparam("earliest", type_=UTCDateTime()),
    )
    .scalar_subquery()
)
_after = (
    select(func.min(_other.due_at))
    .where(
        _of_same_medicine,
        _other.due_at > Dose.due_at,
        _other.due_at < bindparam("latest", type_=UTCDateTime()),
    )
    .scalar_subquery()
)
_DOSES = (
    select(
        Dose.id,
        Reminder.id.label("reminder_id"),
        Dose.medication_id,
        Dose.due_at,
        Dose.state,
        Medication.category,
        Dose.window_min,
        Medication.ladder,
        _before.label("before"),
        _after.label("following"),
    )
    .join(Reminder, IS_OF_REMINDER)
    .join(Medication, Medication.id == Dose.medication_id)
    .where(
        Reminder.id.in_(bindparam("ids", expanding=True)),
        Dose.state.not_in((CANCELLED, HELD)),
    )
    .order_by(Dose.due_at, Dose.id)
)
_TOLD = select(
    DeliveryDose.dose_id, DeliveryDose.recipient, DeliveryDose.kind, DeliveryDose.step
).where(
    DeliveryDose.dose_id.in_(bindparam("ids", expanding=True)),
    DeliveryDose.kind.in_((DOSE_DUE, DOSE_LATE, DOSE_ALERT)),
)
_ACCEPTED = (
    select(DeliveryDose.dose_id, func.count(DeliveryDose.step.distinct()).label("n"))
    .join(Delivery, Delivery.id == DeliveryDose.delivery_id)
    .where(
        DeliveryDose.dose_id.in_(bindparam("ids", expanding=True)),
        DeliveryDose.kind == DOSE_DUE,
        # An open page may be closed: only what it showed was said.
        case(
            (Delivery.channel == OPEN_PAGE, Delivery.delivered_at),
            else_=Delivery.accepted_at,
        ).is_not(None),
        # Not what was lost after that.
        Delivery.state != "dead",
    )
    .group_by(DeliveryDose.dose_id)
)
_previous = aliased(Dose)
_same_day = and_(
    _other.patient_id == Dose.patient_id,
    _other.nominal_date == Dose.nominal_date,
    _other.due_at > bindparam("earliest", type_=UTCDateTime()),
    _other.due_at < bindparam("latest", type_=UTCDateTime()),
    _other.state.not_in((CANCELLED, HELD)),
)
_SILENCES = (
    select(
        Dose.id,
        Dose.due_at,
        _previous.id.label("before_id"),
        and_(_previous.state == OPEN, ~_previous.system_fault).label("is_silent"),
        select(func.count())
        .where(_same_day, _other.state.in_(RECORDED))
        .correlate(Dose)
        .scalar_subquery()
        .label("recorded"),
        select(func.max(_other.due_at))
        .where(_same_day)
        .correlate(Dose)
        .scalar_subquery()
        .label("last_at"),
    )
    .outerjoin(
        _previous,
        and_(
            _previous.patient_id == Dose.patient_id,
            _previous.medication_id == Dose.medication_id,
            _previous.state.not_in((CANCELLED, HELD)),
            _previous.due_at == _before,
        ),
    )
    .where(Dose.id.in_(bindparam("ids", expanding=True)))
)


class Silence(NamedTuple):
    """What a dose without a record makes together with others.

    `is_in_a_row` where the one of its medicine before it has none either, though the
    patient was reminded, and nobody was told of that; `is_whole_day` where it is the
    last of a day without any.
    """

    is_in_a_row: bool
    is_whole_day: bool


class Place(NamedTuple):
    """That an account helps a patient, and when it is told: 1 first, 2 after that.

    Of medicines that are hidden from it, it is told nothing.
    """

    account_id: int
    place: int
    hidden: frozenset[int] = frozenset()


def moments_of(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> list[Moment]:
    """Lock and return the reminders of these patients that speak now, or in a moment.

    Each with its doses; nobody changes one meanwhile.
    """
    rows: Sequence[Any] = session.execute(
        select(
            Reminder.id,
            Reminder.patient_id,
            Reminder.due_at,
            Reminder.next_at,
            Reminder.snoozed_until,
            Reminder.round,
            Reminder.acknowledged_at,
            zone_in_force(Reminder.due_at).label("zone"),
        )
        .join(Patient, Patient.id == Reminder.patient_id)
        .where(
            Reminder.patient_id.in_(patient_ids),
            Reminder.state == "open",
            Reminder.next_at <= now + GATHERED,
        )
        .order_by(Reminder.due_at, Reminder.id)
        .with_for_update(of=Reminder)
    ).all()
    doses = _doses_of(session, rows, now=now)
    return [
        Moment(
            id=row.id,
            patient_id=row.patient_id,
            due_at=row.due_at,
            next_at=row.next_at,
            began_at=row.snoozed_until or row.due_at,
            is_put_off=row.snoozed_until is not None,
            round=row.round,
            is_seen_to=row.acknowledged_at is not None,
            zone=row.zone,
            doses=tuple(doses.get(row.id, ())),
        )
        for row in rows
    ]


def _doses_of(
    session: Session, reminders: Sequence[Any], *, now: datetime
) -> dict[int, list[DueDose]]:
    """Return what is due at the moments of these reminders, by their ids."""
    known = {row.id: row for row in reminders}
    values = {"ids": list(known), "earliest": now - A_WEEK, "latest": now + A_WEEK}
    found: dict[int, list[DueDose]] = {}
    for row in ask(session, _DOSES, values):
        reminder = known[row.reminder_id]
        began_at = reminder.snoozed_until or reminder.due_at
        dose = _due_dose(row, began_at, reminder.zone)
        found.setdefault(row.reminder_id, []).append(dose)
    return found


def _due_dose(row: Row[*tuple[Any, ...]], began_at: datetime, place: str) -> DueDose:
    window = timedelta(minutes=row.window_min)
    gaps = [abs(at - row.due_at) for at in (row.before, row.following) if at]
    due = local(row.due_at, zone(place))
    own = read_ladder(row.ladder)
    ladder = own or usual_ladder(row.category, due, min(gaps, default=None))
    return DueDose(
        id=row.id,
        reminder_id=row.reminder_id,
        medication_id=row.medication_id,
        due_at=row.due_at,
        state=row.state,
        category=row.category,
        window=window,
        ladder=ladder,
        told_until=told_until(
            began_at,
            due_at=row.due_at,
            following_at=row.following,
            window=window,
            category=row.category,
        ),
        is_watched=own is None and all(rung.to == "patient" for rung in ladder),
    )


def told_of(session: Session, dose_ids: Collection[int]) -> set[Told]:
    """Return what was told of these doses already."""
    rows = ask(session, _TOLD, {"ids": list(dose_ids)})
    return {(row.dose_id, row.recipient, row.kind, row.step) for row in rows}


def times_reminded(session: Session, dose_ids: Collection[int]) -> Mapping[int, int]:
    """Return how often the patient was reminded of each: what a provider took.

    Of an open page it counts what was shown.
    """
    if not dose_ids:
        return {}
    rows = ask(session, _ACCEPTED, {"ids": list(dose_ids)})
    return {row.dose_id: row.n for row in rows}


def answered_among(session: Session, reminder_ids: Collection[int]) -> set[int]:
    """Return of these reminders those of which something was said, taken back or not.

    Where none was sent, that is why.
    """
    if not reminder_ids:
        return set()
    rows = session.scalars(
        select(Reminder.id)
        .join(Dose, IS_OF_REMINDER)
        .join(DoseEvent, DoseEvent.dose_id == Dose.id)
        .where(Reminder.id.in_(reminder_ids))
    )
    return set(rows)


def helper_places(
    session: Session, patient_ids: Collection[int]
) -> dict[int, list[Place]]:
    """Return by patient who is told when a dose has no record."""
    rows = session.execute(
        select(Grant.patient_id, Grant.account_id, Grant.ladder_place, HIDDEN)
        .where(
            Grant.patient_id.in_(patient_ids),
            Grant.status == ACCEPTED,
            Grant.role != SELF,
            Grant.ladder_place.is_not(None),
        )
        .order_by(Grant.id)
    )
    found: dict[int, list[Place]] = {}
    for patient_id, account_id, place, hidden in rows:
        one = Place(account_id, place or 0, read_hidden(hidden))
        found.setdefault(patient_id, []).append(one)
    return found


def names_of(session: Session, dose_ids: Collection[int]) -> dict[int, str]:
    """Return what these doses are of, by their ids."""
    if not dose_ids:
        return {}
    rows = session.execute(
        select(Dose.id, Medication.name, Medication.strength)
        .join(Medication, Medication.id == Dose.medication_id)
        .where(Dose.id.in_(dose_ids))
    )
    return {row.id: f"{row.name} {row.strength}".strip() for row in rows}


def silences_of(
    session: Session, dose_ids: Collection[int], *, now: datetime
) -> dict[int, Silence]:
    """Return how doses without a record stand among the others, by their ids."""
    values = {"ids": list(dose_ids), "earliest": now - A_WEEK, "latest": now + A_WEEK}
    rows = ask(session, _SILENCES, values).all()
    befores = [row.before_id for row in rows if row.before_id]
    alerted = {one[0] for one in told_of(session, befores) if one[2] == DOSE_ALERT}
    missed = times_reminded(session, befores).keys() - alerted
    return {
        row.id: Silence(
            is_in_a_row=bool(row.is_silent) and row.before_id in missed,
            is_whole_day=not row.recorded and row.due_at == row.last_at,
        )
        for row in rows
    }


def coming_doses(
    session: Session, medication_id: int, *, now: datetime
) -> Sequence[datetime]:
    """Return when the next two doses of a medicine are due, as far as planned."""
    return session.scalars(
        select(Dose.due_at)
        .join(Medication, Medication.id == Dose.medication_id)
        .where(
            Dose.patient_id == Medication.patient_id,
            Dose.medication_id == medication_id,
            Dose.due_at > now,
            Dose.state.not_in((CANCELLED, HELD)),
        )
        .order_by(Dose.due_at)
        .limit(2)
    ).all()
