"""The outside parties a message can leave by; one file each.

A channel module has `open_channel()`: a context manager that yields a function
which takes a Message, returns a Receipt and raises SendError.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person is told; `key` is equal in every repeat of the same message."""

    key: str
    recipient: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's word that it took the message over."""

    reference: str


class SendError(Exception):
    """The message was not taken over; permanent says that trying again is no use."""

    def __init__(self, code: str, *, permanent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent
