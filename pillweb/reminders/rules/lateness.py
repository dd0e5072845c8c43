"""Until when "take it now" may be said of a dose."""

from datetime import datetime, timedelta

TOO_LATE = timedelta(minutes=60)
# The state of a reminder of which no message had left when it was too late for one.
UNTOLD = "late"
# After the last moment at which a message could leave, to see whether any did.
LAST_LOOK = timedelta(minutes=1)
LINK_LIFE = timedelta(hours=24)
TIME_CRITICAL = "time_critical"


def is_too_late(due_at: datetime, *, now: datetime) -> bool:
    """Say whether "take it now" may no longer be said of this moment."""
    return now - due_at > TOO_LATE


def told_until(
    began_at: datetime,
    *,
    due_at: datetime,
    following_at: datetime | None,
    window: timedelta,
    category: str,
) -> datetime:
    """Return the instant from which a patient is told no more of a dose.

    An hour after it was first to be told, half the time to the medicine's next dose
    where that is less, its window where it is time-critical; and never once the next
    one is due: two of one medicine must not wait together.
    """
    lasts = TOO_LATE
    if following_at is not None:
        lasts = min(lasts, (following_at - due_at) / 2)
    if category == TIME_CRITICAL:
        lasts = min(lasts, window)
    until = began_at + lasts
    return until if following_at is None else min(until, following_at)
