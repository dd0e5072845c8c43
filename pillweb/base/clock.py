"""The one module that reads the clock."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


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
    moment: datetime = session.scalar(text("select clock_timestamp()"))
    return moment.astimezone(UTC)
