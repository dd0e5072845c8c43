"""What happens to a message: posted, claimed, settled."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import ask, insert_new, table_of
from pillweb.base.i18n import speech
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.rules import CRASHES_ALLOWED, HOW, LEASE, SPEECH, backoff

LASTING = timedelta(days=2)
_ATTEMPT = table_of(Attempt)
_END_ATTEMPT = (
    update(_ATTEMPT)
    .where(
        _ATTEMPT.c.delivery_id == bindparam("delivery"),
        _ATTEMPT.c.lease_id == bindparam("lease"),
    )
    .values(ended_at=bindparam("ended"), outcome=bindparam("said"))
)
_IDS = select(Delivery.id, Delivery.dedupe_key).where(
    Delivery.dedupe_key.in_(bindparam("keys", expanding=True))
)
_jitter = random.SystemRandom()


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
    if not insert_new(session, Delivery, [delivery_row(**facts)]):
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
    insert_new(session, Delivery, [*keys.values()])
    found = ask(session, _IDS, {"keys": list(keys)})
    return {row.dedupe_key: row.id for row in found}


def claim_deliveries(
    session: Session, *, now: datetime, limit: int
) -> Sequence[Delivery]:
    """Lease up to `limit` due messages to the caller.

    Nobody else gets them for 30 s; a lease that ran out is claimed like a pending
    row. What is past its time becomes expired; what crashed its sender three
    times becomes dead, so that it cannot stop its neighbours. None at all means
    that none is due.
    """
    due = or_(
        and_(Delivery.state == "pending", Delivery.next_at <= now),
        and_(Delivery.state == "leased", Delivery.lease_until <= now),
    )
    chosen = (
        select(Delivery.id)
        .where(due)
        .order_by(Delivery.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    while True:
        claimed = session.scalars(
            update(Delivery)
            .where(Delivery.id.in_(chosen.scalar_subquery()))
            .values(state="leased", lease_id=uuid.uuid4().hex, lease_until=now + LEASE)
            .returning(Delivery),
            execution_options={"populate_existing": True},
        ).all()
        sendable = [d for d in claimed if _stays_sendable(session, d, now=now)]
        session.flush()
        if sendable or not claimed:
            return sendable


def begin_attempt(session: Session, delivery: Delivery, *, now: datetime) -> bool:
    """Note that the provider is called now; say whether the lease still allows it.

    Only what was begun and never settled counts as a crash: a message that waited
    in the batch of one that crashed is not to blame.
    """
    held = session.execute(
        update(Delivery)
        .where(
            Delivery.id == delivery.id,
            Delivery.lease_id == delivery.lease_id,
            Delivery.lease_until > now,
        )
        .values(attempts=Delivery.attempts + 1)
        .returning(Delivery.id),
        execution_options={"synchronize_session": False},
    ).first()
    if held is None:
        return False
    facts = {"delivery_id": delivery.id, "lease_id": delivery.lease_id}
    session.execute(insert(Attempt).values(**facts, started_at=now))
    return True


def release_deliveries(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Give back leased messages that were not begun: they are due as before."""
    for delivery in deliveries:
        session.execute(
            update(Delivery)
            .where(Delivery.id == delivery.id, Delivery.lease_id == delivery.lease_id)
            .values(state="pending", lease_id=None, lease_until=None),
            execution_options={"synchronize_session": False},
        )


def _stays_sendable(session: Session, delivery: Delivery, *, now: datetime) -> bool:
    if delivery.expires_at <= now:
        _close(delivery, state="expired")
        return False
    if delivery.attempts >= CRASHES_ALLOWED:
        crashes = session.scalar(
            select(func.count())
            .select_from(Attempt)
            .where(Attempt.delivery_id == delivery.id, Attempt.ended_at.is_(None))
        )
        if (crashes or 0) >= CRASHES_ALLOWED:
            _close(delivery, state="dead", error="crashed")
            return False
    return True


def _close(delivery: Delivery, *, state: str, error: str | None = None) -> None:
    delivery.state = state
    delivery.lease_id = delivery.lease_until = None
    delivery.last_error = error
    if state != "dead":
        delivery.context = None


def suppress_waiting(session: Session, contact_id: int, *, reason: str) -> None:
    """Keep what waits for a contact point from leaving; what is on its way is not."""
    session.execute(
        update(Delivery)
        .where(Delivery.contact_id == contact_id, Delivery.state == "pending")
        .values(state="suppressed", context=None, last_error=reason),
        execution_options={"synchronize_session": False},
    )


def cancel_delivery(session: Session, delivery: Delivery) -> None:
    """Close a claimed message that nobody needs any more, unsent."""
    held = session.get(Delivery, delivery.id, with_for_update=True)
    if held is not None and held.lease_id == delivery.lease_id:
        _close(held, state="cancelled")


def settle_delivery(
    session: Session,
    *,
    delivery_id: int,
    lease_id: str,
    now: datetime,
    provider_ref: str | None = None,
    error: str | None = None,
    permanent: bool = False,
) -> bool:
    """Write how a send ended; say whether the lease was still the caller's.

    Without an error the message is accepted and its words are dropped. With one
    it is tried again after a pause, or dead when the error is permanent or the
    next try would be too late.
    """
    delivery = session.get(Delivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.lease_id != lease_id:
        return False
    _end_attempt(session, delivery, outcome=error or "accepted", now=now)
    next_at = now + backoff(max(delivery.attempts, 1), chance=_jitter.random())
    if error is None:
        _close(delivery, state="accepted")
        delivery.accepted_at = now
        delivery.provider_ref = provider_ref
    elif permanent or next_at >= delivery.expires_at:
        _close(delivery, state="dead", error=error)
    else:
        delivery.state = "pending"
        delivery.next_at = next_at
        delivery.last_error = error
        delivery.lease_id = delivery.lease_until = None
    return True


def _end_attempt(
    session: Session, delivery: Delivery, *, outcome: str, now: datetime
) -> None:
    which = {"delivery": delivery.id, "lease": delivery.lease_id}
    ask(session, _END_ATTEMPT, which | {"ended": now, "said": outcome})
