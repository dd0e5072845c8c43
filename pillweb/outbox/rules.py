"""When a message is tried, tried again and given up; when a provider is let alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

LEASE = timedelta(seconds=30)
SEND_LIMIT = timedelta(seconds=12)
FIRST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 240.0
CRASHES_ALLOWED = 3
# So many tries in vain, and it goes by another channel, where the person has one.
TRIES_OF_ONE_CHANNEL = 4
# Where a message's context says how its reader is spoken to.
SPEECH = "speech"
# Where it says what a channel heeds beside the words.
HOW = "how"

# Five failures within half a minute, and a provider is left alone for as long.
FAILURES_BEARED = 5
FAILING_WITHIN = timedelta(seconds=30)
REST = timedelta(seconds=30)
# A call that hung keeps all others waiting: two of them are enough.
HANG_S, HANG_WEIGHT = 8.0, 3
# A provider that is away for so long is gone round.
DETOUR_AFTER = timedelta(minutes=1)

# For how long what became of a message is kept, and the words of a dead letter.
# The states of a message that arrives, or may still do so.
REACHING = frozenset({"pending", "leased", "accepted", "delivered"})
BROKEN, UNWORDABLE = "broken", "unwordable"
UNREADABLE = "unreadable"


class Leased(NamedTuple):
    """A message that is the caller's to send; see `outbox.models.Delivery`."""

    id: int
    lease_id: str
    kind: str
    channel: str
    recipient: str
    context: str | None
    dedupe_key: str
    patient_id: int | None
    subject_id: int | None
    contact_id: int | None
    account_id: int | None
    created_at: datetime
    due_at: datetime | None
    expires_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Sent:
    """How one call of the provider ended; `error` is empty when it took the message.

    `permanent`, `is_ours`, `retry_after_s` and `most_tries` are `channels.SendError`'s;
    `is_blameless` says that it failed before the provider was called.
    """

    leased: Leased
    reference: str | None = None
    error: str = ""
    permanent: bool = False
    is_ours: bool = False
    retry_after_s: float | None = None
    most_tries: int | None = None
    is_blameless: bool = False
    took_s: float = 0.0

    @property
    def tries(self) -> int:
        """How often this message was tried, this time included."""
        return self.leased.attempts + 1


@dataclass(frozen=True, slots=True)
class Health:
    """How a provider does; see `outbox.models.Breaker`."""

    failures: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    last_error: str | None = None


def backoff(attempts: int, *, chance: float) -> timedelta:
    """Return the pause before the next try: full jitter, 15 s to 4 min.

    Args:
        attempts: tries made so far, 1 or more.
        chance: a random number from 0 to 1.

    >>> backoff(1, chance=1.0).total_seconds(), backoff(9, chance=1.0).total_seconds()
    (15.0, 240.0)
    """
    ceiling = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempts - 1))
    return timedelta(seconds=1 + (ceiling - 1) * chance)


def next_try(sent: Sent, *, now: datetime, chance: float) -> datetime | None:
    """Return when a message that failed is tried again; None when it is dead.

    A provider that says how long it wants to be left alone is obeyed. What broke our
    own code again and again would go on to do so.
    """
    most = CRASHES_ALLOWED if sent.error == BROKEN else sent.most_tries
    if sent.permanent or (most and sent.tries >= most):
        return None
    pause = backoff(sent.tries, chance=chance)
    asked = timedelta(seconds=min(sent.retry_after_s or 0, 86_400))
    at = now + max(pause, asked)
    return at if at < sent.leased.expires_at else None


def health_after(before: Health, sent: Sequence[Sent], *, now: datetime) -> Health:
    """Return how a provider does after these calls, in their order.

    A dead address is the address's fault; that our own keys are refused is nobody's
    who could be waited for, and ends the calls at once.
    """
    health = before
    for one in sent:
        if not one.error or (one.permanent and not one.is_ours):
            health = health if one.is_blameless else Health()
        elif not one.is_blameless:
            health = _worse(health, one, now=now)
    return health


def _worse(health: Health, one: Sent, *, now: datetime) -> Health:
    since, failures = health.failing_since, health.failures
    is_probe = health.retry_at is not None
    if since is None or (not is_probe and now - since > FAILING_WITHIN):
        since, failures = now, 0
    failures += HANG_WEIGHT if one.took_s >= HANG_S else 1
    rests = is_probe or one.is_ours or failures >= FAILURES_BEARED
    return Health(failures, since, now + REST if rests else None, one.error)
