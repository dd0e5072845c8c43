"""Tells what nobody could be reminded of, once it can be told."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.apart import do_all
from pillweb.base.queue import wake
from pillweb.reminders.rules.lateness import UNTOLD
from pillweb.watch.actions.late import tell_what_was_late
from pillweb.watch.queries import oldest_late


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits to be told late."""
    return oldest_late(session, now=now)


def run() -> int:
    """Tell, or put off, everything that waits; return of how many patients."""
    done = do_all(tell_what_was_late, state=UNTOLD)
    if done:
        wake("deliver")
    return done
