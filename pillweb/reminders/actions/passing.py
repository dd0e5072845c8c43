"""Whoever cannot be told is passed over, so that nobody else waits for it."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import PASSED_OVER

TRIED_AGAIN = timedelta(minutes=1)


def pass_over(session: Session, patient_id: int, *, state: str, now: datetime) -> None:
    """Note that a patient's reminders of a state cannot be told; try in a minute."""
    open_incident(session, kind=PASSED_OVER, about=f"p{patient_id}", opened_at=now)
    session.execute(
        update(Reminder)
        .where(
            Reminder.patient_id == patient_id,
            Reminder.state == state,
            Reminder.next_at <= now,
        )
        .values(next_at=now + TRIED_AGAIN),
        execution_options={"synchronize_session": False},
    )


def note_reached(session: Session, patient_id: int, *, now: datetime) -> None:
    """Note that what failed for a patient works again."""
    close_incidents(session, kind=PASSED_OVER, about=f"p{patient_id}", now=now)
