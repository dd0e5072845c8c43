"""Deletes what was kept of messages for longer than anybody needs it."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.outbox.actions.forgetting import forget_deliveries
from pillweb.outbox.queries import oldest_forgettable
from pillweb.sync.actions import forget_replays
from pillweb.sync.queries import oldest_replay

BATCH = 500


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits to be forgotten."""
    found = (
        oldest_forgettable(session, now=now),
        oldest_replay(session, now=now),
    )
    return min((at for at in found if at is not None), default=None)


def run() -> int:
    """Forget all that is old, a few at a time; return how much that was."""
    done = 0
    for forget in (forget_deliveries, forget_replays):
        while True:
            with transaction() as (session, now):
                gone = forget(session, now=now, limit=BATCH)
            done += gone
            if gone < BATCH:
                break
    return done
