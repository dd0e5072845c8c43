"""When it is an alarm: the kinds of incident, and how long each may take to show."""

from collections.abc import Iterable
from datetime import datetime, timedelta

LATE, CHANNEL, CANARY, STOPPED = "late", "channel", "canary", "stopped"
CLOCK_JUMP, RESTORED = "clock_jump", "restored"
# No backup was made; none was proven to be one. No message waits for either.
BACKUP, RESTORE_TEST = "backup", "restore"
# What people are told of on every page.
DELAYING = (LATE, CHANNEL, CANARY, STOPPED, RESTORED)
# While one of these lasts nothing is told of what was late: more of it is coming.
HOLDING = (LATE, STOPPED, RESTORED)
# With the beat of the clock and what a page keeps, people know it within two minutes.
LATE_AFTER = timedelta(seconds=90)
CANARY_EVERY = timedelta(minutes=5)
JUMP = timedelta(minutes=1)
# A backup that is younger than this has forgotten nothing that could be sent twice.
BEHIND = timedelta(minutes=2)


def is_late(since: datetime | None, *, now: datetime) -> bool:
    """Say whether what waits since then waits too long."""
    return since is not None and now - since > LATE_AFTER


def jump_of(before: datetime, after: datetime, *, passed_s: float) -> timedelta:
    """Return by how much a clock that showed these two went wrong in between.

    A minute is none: clocks are set by seconds, and a look at one takes a while.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    >>> jump_of(noon, noon + timedelta(hours=2), passed_s=10)
    datetime.timedelta(seconds=7190)
    >>> jump_of(noon, noon + timedelta(hours=2), passed_s=7200)
    datetime.timedelta(0)
    """
    drift = after - before - timedelta(seconds=passed_s)
    return drift if abs(drift) > JUMP else timedelta(0)


def is_behind(newest: datetime | None, mark: datetime | None) -> bool:
    """Say whether a database is older than what was seen of it before.

    `newest` is its last sign of life, `mark` the last one that was noted outside it.
    """
    return mark is not None and (newest is None or newest < mark - BEHIND)


def failing_channels(troubles: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the channels that do not carry messages now, of (kind, about) pairs."""
    return frozenset(about for kind, about in troubles if kind in (CHANNEL, CANARY))
