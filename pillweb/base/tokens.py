"""Secrets that stand in links and cookies: made here, kept only as hashes."""

import hashlib
import secrets


def new_token() -> str:
    """Return 256 random bits in URL-safe base64 (ASVS 5.0, 11.5.1)."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return the SHA-256 by which a token is stored and found (ASVS 6.5.2)."""
    return hashlib.sha256(token.encode()).digest()


def new_pin(length: int) -> str:
    """Return this many random digits, for people to type; guesses must be counted."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def new_mark() -> bytes:
    """Return 128 random bits by which one row is told from any other there ever is."""
    return secrets.token_bytes(16)
