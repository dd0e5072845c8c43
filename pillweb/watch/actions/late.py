"""What nobody was reminded of: told once, when it can be told, and marked as our fault.

It waits while reminders are late or its channel fails, so that an outage ends in one
message a person, however long it was and whatever had failed.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import DOSES, Person, Point, chosen_points, is_cut_off
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient, Unreachable
from pillweb.reminders.actions.posting import Draft, post_drafts
from pillweb.reminders.models import Reminder
from pillweb.reminders.rules.course import DOSE_DUE, DOSE_LATE
from pillweb.reminders.rules.lateness import TOO_LATE, UNTOLD
from pillweb.watch.actions.late_helpers import Loss, loss_drafts, times_of
from pillweb.watch.queries import open_troubles, was_in_trouble
from pillweb.watch.rules.alarm import HOLDING, failing_channels

LOOK_AGAIN = timedelta(seconds=30)
# A reminder that was said this long ago, and that nobody took over, is being tried.
TRIED = timedelta(minutes=1)


def tell_what_was_late(
    session: Session,
    *,
    now: datetime,
    limit: int,
    besides: Collection[int] = (),
    only: int | None = None,
) -> int:
    """Tell each patient, and their helpers, what was never said; return of how many.

    Who cannot be told now is looked at again in half a minute. `besides` are patients
    whom it is known to fail for; where `only` names one, nobody else is looked at.
    """
    patients = session.scalars(
        select(Patient)
        .where(
            Patient.id.in_(
                select(Reminder.patient_id).where(
                    Reminder.state == UNTOLD, Reminder.next_at <= now
                )
            ),
            Patient.id.not_in(besides) if only is None else Patient.id == only,
        )
        .order_by(Patient.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    troubles = open_troubles(session)
    people = patients_to_tell(session, [one.id for one in patients], now=now)
    drafts = [
        draft
        for patient in patients
        for draft in _tell(session, patient, people[patient.id], troubles, now=now)
    ]
    post_drafts(session, drafts, now=now)
    return len(patients)


def _tell(
    session: Session,
    patient: Patient,
    person: Person,
    troubles: Collection[tuple[str, str]],
    *,
    now: datetime,
) -> list[Draft]:
    """Tell a patient, if now is the time; return what their helpers are to be told."""
    points = chosen_points(person, DOSES)
    late = _late_of(session, patient.id)
    # Who never had an address is reminded of nothing; who lost all theirs should be.
    is_missed = points or session.get(Unreachable, patient.id) is not None
    doses = {one.id: _mark_fault(session, one) for one in late if is_missed}
    untold = [one for one in late if doses.get(one.id)]
    failing = failing_channels(troubles)
    if untold and any(kind in HOLDING for kind, _about in troubles):
        _look_again(late, now=now)
        return []
    waits = bool(points) and (
        is_cut_off(points, failing) or _is_being_tried(session, patient.id, now=now)
    )
    lost = [Loss(one, doses[one.id]) for one in untold]
    drafts = loss_drafts(session, patient, lost, failing if waits else (), now=now)
    if untold and waits:
        _look_again(late, now=now)
        return drafts
    for one in late:
        one.state = "done"
        one.last_fired_at = now
    if untold:
        _tell_patient(session, person, patient.id, untold, points, now=now)
    return drafts


def _look_again(late: Sequence[Reminder], *, now: datetime) -> None:
    for one in late:
        one.next_at = now + LOOK_AGAIN


def _late_of(session: Session, patient_id: int) -> Sequence[Reminder]:
    return session.scalars(
        select(Reminder)
        .where(Reminder.patient_id == patient_id, Reminder.state == UNTOLD)
        .order_by(Reminder.due_at)
        .with_for_update()
    ).all()


def _mark_fault(session: Session, reminder: Reminder) -> Sequence[Dose]:
    """Note on what is still open that we failed; return what is."""
    doses = session.scalars(
        select(Dose).where(
            Dose.patient_id == reminder.patient_id,
            Dose.due_at == reminder.due_at,
            Dose.state == OPEN,
        )
    ).all()
    end = reminder.due_at + TOO_LATE
    if doses and was_in_trouble(session, start=reminder.due_at, end=end):
        for dose in doses:
            dose.system_fault = True
    return doses


def _is_being_tried(session: Session, patient_id: int, *, now: datetime) -> bool:
    """Say whether a reminder of theirs is on its way, which may yet be late, too."""
    accepted = (
        select(Delivery.id)
        .where(
            Delivery.patient_id == Reminder.patient_id,
            Delivery.kind == DOSE_DUE,
            Delivery.subject_id == Reminder.id,
            Delivery.accepted_at.is_not(None),
        )
        .exists()
    )
    unrecorded = (
        select(Dose.id)
        .where(
            Dose.patient_id == Reminder.patient_id,
            Dose.due_at == Reminder.due_at,
            Dose.state == OPEN,
        )
        .exists()
    )
    found = session.scalar(
        select(Reminder.id)
        .where(
            Reminder.patient_id == patient_id,
            Reminder.state == "open",
            func.coalesce(Reminder.snoozed_until, Reminder.due_at) < now - TRIED,
            Reminder.last_fired_at.is_not(None),
            unrecorded,
            ~accepted,
        )
        .limit(1)
    )
    return found is not None


def _tell_patient(
    session: Session,
    person: Person,
    patient_id: int,
    missed: Sequence[Reminder],
    points: Sequence[Point],
    *,
    now: datetime,
) -> None:
    with speaking(person.speech):
        times = times_of(session, missed)
    for point in points:
        post_message(
            session,
            person,
            point,
            kind=DOSE_LATE,
            about=str(missed[-1].id),
            context={
                "first_name": person.name,
                "times": _taken_over(session, point.id, now=now) + times,
                "link": link(f"/patients/{patient_id}/today"),
            },
            now=now,
        )


def _taken_over(session: Session, contact_id: int, *, now: datetime) -> list[str]:
    """Take back a late message that did not leave yet; return the times it told."""
    rows = session.scalars(
        select(Delivery)
        .where(
            Delivery.contact_id == contact_id,
            Delivery.created_at > now - timedelta(days=3),
            Delivery.kind == DOSE_LATE,
            Delivery.state == "pending",
        )
        .order_by(Delivery.id)
        .with_for_update()
    ).all()
    times: list[str] = []
    for row in rows:
        times += json.loads(row.context or "{}").get("times", [])
        row.state, row.context = "superseded", None
    return times
