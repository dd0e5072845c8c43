"""Says what is due: turns reminders whose time has come into messages."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.queue import wake
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.queries import oldest_unfired

BATCH = 100


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a reminder waits to be said."""
    return oldest_unfired(session, now=now)


def run() -> int:
    """Fire everything due; return how many reminders that was."""
    done = 0
    while True:
        with transaction() as (session, now):
            fired = fire_reminders(session, now=now, limit=BATCH)
        if not fired:
            break
        done += fired
    if done:
        wake("deliver")
    return done
