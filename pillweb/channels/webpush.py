"""Web push: a notification of the browser, also while no page is open."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.channels import Message, Receipt, Send, SendError
from pillweb.channels.http import Line, Reply, open_line, refusal
from pillweb.channels.marks import mark_of
from pillweb.channels.push_crypto import (
    encrypt,
    from_base64,
    point_of,
    public_bytes,
    signed_header,
    signing_key,
    to_base64,
)

NAME, LABEL, LOUDNESS = "webpush", gettext_noop("On this phone or computer"), 1
# The push services there are; a star stands for any name.
SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
PLAIN_HOST = re.compile(r"([a-z0-9.-]+)(?::443)?")
# Printable ASCII but the backslash.
PLAIN_ADDRESS = re.compile(r"[!-\[\]-~]+")
LONGEST_ADDRESS, AUTH_BYTES = 2000, 16
MOST_PAYLOAD_BYTES, LONGEST_WORDS = 3000, 600
TOPIC_CHARS = 32
# Services refuse more than a day; Apple wants a header kept for an hour or so.
HEADER_LASTS_S, HEADER_KEPT_S = 12 * 3600, 3600
TAKEN, GONE, OURS = {201, 202}, {404, 410}, {401, 403, 413}


class Subscription(NamedTuple):
    """What a browser gives to be reached: an address, and keys to encrypt for it."""

    endpoint: str
    public: bytes
    secret: bytes


def is_ready() -> bool:
    """Say whether there is a key to sign with."""
    return bool(settings().vapid_key)


def public_key() -> str:
    """Return what the browser's `subscribe` wants as `applicationServerKey`."""
    return to_base64(public_bytes(signing_key(settings().vapid_key)))


def receipt_mark(delivery_id: int) -> str:
    """Return what a payload holds as `receipt`: proof that it arrived (`is_mark`)."""
    return mark_of(receipt_fact(delivery_id))


def receipt_fact(delivery_id: int) -> str:
    """Return what the mark of a payload's receipt is a mark of."""
    return f"push:{delivery_id}"


def _is_service(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    if parts.netloc in settings().own_push_hosts:
        return parts.scheme in {"http", "https"}
    # Two readers of one address may find two hosts in it, unless it is this plain.
    found = PLAIN_HOST.fullmatch(parts.netloc)
    if found is None or parts.scheme != "https":
        return False
    return any(
        found[1].endswith(name[1:]) if name.startswith("*") else found[1] == name
        for name in SERVICES
    )


def _subscription(text: str) -> Subscription:
    """Read the JSON of a browser's subscription; raise ValueError, AttributeError."""
    said = json.loads(text)
    keys = said.get("keys", said)
    facts = (said.get("endpoint"), keys.get("p256dh"), keys.get("auth"))
    if not all(isinstance(fact, str) for fact in facts):
        raise ValueError
    endpoint, public, secret = facts
    if len(endpoint) > LONGEST_ADDRESS or not PLAIN_ADDRESS.fullmatch(endpoint):
        raise ValueError
    if not _is_service(endpoint):
        raise ValueError
    found = Subscription(endpoint, from_base64(public), from_base64(secret))
    point_of(found.public)
    if len(found.secret) != AUTH_BYTES:
        raise ValueError
    return found


def read_address(typed: str) -> str:
    """Return a browser's subscription as JSON in one spelling; raise InvalidError."""
    try:
        found = _subscription(typed)
    except (ValueError, AttributeError, RecursionError):
        raise InvalidError(
            _(
                "This browser cannot get our messages. "
                "Choose another way, such as e-mail."
            )
        ) from None
    kept = {
        "auth": to_base64(found.secret),
        "endpoint": found.endpoint,
        "p256dh": to_base64(found.public),
    }
    return json.dumps(kept, separators=(",", ":"))


def _topic(message: Message) -> str:
    """Return a name for what newer messages replace, in the letters RFC 8030 allows."""
    return to_base64(sha256((message.topic or message.key).encode()).digest())[
        :TOPIC_CHARS
    ]


def payload_of(message: Message) -> bytes:
    """Return the JSON that the service worker reads; its words are cut to fit."""
    size = LONGEST_WORDS
    while True:
        words: dict[str, Any] = {
            "title": message.subject[:size],
            "body": message.short[:size],
            "link": message.link,
            "tag": _topic(message),
            "id": message.delivery_id,
            "receipt": receipt_mark(message.delivery_id),
            "answers": [
                {"verb": one.verb, "label": one.label, "url": one.url}
                for one in message.answers
            ],
            "silent": message.is_silent,
        }
        made = json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
        if len(made) <= MOST_PAYLOAD_BYTES or not size:
            return made
        size //= 2


class _Signer:
    """Who we are, to each push service; a header is kept a while."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[float, str]] = {}

    def header(self, audience: str) -> str:
        """Return the Authorization header for a service."""
        since, header = self._made.get(audience, (float("-inf"), ""))
        if time.monotonic() - since > HEADER_KEPT_S:
            chosen = settings()
            mail = parseaddr(chosen.mail_from)[1]
            web = chosen.public_url.startswith("https:")
            header = signed_header(
                audience,
                key=signing_key(chosen.vapid_key),
                subject=chosen.public_url if web else f"mailto:{mail}",
                expires=int(now().timestamp()) + HEADER_LASTS_S,
            )
            self._made[audience] = (time.monotonic(), header)
        return header


def _receipt(message: Message, reply: Reply) -> Receipt:
    """Return the receipt of an answer; raise SendError for all but a take-over."""
    # RFC 8030 says 201; anything else, also 200, is not a push service speaking.
    if reply.status in TAKEN:
        return Receipt(_topic(message))
    raise refusal(
        "push", reply, permanent=reply.status in GONE, is_ours=reply.status in OURS
    )


def _push(line: Line, signer: _Signer, message: Message) -> Receipt:
    try:
        to = _subscription(message.recipient)
    except (ValueError, AttributeError):
        raise SendError("push_address", permanent=True) from None
    parts = urlsplit(to.endpoint)
    reply = line.post(
        to.endpoint,
        data=encrypt(payload_of(message), public=to.public, secret=to.secret),
        headers={
            "authorization": signer.header(f"{parts.scheme}://{parts.netloc}"),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(message.lasts_s),
            # Phones hold back what is not urgent; Apple's may never show it.
            "urgency": "normal" if message.is_silent else "high",
            "topic": _topic(message),
        },
    )
    return _receipt(message, reply)


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that sends; raises SendError within 10 s a network step.

    Permanent where the service says that the browser is gone (404, 410) and for no
    other answer: a service that is ill must unsubscribe nobody.
    """
    signer = _Signer()
    own = bool(settings().own_push_hosts)
    with open_line(public_only=not own) as line:
        yield lambda message: _push(line, signer, message)
