"""What the links in messages are about."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.errors import LinkGoneError
from pillweb.base.tokens import token_hash
from pillweb.reminders.models import Reminder, ReminderLink


def reminder_behind(session: Session, token: str, *, now: datetime) -> Reminder:
    """Return the reminder a patient's link belongs to.

    Raises:
        LinkGoneError: the link is wrong, older than a day, or a helper's.
    """
    reminder = session.scalar(
        select(Reminder)
        .join(ReminderLink, ReminderLink.reminder_id == Reminder.id)
        .where(
            ReminderLink.token_hash == token_hash(token),
            ReminderLink.expires_at > now,
            ReminderLink.account_id.is_(None),
        )
    )
    if reminder is None:
        raise LinkGoneError
    return reminder
