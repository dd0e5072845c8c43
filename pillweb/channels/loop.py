"""What comes back of the messages we send to ourselves, and who is told of that.

Every question ends within ten seconds; one that fails is answered "it did not come".
"""

import imaplib
import ssl
from contextlib import suppress
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import requests

from pillweb.base.config import settings
from pillweb.base.log import log
from pillweb.channels.mailbox import forget_mail, kept_mails

TIMEOUT_S = 10.0
SHORT_S = 5.0
LONGEST_ANSWER = 200_000


def came_back(channel: str, mark: str, *, sent_s_ago: float) -> bool:
    """Say whether the message with this mark came back by its channel."""
    try:
        if channel == "email":
            return _in_mailbox(mark) if settings().shows_mailbox else _by_imap(mark)
        if channel == "ntfy":
            return _by_ntfy(mark, since_s=sent_s_ago)
    except (OSError, imaplib.IMAP4.error, requests.RequestException) as error:
        log.warning("canary_unseen", channel=channel, error=type(error).__name__)
    return False


def _in_mailbox(mark: str) -> bool:
    found = [key for key, mail in kept_mails() if mark in str(mail["Subject"])]
    for key in found:
        forget_mail(key)
    return bool(found)


def _by_imap(mark: str) -> bool:
    """Look for the mark in the watched mailbox, and delete what has come back."""
    parts = urlsplit(settings().canary_imap_url)
    host = parts.hostname or ""
    if parts.scheme == "imaps":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            host,
            parts.port or 993,
            ssl_context=ssl.create_default_context(),
            timeout=TIMEOUT_S,
        )
    else:
        server = imaplib.IMAP4(host, parts.port or 143, timeout=TIMEOUT_S)
    try:
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
        server.select(parts.path.strip("/") or "INBOX")
        _status, found = server.search(None, "SUBJECT", f'"{mark}"')
        numbers = found[0].split() if found and found[0] else []
        for number in numbers:
            server.store(number.decode(), "+FLAGS", "\\Deleted")
        if numbers:
            server.expunge()
        return bool(numbers)
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _by_ntfy(mark: str, *, since_s: float) -> bool:
    since = int(timedelta(minutes=1).total_seconds() + since_s)
    answer = requests.get(
        f"{settings().canary_ntfy}/json",
        params={"poll": "1", "since": f"{since}s"},
        timeout=(SHORT_S, TIMEOUT_S),
        allow_redirects=False,
        stream=True,
    )
    with answer:
        answer.raise_for_status()
        return mark.encode() in answer.raw.read(LONGEST_ANSWER, decode_content=True)


def ping_dead_man(*, is_well: bool) -> bool:
    """Tell whoever watches us from outside how it is; say whether they heard."""
    url = settings().dead_man_url.rstrip("/")
    if not url:
        return False
    try:
        answer = requests.get(
            url if is_well else f"{url}/fail",
            timeout=(SHORT_S, TIMEOUT_S),
            allow_redirects=False,
            stream=True,
        )
        with answer:
            return answer.ok
    except requests.RequestException as error:
        log.warning("dead_man_unheard", error=type(error).__name__)
        return False
