"""What a device kept is recorded: once, at the time it was pressed."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.base.errors import NotFoundError
from pillweb.base.retention import REPLAYS, kept_for
from pillweb.base.zones import local, zone
from pillweb.channels.live import LiveNote
from pillweb.contacts.actions.arriving import note_seen
from pillweb.contacts.models import ContactPoint
from pillweb.doses.actions.marking import (
    mark_taken,
    put_off_doses,
    skip_dose,
    undo_marks,
)
from pillweb.doses.queries.days import doses_due_at
from pillweb.doses.rules.days import told_again_at, waiting
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at
from pillweb.reminders.actions.arming import hold_reminders
from pillweb.sync.models import Replay
from pillweb.sync.queries import replay_by_key, said_of
from pillweb.sync.rules import (
    ALREADY,
    LATER,
    RECORDED,
    TAKE,
    UNDO,
    Presser,
    pressed_at,
    resolve,
)

CHANNEL = "offline"


class Answer(NamedTuple):
    """A press as the device tells it: which, of what, and how long ago."""

    key: str
    dose_id: int
    deed: str
    ago: timedelta
    reason: str = ""
    note: str = ""
    later_by: timedelta = timedelta()


def replay_answer(
    session: Session,
    answer: Answer,
    *,
    patient_id: int,
    presser: Presser,
    now: datetime,
) -> Replay:
    """Record a kept answer as of its press, and return what became of it.

    Answers for one patient take turns; one that was sent before changes nothing and
    gets the same answer.

    Raises:
        NotFoundError: the patient has no such dose.
    """
    _take_turns(session, patient_id)
    earlier = replay_by_key(session, presser, answer.key)
    if earlier is not None:
        return earlier
    said = said_of(session, patient_id, answer.dose_id)
    if said is None:
        raise NotFoundError
    pressed = pressed_at(answer.ago, received_at=now)
    until = _until(session, patient_id, answer, said.due_at, pressed)
    outcome = resolve(
        answer.deed,
        said,
        pressed_at=local(pressed, zone(zone_at(session, patient_id, at=pressed))),
        received_at=now,
        account_id=presser.account_id,
        later_until=until,
    )
    replay = Replay(
        account_id=presser.account_id,
        device_id=presser.device_id,
        key=answer.key,
        patient_id=patient_id,
        dose_id=answer.dose_id,
        deed=answer.deed,
        pressed_at=pressed,
        received_at=now,
        outcome=outcome,
    )
    if until is not None and outcome == RECORDED:
        put_off_doses(session, [answer.dose_id], patient_id=patient_id, until=until)
        hold_reminders(session, patient_id, [said.due_at], until=until)
    elif outcome == RECORDED and not _record(session, answer, replay, now=now):
        replay.outcome = ALREADY
    session.add(replay)
    session.flush()
    return replay


def _take_turns(session: Session, patient_id: int) -> None:
    session.execute(
        select(Patient.id)
        .where(Patient.id == patient_id)
        .with_for_update(key_share=True)
    )


def _until(
    session: Session,
    patient_id: int,
    answer: Answer,
    due_at: datetime,
    pressed: datetime,
) -> datetime | None:
    """Return when to speak again, where that was wanted and all that is due can wait.

    They share one reminder: putting off one would silence it for the others.
    """
    if answer.deed != LATER:
        return None
    found = waiting(doses_due_at(session, patient_id, due_at), now=pressed)
    return told_again_at(found, answer.later_by, now=pressed)


def _record(session: Session, answer: Answer, replay: Replay, *, now: datetime) -> bool:
    """Do what was pressed; say whether the dose still let us."""
    told: dict[str, Any] = {
        "patient_id": replay.patient_id,
        "account_id": replay.account_id,
        "channel": CHANNEL,
        "now": now,
        "said_at": replay.pressed_at,
    }
    if answer.deed == TAKE:
        return bool(mark_taken(session, [answer.dose_id], **told))
    if answer.deed == UNDO:
        return bool(undo_marks(session, [answer.dose_id], **told))
    told |= {"reason": answer.reason, "note": answer.note}
    return skip_dose(session, answer.dose_id, **told)


def note_shown(session: Session, device: bytes, note_id: int, *, now: datetime) -> None:
    """Note that an open page said something: its message is delivered; once.

    A page that seemed closed for good works again.

    Raises:
        NotFoundError: that page has no such note.
    """
    note = session.get(LiveNote, note_id, with_for_update=True)
    if note is None or note.device_index != device:
        raise NotFoundError
    note.shown_at = note.shown_at or now
    session.execute(
        update(Delivery)
        .where(Delivery.id == note.delivery_id, Delivery.delivered_at.is_(None))
        .values(delivered_at=now),
        execution_options={"synchronize_session": False},
    )
    contact = session.scalar(
        select(ContactPoint)
        .join(Delivery, Delivery.contact_id == ContactPoint.id)
        .where(Delivery.id == note.delivery_id)
    )
    if contact is not None:
        note_seen(session, contact, now=now)


def forget_replays(session: Session, *, now: datetime, limit: int) -> int:
    """Delete up to `limit` answers that no device asks for again; return how many."""
    old = session.scalars(
        select(Replay.id)
        .where(Replay.received_at <= now - kept_for(REPLAYS))
        .order_by(Replay.id)
        .limit(limit)
    ).all()
    session.execute(
        delete(Replay).where(Replay.id.in_(old)),
        execution_options={"synchronize_session": False},
    )
    return len(old)
