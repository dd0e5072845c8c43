"""Questions about reminders."""

from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from pillweb.base.db import ask
from pillweb.base.links import link
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN
from pillweb.reminders.models import Reminder

# Channels whose messages have buttons of their own, and those answered by a digit.
DIRECT = frozenset({"ntfy", "webpush"})
ANSWERED = DIRECT | {"sms", "voice"}

_OPEN_BEHIND = (
    select(Dose.id)
    .join(
        Reminder,
        and_(Reminder.patient_id == Dose.patient_id, Reminder.due_at == Dose.due_at),
    )
    .where(
        Reminder.id == bindparam("reminder_id"),
        Dose.state == OPEN,
        # A message that still waits to leave must not speak before it is asked to.
        or_(
            Reminder.snoozed_until.is_(None),
            Reminder.snoozed_until <= Reminder.last_fired_at,
        ),
    )
    .limit(1)
)


def oldest_unfired(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a reminder waits to be said; None when none does."""
    since: datetime | None = session.scalar(
        select(func.min(Reminder.next_at)).where(
            Reminder.state == "open", Reminder.next_at <= now
        )
    )
    return since


def is_still_wanted(session: Session, reminder_id: int | None) -> bool:
    """Say whether anything this reminder is about is still unrecorded."""
    return ask(session, _OPEN_BEHIND, {"reminder_id": reminder_id}).first() is not None


def answer_urls(token: str, channel: str) -> dict[str, str]:
    """Return by verb where a message's own buttons POST to; none where it has none.

    What is answered by a digit has the verbs alone (`channels.DIGITS`).
    """
    if channel not in ANSWERED:
        return {}
    verbs = ("taken", "later", "skip")
    return {verb: link(f"/t/{token}/direct/{verb}") for verb in verbs}
