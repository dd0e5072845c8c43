"""Says what is due, and what became of it: turns reminders into messages."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from jobs.apart import BATCH, do_all
from jobs.runtime import give_way, transaction
from pillweb.base.queue import wake
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.actions.resolving import reopen_undone, resolve_alerts
from pillweb.reminders.actions.storms import end_storms, oldest_storm
from pillweb.reminders.queries.alerts import oldest_change
from pillweb.reminders.queries.waiting import oldest_undone, oldest_unfired


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a reminder waits to be said, or what became of one."""
    waits = (oldest_unfired, oldest_undone, oldest_change, oldest_storm)
    return min((at for ask in waits if (at := ask(session, now=now))), default=None)


def run() -> int:
    """Say everything that waits; return how many things that was."""
    with transaction() as (session, now):
        reopen_undone(session, now=now)
    done = do_all(fire_reminders, state="open") + _all(resolve_alerts)
    with transaction() as (session, now):
        done += end_storms(session, now=now)
    if done:
        wake("deliver")
    return done


def _all(some: Callable[..., int]) -> int:
    """Do some, each time in a transaction of its own, until none are left."""
    done = 0
    while True:
        with transaction() as (session, now):
            did = some(session, now=now, limit=BATCH)
        if not did:
            return done
        done += did
        give_way()
