"""An answer to a reminder is recorded, whichever way it came."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.answers.queries import said_last
from pillweb.answers.rules import (
    ALREADY,
    CANNOT_WAIT,
    DONE,
    LATE,
    LATER,
    NOTHING,
    PUT_OFF,
    SKIP,
    SKIPPED_NOW,
    TEN_MINUTES,
    UNDO,
    UNDONE,
    Outcome,
    is_late,
)
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.words import time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import DOSES, chosen_points
from pillweb.doses.actions.marking import (
    mark_taken,
    put_off_doses,
    skip_dose,
    undo_marks,
)
from pillweb.doses.queries.days import doses_due_at
from pillweb.doses.rules.days import (
    OPEN,
    RECORDED,
    DoseFacts,
    may_skip,
    told_again_at,
    waiting,
)
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.arming import hold_reminders
from pillweb.reminders.models import Reminder, ReminderLink

ANSWER_LATE = "answer_late"


def answer_reminder(
    session: Session,
    reminder: Reminder,
    *,
    verb: str,
    channel: str,
    now: datetime,
    reason: str = "",
    delivery_id: int | None = None,
    is_warned: bool = True,
) -> Outcome:
    """Record what a patient answered of everything due at a reminder's moment.

    Said again by any way it changes nothing, and tells who was first and when. A late
    "taken" of somebody who was not warned is not recorded. The message that was
    answered, where it is known, is noted as answered.
    """
    doses = doses_due_at(session, reminder.patient_id, reminder.due_at)
    outcome = _outcome(
        session,
        reminder,
        doses,
        verb=verb,
        told={
            "patient_id": reminder.patient_id,
            "account_id": None,
            "channel": channel,
            "now": now,
        },
        reason=reason,
        is_warned=is_warned,
    )
    if delivery_id is not None and outcome.kind != LATE:
        note_delivery(session, delivery_id, answered_at=now)
    return outcome


def _outcome(
    session: Session,
    reminder: Reminder,
    doses: list[DoseFacts],
    *,
    verb: str,
    told: dict[str, Any],
    reason: str,
    is_warned: bool,
) -> Outcome:
    at, now = reminder.due_at, told["now"]
    left = [dose for dose in doses if dose.state == OPEN]
    if verb == UNDO:
        undone = undo_marks(session, [dose.id for dose in doses], **told)
        return Outcome(UNDONE if undone else NOTHING, at)
    if not left:
        return _already(session, reminder)
    if verb == LATER:
        return _put_off(session, reminder, doses, now=now)
    if verb == SKIP:
        skippable = [dose for dose in left if may_skip(dose, now=now)]
        for dose in skippable:
            skip_dose(session, dose.id, reason=reason, **told)
        return Outcome(SKIPPED_NOW if skippable else NOTHING, at, now)
    if not is_warned and is_late(left, at, now=now):
        return Outcome(LATE, at)
    marked = mark_taken(session, [dose.id for dose in left], **told)
    return Outcome(DONE, at, now) if marked else _already(session, reminder)


def _already(session: Session, reminder: Reminder) -> Outcome:
    doses = doses_due_at(session, reminder.patient_id, reminder.due_at)
    times = [d.recorded_at for d in doses if d.state in RECORDED and d.recorded_at]
    if not times:
        return Outcome(NOTHING, reminder.due_at)
    said = said_last(session, [dose.id for dose in doses])
    return Outcome(ALREADY, reminder.due_at, max(times), said=said)


def _put_off(
    session: Session, reminder: Reminder, doses: list[DoseFacts], *, now: datetime
) -> Outcome:
    left = waiting(doses, now=now)
    until = told_again_at(left, TEN_MINUTES, now=now)
    if until is None:
        return Outcome(CANNOT_WAIT, reminder.due_at)
    whose = reminder.patient_id
    put_off_doses(session, [dose.id for dose in left], patient_id=whose, until=until)
    hold_reminders(session, whose, [reminder.due_at], until=until)
    return Outcome(PUT_OFF, reminder.due_at, until=until)


def note_delivery(session: Session, delivery_id: int, **times: datetime) -> None:
    """Note when a message was delivered, opened or answered; the first time stands."""
    for name, at in times.items():
        column = getattr(Delivery, name)
        session.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id, column.is_(None))
            .values({name: at}),
            execution_options={"synchronize_session": False},
        )


def doubt_link(link_row: ReminderLink, *, now: datetime) -> None:
    """Note that what pressed may have been a machine; the reminder goes on."""
    link_row.doubted_at = now


def ask_to_open(
    session: Session,
    link_row: ReminderLink,
    reminder: Reminder,
    *,
    token: str,
    now: datetime,
) -> None:
    """Ask somebody who answered late, without seeing the page, to open it; once.

    It goes where the answer came from.
    """
    whose = reminder.patient_id
    person = patients_to_tell(session, [whose], now=now)[whose]
    told = session.get(Delivery, link_row.delivery_id) if link_row.delivery_id else None
    same = [p for p in person.points if told is not None and p.id == told.contact_id]
    place = zone(person.zone)
    for point in same or chosen_points(person, DOSES):
        with speaking(person.speech):
            context = {
                "first_name": person.name,
                "time_words": time_words(local(reminder.due_at, place).time()),
                "now_words": time_words(local(now, place).time()),
                "link": link(f"/t/{token}"),
            }
        post_message(
            session,
            person,
            point,
            kind=ANSWER_LATE,
            about=str(link_row.id),
            context=context,
            now=now,
            expires_at=link_row.expires_at,
            subject_id=reminder.id,
        )
