"""What happens to reminders: armed with the doses, fired into the outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, String, func, insert, literal, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import ask, insert_new_from, table_of
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.words import time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import DOSES, Person, chosen_points
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import CANCELLED, OPEN
from pillweb.medications.models import Medication
from pillweb.outbox.queries import was_accepted
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_in_force
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.reminders.rules import (
    LAST_LOOK,
    LINK_LIFE,
    TOO_LATE,
    UNTOLD,
    ladder_of,
    next_step_at,
    step_due,
    steps_until,
)

DOSE_DUE = "dose_due"
_KEEP_LINK = insert(table_of(ReminderLink))
# A ladder that was put off begins when it is wanted again.
_began_at = func.coalesce(Reminder.snoozed_until, Reminder.due_at)


def arm_reminders(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> None:
    """Give every moment its reminder at which something is due and not yet missed."""
    moments = (
        select(Dose.patient_id, Dose.due_at, Dose.due_at, literal("open", String(6)))
        .where(
            Dose.patient_id.in_(patient_ids), Dose.state == OPEN, Dose.missed_at > now
        )
        .distinct()
    )
    insert_new_from(
        session, Reminder, ["patient_id", "due_at", "next_at", "state"], moments
    )


def fire_reminders(session: Session, *, now: datetime, limit: int) -> int:
    """Post what is to be said now, and set when to speak next; return how many fired.

    A reminder about which nothing is open stays silent, and speaks again at its next
    step when what was recorded is taken back. What is over an hour late is never said
    as if it were due: its ladder ends.
    """
    rows = session.execute(
        select(Reminder, Patient, zone_in_force(Reminder.due_at))
        .join(Patient, Patient.id == Reminder.patient_id)
        .where(
            Reminder.state == "open",
            Reminder.next_at <= now,
            _began_at >= now - TOO_LATE,
        )
        .order_by(Reminder.next_at)
        .limit(limit)
        .with_for_update(of=Reminder, skip_locked=True)
    ).all()
    told = patients_to_tell(session, {patient.id for _, patient, _ in rows}, now=now)
    for reminder, patient, place in rows:
        with speaking(told[patient.id].speech):
            _fire(session, reminder, told[patient.id], place, now=now)
    return len(rows) + _end_ladders(session, now=now, limit=limit)


def _fire(
    session: Session, reminder: Reminder, person: Person, place: str, *, now: datetime
) -> None:
    doses = _standing(session, reminder)
    still_open = [dose for dose in doses if dose.state == OPEN]
    # Of what is recorded the ladder goes on in silence: it may be taken back.
    about = still_open or doses
    steps = ladder_of(dose.category for dose in about)
    began_at = reminder.due_at
    if reminder.snoozed_until is not None:
        began_at = reminder.snoozed_until
        window = min((dose.window_min for dose in about), default=0)
        last = reminder.due_at + timedelta(minutes=window)
        steps = steps_until(steps, began_at, last)
    step = step_due(began_at, steps, now=now)
    if step is not None and still_open:
        _speak(session, reminder, person, place, step=step, now=now)
    following = next_step_at(began_at, steps, now=now)
    reminder.next_at = following or began_at + TOO_LATE + LAST_LOOK


def hold_reminders(
    session: Session,
    patient_id: int,
    moments: Collection[datetime],
    *,
    until: datetime,
) -> None:
    """Say nothing of these moments until then; their ladders begin anew there."""
    session.execute(
        update(Reminder)
        .where(Reminder.patient_id == patient_id, Reminder.due_at.in_(moments))
        .values(state="open", snoozed_until=until, next_at=until),
        execution_options={"synchronize_session": False},
    )


def _standing(session: Session, reminder: Reminder) -> Sequence[Row[str, str, int]]:
    """Return class, state and window of everything due at a reminder's moment."""
    return session.execute(
        select(Medication.category, Dose.state, Dose.window_min)
        .join(Dose, Dose.medication_id == Medication.id)
        .where(
            Dose.patient_id == reminder.patient_id,
            Dose.due_at == reminder.due_at,
            Dose.state != CANCELLED,
        )
    ).all()


def _speak(
    session: Session,
    reminder: Reminder,
    person: Person,
    place: str,
    *,
    step: int,
    now: datetime,
) -> None:
    at = local(reminder.due_at, zone(place))
    began_at = reminder.snoozed_until or reminder.due_at
    again = f"{began_at:%H%M%S}:" if reminder.snoozed_until else ""
    for point in chosen_points(person, DOSES):
        token = new_token()
        delivery_id = post_message(
            session,
            person,
            point,
            kind=DOSE_DUE,
            about=f"{reminder.id}:{again}{step}",
            context={
                "first_name": person.name,
                "time_words": time_words(at.time()),
                "link": link(f"/t/{token}"),
            },
            now=now,
            due_at=began_at,
            expires_at=began_at + TOO_LATE,
            subject_id=reminder.id,
        )
        if delivery_id is not None:
            _keep_link(session, reminder, token, now=now)
    reminder.last_fired_at = now


def _end_ladders(session: Session, *, now: datetime, limit: int) -> int:
    """End what is over an hour late; what was never said waits to be gathered.

    `watch.actions.late` tells of it. The patient's row is locked, so that two of us
    never end one ladder twice.
    """
    overdue = (
        Reminder.state == "open",
        Reminder.next_at <= now,
        _began_at < now - TOO_LATE,
    )
    patients = session.scalars(
        select(Patient)
        .where(Patient.id.in_(select(Reminder.patient_id).where(*overdue)))
        .order_by(Patient.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    done = 0
    for patient in patients:
        rows = session.scalars(
            select(Reminder)
            .where(Reminder.patient_id == patient.id, *overdue)
            .order_by(Reminder.due_at)
            .with_for_update()
        ).all()
        for row in rows:
            row.state = UNTOLD if _was_never_told(session, row) else "done"
            row.next_at = now
        done += len(rows)
    return done


def _was_never_told(session: Session, reminder: Reminder) -> bool:
    """Say whether something is still open of which no message left."""
    return any(dose.state == OPEN for dose in _standing(session, reminder)) and not (
        was_accepted(
            session,
            kind=DOSE_DUE,
            patient_id=reminder.patient_id,
            subject_id=reminder.id,
        )
    )


def _keep_link(
    session: Session, reminder: Reminder, token: str, *, now: datetime
) -> None:
    row = {
        "reminder_id": reminder.id,
        "patient_id": reminder.patient_id,
        "token_hash": token_hash(token),
        "created_at": now,
        "expires_at": reminder.due_at + LINK_LIFE,
    }
    ask(session, _KEEP_LINK, row)


def tell_of_new_clock(
    session: Session, patient_id: int, *, version: str, now: datetime
) -> bool:
    """Post once for a version of the zone data that the clocks changed."""
    person = patients_to_tell(session, [patient_id], now=now)[patient_id]
    posted = [
        post_message(
            session,
            person,
            point,
            kind="clock_changed",
            about=f"{patient_id}:{version}",
            context={
                "first_name": person.name,
                "link": link(f"/patients/{patient_id}/today"),
            },
            now=now,
        )
        for point in chosen_points(person, DOSES)
    ]
    return any(posted)
