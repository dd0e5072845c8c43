"""Marks on what comes back: only we can have made them."""

import hmac

from pillweb.base.config import settings

MARK_CHARS = 32


def _marks(fact: str) -> list[str]:
    keys = [settings().secret_key, *settings().secret_key_fallbacks.split(",")]
    return [
        hmac.new(key.encode(), f"mark:{fact}".encode(), "sha256").hexdigest()
        for key in keys
        if key
    ]


def mark_of(fact: str) -> str:
    """Return a keyed hash of a fact, 32 hexadecimal characters (128 bits)."""
    return _marks(fact)[0][:MARK_CHARS]


def is_mark(mark: str, fact: str) -> bool:
    """Say whether we made this mark of a fact, with this secret key or an earlier."""
    made = (own[:MARK_CHARS].encode() for own in _marks(fact))
    return any(hmac.compare_digest(own, mark.encode()) for own in made)
