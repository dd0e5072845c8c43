"""The one module that reads the clock."""

import time
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from pillweb.base.heartbeat import JUMP, JUMP_HELD, disbelieved

_NOW = text("select clock_timestamp()")
# What `disbelieved` says, without a second trip to the server.
_BELIEVED = text(
    "select clock_timestamp() - make_interval(secs => coalesce((select lag_s"
    " from heartbeat where component = :jump and instance = :jump and beat_at"
    " between clock_timestamp() - :held and clock_timestamp() + :held), 0))"
).bindparams(jump=JUMP, held=JUMP_HELD)


def now() -> datetime:
    """Return this moment in UTC, as this process sees it."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def database_clock(session: Session) -> datetime:
    """Return what the database's clock shows in UTC, be it right or wrong.

    SQLite has no clock of its own: there, host and database are one.
    """
    if session.get_bind().dialect.name == "sqlite":
        return now()
    moment: datetime = session.connection().execute(_NOW).scalar_one()
    return moment.astimezone(UTC)


def database_now(session: Session) -> datetime:
    """Return this moment in UTC as all of us take it to be.

    Jobs on several hosts must agree on leases, so they ask the one clock they share:
    the database's. When that one jumps, they go on by the old time for a while.
    """
    if session.get_bind().dialect.name == "sqlite":
        shown = now()
        return shown - disbelieved(session, shown)
    moment: datetime = session.connection().execute(_BELIEVED).scalar_one()
    return moment.astimezone(UTC)


def seconds_passed() -> float:
    """Return a number that grows by one a second, also while the machine sleeps.

    Where a system counts no time of sleep, waking up looks like a clock that jumped.
    """
    counter = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(counter)
