"""Questions about reminders."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from pillweb.base.db import ask
from pillweb.base.errors import LinkGoneError
from pillweb.base.tokens import token_hash
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import Reminder, ReminderLink

_WANTED = (
    select(Delivery.id)
    .join(Reminder, Reminder.id == Delivery.subject_id)
    .join(
        Dose,
        and_(Reminder.patient_id == Dose.patient_id, Reminder.due_at == Dose.due_at),
    )
    .where(
        Delivery.id.in_(bindparam("ids", expanding=True)),
        Dose.state == OPEN,
        # A message that still waits to leave must not speak before it is asked to.
        or_(
            Reminder.snoozed_until.is_(None),
            Reminder.snoozed_until <= Reminder.last_fired_at,
        ),
    )
    .distinct()
)


def oldest_unfired(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a reminder waits to be said; None when none does."""
    since: datetime | None = session.scalar(
        select(func.min(Reminder.next_at)).where(
            Reminder.state == "open", Reminder.next_at <= now
        )
    )
    return since


def still_wanted(session: Session, delivery_ids: Collection[int]) -> set[int]:
    """Return of these messages those about which anything is still unrecorded."""
    return set(ask(session, _WANTED, {"ids": list(delivery_ids)}).scalars())


def reminder_behind(session: Session, token: str, *, now: datetime) -> Reminder:
    """Return the reminder a mailed link belongs to.

    Raises:
        LinkGoneError: the link is wrong or older than a day.
    """
    reminder = session.scalar(
        select(Reminder)
        .join(ReminderLink, ReminderLink.reminder_id == Reminder.id)
        .where(
            ReminderLink.token_hash == token_hash(token), ReminderLink.expires_at > now
        )
    )
    if reminder is None:
        raise LinkGoneError
    return reminder
