"""When a message is tried, tried again, and given up."""

from datetime import timedelta

LEASE = timedelta(seconds=30)
SEND_LIMIT = timedelta(seconds=12)
FIRST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 240.0
CRASHES_ALLOWED = 3
# Where a message's context says how its reader is spoken to.
SPEECH = "speech"
# Where it says what a channel heeds beside the words.
HOW = "how"


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
