"""The mailbox of the embedded default: where mail goes when no server is named."""

import mailbox
import re
from collections.abc import Collection
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from pillweb.base.config import settings

NEWEST = 100


def _folder() -> mailbox.Maildir:
    return mailbox.Maildir(str(Path(settings().var_dir) / "mailbox"), create=True)


def keep_mail(mail: bytes) -> str:
    """Put a mail into the mailbox, and return its key."""
    return _folder().add(mail)


def _kept_at(key: str) -> tuple[int, ...]:
    """Return the seconds, microseconds and count that a Maildir name begins with."""
    return tuple(int(digits) for digits in re.findall(r"\d+", key)[:4])


def kept_mails() -> list[tuple[str, EmailMessage]]:
    """Return the newest mails with their keys, newest first."""
    folder = _folder()
    keys = sorted(folder.keys(), key=_kept_at, reverse=True)[:NEWEST]
    return [(key, mail) for key in keys if (mail := kept_mail(key)) is not None]


def kept_mail(key: str) -> EmailMessage | None:
    """Return one mail of the mailbox, or None where there is no such key."""
    try:
        content = _folder().get_bytes(key)
    except KeyError:
        return None
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(content)


def forget_mail(key: str) -> None:
    """Delete one mail of the mailbox."""
    _folder().discard(key)


def forget_mails(references: Collection[str]) -> None:
    """Delete the mails of the mailbox that have one of these as their Message-ID."""
    if not references or not (Path(settings().var_dir) / "mailbox").is_dir():
        return
    folder = _folder()
    for key, mail in folder.items():
        if mail["Message-ID"] in references:
            folder.discard(key)
