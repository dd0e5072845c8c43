"""Incidents open when something is wrong, and close when it is well again."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.heartbeat import disbelieve, disbelieved
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.models import Breaker
from pillweb.watch.queries import last_clock_beat, reminder_since
from pillweb.watch.rules.alarm import (
    CHANNEL,
    CLOCK_JUMP,
    JUMP,
    LATE,
    LATE_AFTER,
    STOPPED,
    is_late,
)


def note_gap(session: Session, *, now: datetime) -> bool:
    """Note, at the start of a clock, that none ran before; say whether that was so."""
    beaten = last_clock_beat(session)
    if beaten is None or not is_late(beaten, now=now):
        return False
    return open_incident(session, kind=STOPPED, opened_at=beaten)


def note_jump(
    session: Session, by: timedelta, *, shown: datetime, now: datetime
) -> None:
    """Note that the database's clock jumped by so much, to what it shows.

    All go on by the time before, ten minutes long: nothing is sent early meanwhile,
    nothing late, and somebody may set the clock right. A jump back ends that.
    """
    noted = disbelieved(session, shown)
    if noted and abs(noted - by) <= JUMP:
        # Another clock process saw the same jump.
        return
    by += disbelieved(session, shown - by)
    disbelieve(session, by if abs(by) > JUMP else timedelta(0), shown=shown)
    open_incident(session, kind=CLOCK_JUMP, opened_at=now)


def note_troubles(session: Session, *, now: datetime, is_held: bool = False) -> None:
    """Open an incident for what is wrong now, and close those of what is well again.

    A jump of the clock is one while its new time `is_held` back. What else there is
    (a canary, a storm, a restore) is opened and closed by whoever knows of it.
    """
    since = reminder_since(session, now=now)
    if since is not None and is_late(since, now=now):
        open_incident(session, kind=LATE, opened_at=since)
    else:
        close_incidents(session, kind=LATE, now=now)
        close_incidents(session, kind=STOPPED, now=now)
    _note_channels(session, now=now)
    if not is_held:
        close_incidents(session, kind=CLOCK_JUMP, now=now)


def _note_channels(session: Session, *, now: datetime) -> None:
    failing = session.scalars(
        select(Breaker).where(Breaker.failing_since.is_not(None))
    ).all()
    for breaker in failing:
        since = breaker.failing_since
        if since and breaker.retry_at and since < now - LATE_AFTER:
            open_incident(session, kind=CHANNEL, about=breaker.channel, opened_at=since)
    still: Collection[str] = {breaker.channel for breaker in failing}
    close_incidents(session, kind=CHANNEL, besides=still, now=now)
