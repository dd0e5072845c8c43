"""Reads the mail that came back, where it waits in a mailbox (IMAP)."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.config import settings
from pillweb.base.heartbeat import beat, waits_since
from pillweb.base.log import log
from pillweb.base.queue import wake
from pillweb.channels.bounces import LONGEST_NOTE, bounce_in
from pillweb.hooks.actions import note_bounce

NAME = "read_bounces"
TIMEOUT_S, MOST = 10, 50
PORT, SECURE_PORT = 143, 993
EVERY = timedelta(minutes=1)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the mailbox is to be read; None where none is named."""
    if not settings().bounce_imap_url:
        return None
    return waits_since(session, NAME, every=EVERY, now=now)


def run() -> int:
    """Note what came back; return how many addresses are dead by that.

    A note is marked as read after what it says is kept, so that none is lost.
    """
    if not settings().bounce_imap_url:
        return 0
    with transaction() as (session, now):
        beat(session, component=NAME, instance="job", now=now)
    dead = 0
    try:
        with _mailbox(settings().bounce_imap_url) as box:
            for number in _unread(box):
                dead += _note(_raw(box, number))
                box.uid("STORE", number, "+FLAGS", r"(\Seen)")
    except (OSError, imaplib.IMAP4.error) as error:
        log.warning("bounces_unread", error=type(error).__name__)
    if dead:
        wake("deliver")
    return dead


@contextmanager
def _mailbox(url: str) -> Iterator[imaplib.IMAP4]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    box: imaplib.IMAP4
    if parts.scheme == "imaps":
        context = ssl.create_default_context()
        port = parts.port or SECURE_PORT
        box = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_S)
    else:
        box = imaplib.IMAP4(host, parts.port or PORT, timeout=TIMEOUT_S)
    try:
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        box.select(parts.path.strip("/") or "INBOX")
        yield box
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _unread(box: imaplib.IMAP4) -> list[str]:
    _status, found = box.uid("SEARCH", "UNSEEN")
    listed = found[0] if found and found[0] else b""
    return [number.decode() for number in listed.split()][:MOST]


def _raw(box: imaplib.IMAP4, number: str) -> bytes:
    _status, parts = box.uid("FETCH", number, f"(BODY.PEEK[]<0.{LONGEST_NOTE}>)")
    found = [part[1] for part in parts if isinstance(part, tuple)]
    return found[0] if found else b""


def _note(raw: bytes) -> bool:
    with transaction() as (session, now):
        bounce = bounce_in(raw, now=now)
        return bounce is not None and note_bounce(session, bounce, now=now)
