"""Absolute links for messages, made without a request."""

from pillweb.base.config import settings


def link(path: str) -> str:
    """Return the address people open for a path that begins with a slash."""
    return settings().public_url.rstrip("/") + path
