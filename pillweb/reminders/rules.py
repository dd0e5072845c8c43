"""The ladder of a reminder: when it is said, said again, and too late to say."""

from collections.abc import Iterable
from datetime import datetime, timedelta

# Minutes after the due time at which the patient is told (domain, 4.3).
LADDERS = {
    "ordinary": (0, 15, 45),
    "high_alert": (0, 20, 45),
    "time_critical": (0, 10, 20),
}
TOO_LATE = timedelta(minutes=60)
# The state of a reminder whose ladder ended and of which no message had left.
UNTOLD = "late"
# After the last moment at which a message could leave, to see whether any did.
LAST_LOOK = timedelta(minutes=1)
LINK_LIFE = timedelta(hours=24)


def ladder_of(categories: Iterable[str]) -> tuple[timedelta, ...]:
    """Return the steps for everything due at one moment: the most urgent class's.

    >>> [step.seconds // 60 for step in ladder_of(["ordinary", "time_critical"])]
    [0, 10, 20]
    """
    found = set(categories)
    urgent = [name for name in reversed(LADDERS) if name in found]
    minutes = LADDERS[urgent[0] if urgent else "ordinary"]
    return tuple(timedelta(minutes=minute) for minute in minutes)


def steps_until(
    steps: tuple[timedelta, ...], began_at: datetime, last: datetime
) -> tuple[timedelta, ...]:
    """Return the steps of a ladder that was put off: none past the last instant.

    The first is what was asked for, and stays.
    """
    return steps[:1] + tuple(step for step in steps[1:] if began_at + step <= last)


def step_due(
    began_at: datetime, steps: tuple[timedelta, ...], *, now: datetime
) -> int | None:
    """Return the number of the latest step whose time has come; None before all.

    Steps that were slept through are not caught up: one message tells as much.
    """
    passed = [number for number, step in enumerate(steps) if began_at + step <= now]
    return passed[-1] if passed else None


def next_step_at(
    began_at: datetime, steps: tuple[timedelta, ...], *, now: datetime
) -> datetime | None:
    """Return when the ladder goes on after now; None when it has ended."""
    return next((began_at + step for step in steps if began_at + step > now), None)


def is_too_late(due_at: datetime, *, now: datetime) -> bool:
    """Say whether "take it now" may no longer be said of this moment."""
    return now - due_at > TOO_LATE
