"""Finds the browsers that show nothing of what is pushed to them any more."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.heartbeat import beat, waits_since
from pillweb.base.queue import wake
from pillweb.hooks.actions import note_unseen

NAME = "check_shown"
EVERY = timedelta(minutes=1)
BATCH = 200


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when somebody should look."""
    return waits_since(session, NAME, every=EVERY, now=now)


def run() -> int:
    """Note which browsers show nothing; return how many."""
    with transaction() as (session, now):
        beat(session, component=NAME, instance="job", now=now)
        found = note_unseen(session, now=now, limit=BATCH)
    if found:
        wake("deliver")
    return found
