"""The one module that reads the clock."""

import time
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_NOW = text("select clock_timestamp()")


def now() -> datetime:
    """Return this moment in UTC, as this process sees it."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def database_now(session: Session) -> datetime:
    """Return this moment in UTC as the database sees it.

    Jobs on several hosts must agree on leases, so they ask the one clock they
    share. SQLite has no clock of its own: there, host and database are one.
    """
    if session.get_bind().dialect.name == "sqlite":
        return now()
    moment: datetime = session.connection().execute(_NOW).scalar_one()
    return moment.astimezone(UTC)


def seconds_passed() -> float:
    """Return a number that grows by one a second, also while the machine sleeps.

    Where a system counts no time of sleep, waking up looks like a clock that jumped.
    """
    counter = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(counter)
