"""What a grant and a link allow."""

from datetime import datetime, timedelta
from enum import IntEnum


class Level(IntEnum):
    """How much one person may do for another."""

    VIEW = 1
    MARK = 2
    MANAGE = 3


LINK_DAYS = (7, 30, 90)
LINK_DAYS_DEFAULT = 30


def may(level: int, need: Level) -> bool:
    """Say whether a granted level is enough.

    >>> may(Level.VIEW, Level.MARK)
    False
    """
    return level >= need


def link_is_live(
    *, expires_at: datetime, revoked_at: datetime | None, now: datetime
) -> bool:
    """Say whether a shared link still opens; it ends at its expiry to the second."""
    return revoked_at is None and now < expires_at


def link_expiry(days: int, *, now: datetime) -> datetime:
    """Return when a link made now ends; days beyond 90 count as 90."""
    return now + timedelta(days=min(days, LINK_DAYS[-1]))
