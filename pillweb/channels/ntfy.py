"""ntfy: notifications of an app that needs no account, with buttons that answer."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from pillweb.base.config import settings
from pillweb.base.errors import InvalidError
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.channels import Message, Receipt, Send, SendError
from pillweb.channels.http import Line, open_line, refusal

NAME, LABEL, LOUDNESS = "ntfy", gettext_noop("The app ntfy"), 1
TOPIC = re.compile(r"[A-Za-z0-9_-]{20,64}")
# A topic is its own password: words and "aaaa…" are none.
FEWEST_LETTERS, SECRET_BYTES = 10, 18
SILENT, NORMAL, URGENT = 2, 3, 5
MOST_BUTTONS = 3
LONGEST_ID, LONGEST_WORDS = 64, 1000
SIGN_IN, TOO_LONG, TAKEN = 401, 413, 200


def is_ready() -> bool:
    """Say whether there is a server to use."""
    return bool(settings().ntfy_servers)


def _new_topic() -> str:
    return f"pillweb-{secrets.token_urlsafe(SECRET_BYTES)}"


def read_address(typed: str) -> str:
    """Return the address of a topic, `https://server/topic`; an empty one is made.

    Raises:
        InvalidError: it is on a server we do not use, or easy to guess.
    """
    servers = settings().ntfy_servers
    text = typed.strip()
    if not text:
        return f"{servers[0]}/{_new_topic()}"
    server, _slash, topic = text.rpartition("/")
    if server not in servers:
        raise InvalidError(
            _("Begin with %(server)s, or leave this empty.", server=f"{servers[0]}/")
        )
    if not TOPIC.fullmatch(topic) or len(set(topic)) < FEWEST_LETTERS:
        raise InvalidError(
            _(
                "Others could guess this name and read along. "
                "Leave this empty, and we make a secret one."
            )
        )
    return text


def _publication(topic: str, message: Message) -> bytes:
    """Return the JSON that ntfy publishes (docs.ntfy.sh/publish/#publish-as-json)."""
    loudness = URGENT if message.is_urgent else NORMAL
    facts: dict[str, Any] = {
        "topic": topic,
        # A newer message of the same sequence replaces the older on the phone.
        "sequence_id": sha256((message.topic or message.key).encode()).hexdigest()[:32],
        "title": message.subject[:LONGEST_WORDS],
        "message": (message.short or message.subject)[:LONGEST_WORDS],
        "priority": SILENT if message.is_silent else loudness,
        "tags": ["pill"],
        "actions": [
            {
                "action": "http",
                "label": one.label,
                "url": one.url,
                "method": "POST",
                "clear": True,
            }
            for one in message.answers[:MOST_BUTTONS]
        ],
    }
    if message.link:
        facts["click"] = message.link
    return json.dumps(facts).encode()


def _publish(line: Line, message: Message) -> Receipt:
    chosen = settings()
    server, _slash, topic = message.recipient.rpartition("/")
    if server not in chosen.ntfy_servers:
        raise SendError("ntfy_server")
    headers = {"content-type": "application/json"}
    if chosen.ntfy_token and server == chosen.ntfy_servers[0]:
        headers["authorization"] = f"Bearer {chosen.ntfy_token}"
    reply = line.post(server, data=_publication(topic, message), headers=headers)
    if reply.status != TAKEN:
        raise refusal("ntfy", reply, is_ours=reply.status in {SIGN_IN, TOO_LONG})
    found = reply.said.get("id")
    if not (isinstance(found, str) and 0 < len(found) <= LONGEST_ID):
        raise SendError("ntfy_answer")
    return Receipt(found)


@contextmanager
def open_channel() -> Iterator[Send]:
    """Yield the function that sends; raises SendError within 10 s a network step.

    Never permanent: a topic needs nobody's leave, so none can be dead.
    """
    with open_line() as line:
        yield lambda message: _publish(line, message)
