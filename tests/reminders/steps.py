"""What tests of reminders do again and again."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.outbox.models import Delivery
from pillweb.reminders.models import Reminder


def after(now: datetime, minutes: float) -> datetime:
    return now + timedelta(minutes=minutes)


def plan_in_time(session: Session) -> None:
    """Let everybody wait since their dose is due, not since it was planned."""
    session.execute(sa.update(Reminder).values(next_at=Reminder.due_at))


def leave(session: Session, at: datetime) -> None:
    """Let the providers take over everything that waits."""
    session.execute(
        sa.update(Delivery)
        .where(Delivery.state == "pending")
        .values(state="accepted", accepted_at=at),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
