"""How a message comes into the outbox."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pillweb.base.db import ask, insert_new
from pillweb.base.i18n import speech
from pillweb.base.sealed import sealed_rows
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import HOW, SPEECH

LASTING = timedelta(days=2)
_IDS = select(Delivery.id, Delivery.dedupe_key).where(
    Delivery.dedupe_key.in_(bindparam("keys", expanding=True))
)


class Facts(TypedDict):
    """What is told of a message that is to leave.

    It is not sent before `not_before`, nor after `expires_at` (two days from now unless
    told). `how` is what a channel heeds beside the words
    (`outbox.queries.compose_message`). `suppressed` keeps it from leaving: it says why.
    """

    kind: str
    recipient: str
    dedupe_key: str
    context: dict[str, Any]
    now: datetime
    channel: NotRequired[str]
    how: NotRequired[Mapping[str, Any] | None]
    due_at: NotRequired[datetime | None]
    not_before: NotRequired[datetime | None]
    expires_at: NotRequired[datetime | None]
    patient_id: NotRequired[int | None]
    subject_id: NotRequired[int | None]
    contact_id: NotRequired[int | None]
    account_id: NotRequired[int | None]
    suppressed: NotRequired[str | None]


def post_delivery(session: Session, **facts: Unpack[Facts]) -> int | None:
    """Put a message into the outbox; return its id where it is new.

    The same dedupe key twice is one message. It speaks as is spoken now: whoever posts
    for somebody else does so `speaking` their language.
    """
    rows = sealed_rows(session, Delivery, [delivery_row(**facts)])
    if not insert_new(session, Delivery, rows):
        return None
    key = facts["dedupe_key"]
    return session.scalar(select(Delivery.id).where(Delivery.dedupe_key == key))


def delivery_row(**facts: Unpack[Facts]) -> dict[str, Any]:
    """Return the row of a message that waits to leave, speaking as is spoken now."""
    now, not_before = facts["now"], facts.get("not_before")
    suppressed = facts.get("suppressed")
    words = {SPEECH: astuple(speech()), HOW: dict(facts.get("how") or {})}
    return {
        "kind": facts["kind"],
        "channel": facts.get("channel", "email"),
        "recipient": facts["recipient"],
        "dedupe_key": facts["dedupe_key"],
        "context": json.dumps(facts["context"] | words),
        "patient_id": facts.get("patient_id"),
        "subject_id": facts.get("subject_id"),
        "contact_id": facts.get("contact_id"),
        "account_id": facts.get("account_id"),
        "state": "suppressed" if suppressed else "pending",
        "last_error": suppressed,
        "attempts": 0,
        "created_at": now,
        "due_at": facts.get("due_at"),
        "next_at": not_before or now,
        "expires_at": facts.get("expires_at") or (not_before or now) + LASTING,
    }


def post_deliveries(
    session: Session, rows: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Put many messages into the outbox at once; return the ids of the new, by key.

    The rows are made by `delivery_row`. The caller holds a lock by which nobody else
    posts the same meanwhile.
    """
    keys = {str(row["dedupe_key"]): row for row in rows}
    for known in ask(session, _IDS, {"keys": list(keys)}):
        del keys[known.dedupe_key]
    if not keys:
        return {}
    insert_new(session, Delivery, sealed_rows(session, Delivery, [*keys.values()]))
    found = ask(session, _IDS, {"keys": list(keys)})
    return {row.dedupe_key: row.id for row in found}
