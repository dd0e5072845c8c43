"""What is due is said: to the patient, then to who helps, until somebody answers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import UTCDateTime, ask, table_of
from pillweb.contacts.queries import patients_to_tell
from pillweb.patients.models import Patient
from pillweb.reminders.actions.alerting import helper_drafts
from pillweb.reminders.actions.posting import post_drafts
from pillweb.reminders.actions.speaking import is_untold, patient_drafts
from pillweb.reminders.actions.turn import Turn
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.moments import (
    answered_among,
    helper_places,
    moments_of,
    names_of,
    times_reminded,
    told_of,
)
from pillweb.reminders.rules.course import DOSE_DUE, Moment, next_look_at
from pillweb.reminders.rules.lateness import UNTOLD

_REMINDER = table_of(Reminder).c
_at = UTCDateTime()
_GO_ON = (
    update(table_of(Reminder))
    .where(_REMINDER.id == bindparam("which"))
    .values(
        next_at=func.coalesce(bindparam("then", type_=_at), _REMINDER.next_at),
        state=bindparam("left"),
        last_fired_at=func.coalesce(
            bindparam("spoken", type_=_at), _REMINDER.last_fired_at
        ),
        alerted_at=func.coalesce(_REMINDER.alerted_at, bindparam("alerted", type_=_at)),
    )
)


def fire_reminders(
    session: Session,
    *,
    now: datetime,
    limit: int,
    besides: Collection[int] = (),
    only: int | None = None,
) -> int:
    """Post what is to be said now to up to `limit` patients and who helps them.

    Each gets one message for everything due together, and hears of a dose once at each
    step of its ladder, whoever fires it and however often. Of what is recorded nothing
    is said. Returns how many reminders were looked at; each is looked at again when
    there may be more to say, and is done when there is not. `besides` are
    patients whom it is known to fail for; where `only` names a patient, nobody else.
    """
    which = Patient.id.not_in(besides) if only is None else Patient.id == only
    patient_ids = _take_patients(session, which, now=now, limit=limit)
    moments = moments_of(session, patient_ids, now=now) if patient_ids else []
    due = [moment for moment in moments if moment.next_at <= now]
    if not due:
        return 0
    turn = _turn(session, patient_ids, due, moments, now=now)
    by_patient: dict[int, list[Moment]] = {}
    for moment in moments:
        by_patient.setdefault(moment.patient_id, []).append(moment)
    drafts = []
    for patient_id, mine in by_patient.items():
        drafts += patient_drafts(turn, patient_id, mine)
        drafts += helper_drafts(session, turn, patient_id, mine)
    post_drafts(session, drafts, now=now)
    _go_on(session, turn, moments)
    return len(due)


def _take_patients(
    session: Session, which: ColumnElement[bool], *, now: datetime, limit: int
) -> list[int]:
    """Lock the patients of whom something is due the longest; pass over taken ones."""
    rows = session.scalars(
        select(Patient.id)
        .join(Reminder, Reminder.patient_id == Patient.id)
        .where(Reminder.state == "open", Reminder.next_at <= now, which)
        .order_by(Reminder.next_at)
        .limit(limit)
        .with_for_update(of=Patient, skip_locked=True, key_share=True)
    )
    return [*dict.fromkeys(rows)]


def _turn(
    session: Session,
    patient_ids: Collection[int],
    due: Sequence[Moment],
    moments: Sequence[Moment],
    *,
    now: datetime,
) -> Turn:
    told = told_of(session, [dose.id for moment in moments for dose in moment.doses])
    reminded = {dose_id for dose_id, _, kind, _ in told if kind == DOSE_DUE}
    people = patients_to_tell(session, patient_ids, now=now)
    named = [
        dose.id
        for moment in moments
        if people[moment.patient_id].wishes.shows_names
        for dose in moment.doses
    ]
    return Turn(
        now=now,
        people=people,
        helpers=helper_places(session, patient_ids),
        told=told,
        reminded=times_reminded(session, reminded),
        due={moment.id for moment in due},
        names=names_of(session, named),
    )


def _go_on(session: Session, turn: Turn, moments: Sequence[Moment]) -> None:
    """Note when each reminder is looked at again, and what became of it now."""
    rows: list[dict[str, Any]] = []
    untold = {moment.id for moment in moments if is_untold(turn, moment)}
    untold -= answered_among(session, untold)
    for moment in moments:
        if moment.id not in turn.due and moment.id not in turn.early:
            continue
        then = next_look_at(
            moment,
            max(turn.now, moment.next_at),
            has_helpers=moment.patient_id in turn.helpers,
            held=turn.held.get(moment.id, ()),
        )
        left = "open" if then else "done"
        if moment.id in untold:
            then, left = turn.now, UNTOLD
        rows.append(
            {
                "which": moment.id,
                "then": then,
                "left": left,
                "spoken": turn.now if moment.id in turn.spoken else None,
                "alerted": turn.now if moment.id in turn.alerted else None,
            }
        )
    ask(session, _GO_ON, rows)
