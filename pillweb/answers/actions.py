"""An answer to a reminder is recorded, whichever way it came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.answers.queries import doses_told, said_last
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
    times_words,
)
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.visits import note_answer
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import DOSES, chosen_points
from pillweb.doses.actions.marking import (
    mark_told,
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
from pillweb.patients.queries import zone_at
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
    """Record what a patient answered of everything that a message told them of.

    `delivery_id` is that message, and is noted as answered; where it is not known, the
    answer is about what is due at the reminder's moment. Said again by any way it
    changes nothing, and tells who was first and when. A late "taken" of somebody who
    was not warned is not recorded.
    """
    note_answer(session, reminder.patient_id)
    outcome = _outcome(
        session,
        reminder,
        delivery_id,
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
    delivery_id: int | None,
    *,
    verb: str,
    told: dict[str, Any],
    reason: str,
    is_warned: bool,
) -> Outcome:
    now = told["now"]
    doses = doses_told(session, reminder, delivery_id)
    left = [dose for dose in doses if dose.state == OPEN]
    at = _moments(left or doses) or [reminder.due_at]
    if verb == UNDO:
        undone = undo_marks(session, [dose.id for dose in doses], **told)
        return Outcome(UNDONE if undone else NOTHING, at)
    if not left:
        return _already(session, doses, at)
    if verb == LATER:
        return _put_off(session, reminder.patient_id, left, now=now)
    if verb == SKIP:
        skippable = [dose for dose in left if may_skip(dose, now=now)]
        for dose in skippable:
            skip_dose(session, dose.id, reason=reason, **told)
        return Outcome(SKIPPED_NOW if skippable else NOTHING, at, now)
    if not is_warned and is_late(left, now=now):
        return Outcome(LATE, at)
    place = zone(zone_at(session, reminder.patient_id, at=now))
    marked = mark_told(session, left, today=local(now, place).date(), **told)
    if not marked:
        doses = doses_told(session, reminder, delivery_id)
    return Outcome(DONE, at, now) if marked else _already(session, doses, at)


def _moments(doses: Sequence[DoseFacts]) -> list[datetime]:
    return [*dict.fromkeys(dose.due_at for dose in doses)]


def _already(
    session: Session, doses: Sequence[DoseFacts], at: Sequence[datetime]
) -> Outcome:
    times = [d.recorded_at for d in doses if d.state in RECORDED and d.recorded_at]
    if not times:
        return Outcome(NOTHING, at)
    said = said_last(session, [dose.id for dose in doses])
    return Outcome(ALREADY, at, max(times), said=said)


def _put_off(
    session: Session, patient_id: int, left: Sequence[DoseFacts], *, now: datetime
) -> Outcome:
    moments = [doses_due_at(session, patient_id, at) for at in _moments(left)]
    may_wait = {d.id for doses in moments for d in waiting(doses, now=now)}
    doses = [dose for dose in left if dose.id in may_wait]
    until = told_again_at(doses, TEN_MINUTES, now=now)
    if until is None:
        return Outcome(CANNOT_WAIT, _moments(left))
    dose_ids = [dose.id for dose in doses]
    put_off_doses(session, dose_ids, patient_id=patient_id, until=until)
    hold_reminders(session, patient_id, _moments(doses), until=until)
    return Outcome(PUT_OFF, _moments(doses), until=until)


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
    moments: Sequence[datetime],
    *,
    token: str,
    now: datetime,
) -> None:
    """Ask somebody who answered late, without seeing the page, to open it; once.

    `moments` are those of what they answered. It goes where the answer came from.
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
                "time_words": times_words(moments, place),
                "now_words": times_words([now], place),
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
