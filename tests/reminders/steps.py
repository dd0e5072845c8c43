"""What tests of reminders do again and again."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.outbox.models import Delivery


def after(now: datetime, minutes: float) -> datetime:
    return now + timedelta(minutes=minutes)


def leave(session: Session, at: datetime) -> None:
    """Let the providers take over everything that waits."""
    session.execute(
        sa.update(Delivery)
        .where(Delivery.state == "pending")
        .values(state="accepted", accepted_at=at),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
