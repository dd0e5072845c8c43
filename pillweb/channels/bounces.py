"""Mail that comes back: envelope senders that prove themselves, and what they say."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message as Mail
from email.utils import parseaddr
from typing import NamedTuple

from pillweb.base.config import settings
from pillweb.channels.marks import is_mark, mark_of

LASTS = timedelta(hours=48)
AHEAD = timedelta(minutes=10)
LONGEST_NOTE = 1_000_000
# Delivery, minute since 1970, mark.
SENT = re.compile(r"\+(\d{1,18})\.(\d{1,10})\.([0-9a-f]{32})@", re.ASCII)
DETAIL = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b", re.ASCII)
STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b", re.ASCII)


class Bounce(NamedTuple):
    """A message that came back; `permanent` where its address is dead."""

    delivery_id: int
    permanent: bool
    at: datetime


def is_dead(status: str) -> bool:
    """Say whether an enhanced status code (RFC 3463) means that an address is dead.

    >>> [is_dead(code) for code in ("5.1.1", "5.2.1", "5.2.2", "5.4.4", "4.1.1")]
    [True, True, False, False, False]
    >>> is_dead("5.1.8")  # about the sender: us
    False
    """
    found = STATUS.match(status)
    if found is None:
        return False
    kind, subject, detail = found.groups()
    if (kind, subject) == ("5", "1"):
        return detail not in {"7", "8"}
    return (kind, subject, detail) == ("5", "2", "1")


def _fact(delivery_id: int, minute: int) -> str:
    return f"bounce:{delivery_id}:{minute}"


def sender_of(delivery_id: int, *, now: datetime) -> str:
    """Return the envelope sender of a delivery (VERP): what comes back there is its.

    Without BOUNCE_ADDRESS it is MAIL_FROM as it stands.
    """
    own = settings().bounce_address
    if not own or not delivery_id:
        return parseaddr(settings().mail_from)[1]
    name, _at, domain = own.partition("@")
    minute = int(now.timestamp()) // 60
    mark = mark_of(_fact(delivery_id, minute))
    return f"{name}+{delivery_id}.{minute}.{mark}@{domain}"


def _sent_by_us(text: str, *, now: datetime) -> tuple[int, datetime] | None:
    """Return delivery and time of an address we made within two days; else None."""
    for found in SENT.finditer(text):
        delivery_id, minute = int(found[1]), int(found[2])
        age = now - datetime.fromtimestamp(0, UTC) - timedelta(minutes=minute)
        if -AHEAD <= age <= LASTS and is_mark(found[3], _fact(delivery_id, minute)):
            return delivery_id, now - age
    return None


def _status_of(fields: Mail) -> str:
    """Return the enhanced status; where it says nothing, that of the far server."""
    status = str(fields["status"]).strip()
    detail = DETAIL.search(str(fields.get("diagnostic-code", "")))
    return detail[0] if status.endswith(".0.0") and detail else status


def _reports(note: Mail) -> Iterator[tuple[str, str]]:
    """Yield action and status of each recipient a note tells of (RFC 3464, 2.3)."""
    for part in note.walk():
        if part.get_content_type() == "message/delivery-status":
            for fields in part.walk():
                if "status" in fields:
                    action = str(fields.get("action", "")).strip().lower()
                    yield action, _status_of(fields)


def bounce_in(raw: bytes, *, now: datetime) -> Bounce | None:
    """Return what a delivery status note (RFC 3464) says of one of our messages.

    None where it is none, where it was not sent to an address we made, or made more
    than 48 hours ago: whoever forges one can switch off nobody's reminders.
    """
    if len(raw) > LONGEST_NOTE:
        return None
    try:
        note = message_from_bytes(raw)
        failures = [status for action, status in _reports(note) if action == "failed"]
    except RecursionError:
        return None
    told = [str(note.get(name, "")) for name in ("to", "delivered-to", "x-original-to")]
    ours = _sent_by_us(" ".join(told).lower(), now=now)
    if ours is None or not failures:
        return None
    return Bounce(ours[0], all(map(is_dead, failures)), now)
