"""What happens to reminders: armed with the doses, fired into the outbox."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import String, bindparam, insert, literal, select
from sqlalchemy.orm import Session

from pillweb.base.db import ask, insert_new_from, table_of
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.models import Dose
from pillweb.doses.rules import OPEN
from pillweb.medications.models import Medication
from pillweb.outbox.actions import post_delivery
from pillweb.patients.models import Patient
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.reminders.rules import (
    LINK_LIFE,
    TOO_LATE,
    is_too_late,
    ladder_of,
    next_step_at,
    step_due,
)

_OPEN_CATEGORIES = (
    select(Medication.category)
    .join(Dose, Dose.medication_id == Medication.id)
    .where(
        Dose.patient_id == bindparam("patient_id"),
        Dose.due_at == bindparam("due_at"),
        Dose.state == OPEN,
    )
)
_KEEP_LINK = insert(table_of(ReminderLink))


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

    A reminder about which nothing is open any more falls silent. What is over an
    hour late is gathered, one message a patient, that never says "take it now".
    """
    rows = session.execute(
        select(Reminder, Patient)
        .join(Patient, Patient.id == Reminder.patient_id)
        .where(Reminder.state == "open", Reminder.next_at <= now)
        .order_by(Reminder.next_at)
        .limit(limit)
        .with_for_update(of=Reminder, skip_locked=True)
    ).all()
    late: dict[int, list[Reminder]] = defaultdict(list)
    patients = {patient.id: patient for _, patient in rows}
    for reminder, patient in rows:
        categories = _open_categories(session, reminder)
        if not categories:
            reminder.state = "done"
        elif is_too_late(reminder.due_at, now=now):
            reminder.state = "done"
            if reminder.last_fired_at is None:
                late[patient.id].append(reminder)
                reminder.last_fired_at = now
        else:
            _fire(session, reminder, patient, categories=categories, now=now)
    for patient_id, missed in late.items():
        _post_late(session, patients[patient_id], missed, now=now)
    return len(rows)


def _open_categories(session: Session, reminder: Reminder) -> Sequence[str]:
    moment = {"patient_id": reminder.patient_id, "due_at": reminder.due_at}
    return ask(session, _OPEN_CATEGORIES, moment).scalars().all()


def _fire(
    session: Session,
    reminder: Reminder,
    patient: Patient,
    *,
    categories: Sequence[str],
    now: datetime,
) -> None:
    steps = ladder_of(categories)
    step = step_due(reminder.due_at, steps, now=now)
    following = next_step_at(reminder.due_at, steps, now=now)
    if step is not None:
        token = new_token()
        at = local(reminder.due_at, zone(patient.zone))
        posted = post_delivery(
            session,
            kind="dose_due",
            recipient=patient.reminder_email,
            dedupe_key=f"dose_due:{reminder.id}:{step}",
            context={
                "first_name": patient.name,
                "time_words": time_words(at.time()),
                "link": link(f"/t/{token}"),
            },
            now=now,
            expires_at=reminder.due_at + TOO_LATE,
            patient_id=patient.id,
            subject_id=reminder.id,
        )
        if posted:
            _keep_link(session, reminder, token, now=now)
        reminder.last_fired_at = now
    if following is None:
        reminder.state = "done"
    else:
        reminder.next_at = following


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


def _post_late(
    session: Session, patient: Patient, missed: Sequence[Reminder], *, now: datetime
) -> None:
    moments = [local(reminder.due_at, zone(patient.zone)) for reminder in missed]
    post_delivery(
        session,
        kind="dose_late",
        recipient=patient.reminder_email,
        dedupe_key=f"dose_late:{missed[0].id}",
        context={
            "first_name": patient.name,
            "times": [
                f"{time_words(at.time())} on {date_words(at.date())}" for at in moments
            ],
            "link": link(f"/patients/{patient.id}/today"),
        },
        now=now,
        patient_id=patient.id,
    )
