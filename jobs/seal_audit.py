"""Writes once a day where all chains of the record end, to be kept elsewhere."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.audit.actions import keep_seal, tell_seal
from pillweb.audit.queries import seal_at
from pillweb.audit.rules.chain import SETTLED
from pillweb.base.heartbeat import beat, waits_since
from pillweb.base.log import log
from pillweb.base.queue import wake

NAME = "seal_audit"
EVERY = timedelta(days=1)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a seal is wanted."""
    return waits_since(session, NAME, every=EVERY, now=now)


def run() -> int:
    """Add a line to the file of seals, log it, mail it once a week; return how many.

    Whoever cuts off the end of a chain has to reach all of those too.
    """
    with transaction() as (session, now):
        if oldest(session, now) is None:
            return 0
        beat(session, component=NAME, instance="job", now=now)
        seal = seal_at(session, now - SETTLED)
        if not seal.entries:
            return 0
        told = tell_seal(session, seal, now=now)
    keep_seal(seal)
    log.info("audit_sealed", entries=seal.entries, root=seal.root.hex())
    if told:
        wake("deliver")
    return 1
