"""Seals what is not bound to its row, and wraps keys by the newest of FIELD_KEYS."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from jobs.runtime import give_way, transaction
from pillweb.base.db import database
from pillweb.base.heartbeat import beat, waits_since
from pillweb.base.log import log
from pillweb.base.sealed import rotate

NAME = "rotate_keys"
EVERY = timedelta(days=1)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when keys are to be looked after."""
    return waits_since(session, NAME, every=EVERY, now=now)


def run() -> int:
    """Do what is left to do, some rows at a time; return how much was done."""
    with transaction() as (session, now):
        if oldest(session, now) is None:
            return 0
        beat(session, component=NAME, instance="job", now=now)
    moved = rotate(database(), between=give_way)
    if moved.unreadable:
        log.warning("values_unreadable", values=moved.unreadable)
    return moved.keys + moved.values
