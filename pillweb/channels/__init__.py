"""The outside parties a message can leave by; one file each, found by presence.

A channel module has

- `NAME`: how rows and addresses name it, `LABEL`: how people do;
- `LOUDNESS`: 0 waits to be seen, 1 makes a phone buzz, 2 rings until answered;
- `is_ready()`: whether this installation can use it;
- `read_address(typed)`: what is kept of what somebody typed or a browser sent;
  raises InvalidError with a sentence that says what to type instead;
- `open_channel()`: a context manager that yields a function which takes a Message,
  returns a Receipt and raises SendError;
- `public_key()`, of web push alone: what a browser is given to subscribe with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

# What a key press or a reply by SMS answers, by the verb of the answer.
DIGITS: Mapping[str, str] = MappingProxyType({"taken": "1", "later": "2", "skip": "3"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A button on the message itself: its word, and the address to POST it to.

    Where a channel is answered by a digit (`DIGITS`), the address is not used.
    """

    verb: str
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person is told; `key` is equal in every repeat of the same message.

    `short` says it in one sentence, for a screen or a voice, and `key_words` what the
    key 1 means in a call where there are no `answers`; `topic` is shared by
    messages of which a newer one replaces the older; `delivery_id` is what comes back
    in bounces and receipts. `stop_url` unsubscribes by one POST (RFC 8058).
    `lasts_s` is for how many seconds it is worth delivering. `is_silent` asks for no
    sound, `is_urgent` for all there is.
    """

    key: str
    recipient: str
    subject: str
    text: str
    html: str = ""
    short: str = ""
    key_words: str = ""
    link: str = ""
    topic: str = ""
    language: str = "en"
    answers: tuple[Answer, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    stop_url: str = ""
    delivery_id: int = 0
    lasts_s: int = 3600
    is_silent: bool = False
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's word that it took the message over."""

    reference: str


Send = Callable[[Message], Receipt]


class SendError(Exception):
    """The message was not taken over.

    `permanent` says that this address will never work; `is_ours` that we are at fault
    (keys, sign-in, money), whoever it is for; `retry_after_s` what the provider asked;
    `most_tries` after how many tries in all it is pointless (None: until it expires).
    """

    def __init__(
        self,
        code: str,
        *,
        permanent: bool = False,
        is_ours: bool = False,
        retry_after_s: float | None = None,
        most_tries: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent
        self.is_ours = is_ours
        self.retry_after_s = retry_after_s
        self.most_tries = most_tries
