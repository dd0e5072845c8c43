"""The open page: what is said there waits in a table until the page asks."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.crypto import EncryptedText, blind_index
from pillweb.base.db import Base, Id


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
    words: Mapped[str] = mapped_column(EncryptedText("live_note.words"))
    link: Mapped[str] = mapped_column(EncryptedText("live_note.link"))
    is_urgent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    shown_at: Mapped[datetime | None]
