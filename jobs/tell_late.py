"""Tells what nobody could be reminded of, once it can be told."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.queue import wake
from pillweb.watch.actions.late import tell_what_was_late
from pillweb.watch.queries import oldest_late

BATCH = 50


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits to be told late."""
    return oldest_late(session, now=now)


def run() -> int:
    """Tell, or put off, everything that waits; return of how many patients."""
    done = 0
    while True:
        with transaction() as (session, now):
            looked = tell_what_was_late(session, now=now, limit=BATCH)
        if not looked:
            break
        done += looked
    if done:
        wake("deliver")
    return done
