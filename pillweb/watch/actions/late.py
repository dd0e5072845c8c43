"""What nobody was reminded of: told once, when it can be told, and marked as our fault.

It waits while reminders are late or its channel fails, so that an outage ends in one
message a person, however long it was and whatever had failed.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import ALERTS, DOSES, Person, Point, chosen_points
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at
from pillweb.reminders.models import Reminder
from pillweb.reminders.rules.course import DOSE_DUE
from pillweb.reminders.rules.lateness import TOO_LATE, UNTOLD
from pillweb.sharing.queries import told_of_doses
from pillweb.watch.queries import open_troubles, was_in_trouble
from pillweb.watch.rules.alarm import HOLDING, failing_channels

DOSE_LATE, COULD_NOT_REMIND = "dose_late", "could_not_remind"
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
    for patient in patients:
        _tell(session, patient, people[patient.id], troubles, now=now)
    return len(patients)


def _tell(
    session: Session,
    patient: Patient,
    person: Person,
    troubles: Collection[tuple[str, str]],
    *,
    now: datetime,
) -> None:
    points = chosen_points(person, DOSES)
    late = _late_of(session, patient.id)
    untold = [one for one in late if _mark_fault(session, one)] if points else []
    failing = failing_channels(troubles)
    if untold and any(kind in HOLDING for kind, _about in troubles):
        _look_again(late, now=now)
        return
    waits = {point.channel for point in points} <= failing
    waits = waits or _is_being_tried(session, patient.id, now=now)
    if untold:
        _tell_helpers(session, patient, untold, failing if waits else (), now=now)
    if untold and waits:
        _look_again(late, now=now)
        return
    for one in late:
        one.state = "done"
        one.last_fired_at = now
    if untold:
        _tell_patient(session, person, patient.id, untold, points, now=now)


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


def _mark_fault(session: Session, reminder: Reminder) -> bool:
    """Note on what is still open that we failed; say whether anything is open."""
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
    return bool(doses)


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


def _times(session: Session, missed: Sequence[Reminder]) -> list[str]:
    """Return when each was due, in words, by the clock the patient lived by then."""
    moments = [
        local(one.due_at, zone(zone_at(session, one.patient_id, at=one.due_at)))
        for one in missed
    ]
    return [
        _(
            "%(time)s on %(date)s",
            time=time_words(at.time()),
            date=date_words(at.date()),
        )
        for at in moments
    ]


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
        times = _times(session, missed)
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


def _tell_helpers(
    session: Session,
    patient: Patient,
    missed: Sequence[Reminder],
    failing: Collection[str],
    *,
    now: datetime,
) -> None:
    """Say to who helps what we could not remind of; nothing of it was "missed".

    While no channel of theirs works they wait, as the patient does.
    """
    news = [one for one in missed if one.alerted_at is None]
    ids = told_of_doses(session, patient.id) if news else []
    people = helpers_to_tell(session, patient.id, ids, now=now) if ids else {}
    reached = [
        (person, point)
        for person in people.values()
        for point in chosen_points(person, ALERTS)
    ]
    if all(point.channel in failing for _person, point in reached):
        return
    for person, point in reached:
        with speaking(person.speech):
            times = _times(session, news)
        post_message(
            session,
            person,
            point,
            kind=COULD_NOT_REMIND,
            about=str(news[-1].id),
            context={
                "first_name": person.name,
                "patient_name": patient.name,
                "times": times,
                "link": link(f"/patients/{patient.id}/today"),
            },
            now=now,
            patient_id=patient.id,
            subject_id=news[-1].id,
        )
    for one in news:
        one.alerted_at = now
