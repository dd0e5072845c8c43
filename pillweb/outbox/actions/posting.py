"""How a message comes into the outbox."""

import json
from collections.abc import Mapping
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.i18n import speech
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import HOW, SPEECH

LASTING = timedelta(days=2)


def post_delivery(
    session: Session,
    *,
    kind: str,
    recipient: str,
    dedupe_key: str,
    context: dict[str, Any],
    now: datetime,
    channel: str = "email",
    how: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    patient_id: int | None = None,
    subject_id: int | None = None,
    contact_id: int | None = None,
    account_id: int | None = None,
    suppressed: str | None = None,
) -> int | None:
    """Put a message into the outbox; return its id where it is new.

    The same dedupe key twice is one message. It is not sent before `not_before`, nor
    after `expires_at` (two days from now unless told). `how` is what a channel heeds
    beside the words (`outbox.queries.compose_message`). `suppressed` keeps it from
    leaving, and says why. It speaks as is spoken now: whoever posts for somebody else
    does so `speaking` their language.
    """
    row = {
        "kind": kind,
        "channel": channel,
        "recipient": recipient,
        "dedupe_key": dedupe_key,
        "context": json.dumps(
            context | {SPEECH: astuple(speech()), HOW: dict(how or {})}
        ),
        "patient_id": patient_id,
        "subject_id": subject_id,
        "contact_id": contact_id,
        "account_id": account_id,
        "state": "suppressed" if suppressed else "pending",
        "last_error": suppressed,
        "attempts": 0,
        "created_at": now,
        "due_at": due_at,
        "next_at": not_before or now,
        "expires_at": expires_at or (not_before or now) + LASTING,
    }
    if not insert_new(session, Delivery, [row]):
        return None
    return session.scalar(select(Delivery.id).where(Delivery.dedupe_key == dedupe_key))
