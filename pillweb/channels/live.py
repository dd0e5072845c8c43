"""The open page: what is said there waits in a table until the page asks."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, String
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.clock import database_now
from pillweb.base.crypto import blind_index
from pillweb.base.db import Base, Id, database, insert_new
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.sealed import SealedText, sealed_rows
from pillweb.channels import Message, Receipt, Send, SendError

NAME, LABEL, LOUDNESS = "live", gettext_noop("This open page"), 0
KEY = re.compile(r"[A-Za-z0-9_-]{20,64}")
KEY_BYTES = 18


def device_index(address: str) -> bytes:
    """Return the keyed hash by which the notes of an open page are found."""
    return blind_index(address, purpose="live_note.device_index")


class LiveNote(Base):
    """What one open page is to say, until it said it or it is too late."""

    __tablename__ = "live_note"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    device_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    delivery_id: Mapped[int] = mapped_column(Id)
    words: Mapped[str] = mapped_column(SealedText("live_note.words"))
    link: Mapped[str] = mapped_column(SealedText("live_note.link"))
    is_urgent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    shown_at: Mapped[datetime | None]


def is_ready() -> bool:
    """Say that a page can always be open."""
    return True


def read_address(typed: str) -> str:
    """Return the key of the device whose page it is; an empty one is made.

    Raises:
        InvalidError: it is no such key.
    """
    key = typed.strip()
    if not key:
        return secrets.token_urlsafe(KEY_BYTES)
    if not KEY.fullmatch(key):
        raise InvalidError(_("Open this page on the device that shall speak."))
    return key


def _note(message: Message) -> Receipt:
    """Keep a note for the page; a repeat is the same note."""
    try:
        with database().transaction() as session:
            now = database_now(session)
            row = {
                "device_index": device_index(message.recipient),
                "key": message.key,
                "delivery_id": message.delivery_id,
                "words": message.short or message.subject,
                "link": message.link,
                "is_urgent": message.is_urgent,
                "created_at": now,
                "expires_at": now + timedelta(seconds=message.lasts_s),
            }
            insert_new(session, LiveNote, sealed_rows(session, LiveNote, [row]))
    except SQLAlchemyError as error:
        raise SendError(type(error).__name__) from None
    return Receipt(message.key)


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that leaves a note for an open page.

    Taken over is not shown: `shown_at` says when the page said it.
    """
    yield _note
