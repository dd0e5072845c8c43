"""How a message leaves: claimed, begun, settled."""

import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from pillweb.base.crypto import UnreadableError
from pillweb.base.db import ask, table_of
from pillweb.base.log import log
from pillweb.base.sealed import located, read_text
from pillweb.outbox.models import WAITING, Attempt, Delivery
from pillweb.outbox.rules import (
    CRASHES_ALLOWED,
    LEASE,
    LONGEST_PAUSE_S,
    UNREADABLE,
    Leased,
    Sent,
    next_try,
)

_DELIVERY = table_of(Delivery).c
_ATTEMPT = table_of(Attempt).c
_FREE: Mapping[str, Any] = {"lease_id": null(), "lease_until": null()}
SECRETS = ("recipient", "context")
_jitter = random.SystemRandom()

# By itself, so that it is asked once: inside the update Postgres may ask it again for
# each row, and claim more than the most.
_WAITING = (
    select(_DELIVERY.id)
    .where(
        # As the index has it, or it would not be used.
        text(WAITING),
        _DELIVERY.channel == bindparam("by"),
        _DELIVERY.next_at <= bindparam("at"),
    )
    .order_by(_DELIVERY.next_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("waiting")
)
_CLAIM = (
    update(table_of(Delivery))
    .where(_DELIVERY.id.in_(select(_WAITING.c.id)))
    .values(
        state="leased",
        lease_id=bindparam("lease"),
        lease_until=bindparam("until"),
        next_at=bindparam("until"),
    )
    # As they are kept: one that cannot be read must not hide the others.
    .returning(
        *(
            located(_DELIVERY[name], LargeBinary())
            if name in SECRETS
            else _DELIVERY[name]
            for name in Leased._fields
        )
    )
)
_held = (_DELIVERY.id == bindparam("which"), _DELIVERY.lease_id == bindparam("lease"))
_BEGIN = (
    update(table_of(Delivery))
    .where(
        _DELIVERY.id.in_(bindparam("ids", expanding=True)),
        _DELIVERY.lease_id == bindparam("lease"),
        _DELIVERY.lease_until > bindparam("at"),
    )
    .values(attempts=_DELIVERY.attempts + 1)
    .returning(_DELIVERY.id)
)
_NOTE_ATTEMPT = insert(table_of(Attempt))
_UNBEGIN = (
    update(table_of(Delivery)).where(*_held).values(attempts=_DELIVERY.attempts - 1)
)
_FORGET_ATTEMPT = delete(table_of(Attempt)).where(
    _ATTEMPT.delivery_id == bindparam("which"), _ATTEMPT.lease_id == bindparam("lease")
)
_END_ATTEMPTS = (
    update(table_of(Attempt))
    .where(
        _ATTEMPT.delivery_id.in_(bindparam("ids", expanding=True)),
        _ATTEMPT.lease_id == bindparam("lease"),
    )
    .values(ended_at=bindparam("at"), outcome=bindparam("said"))
)
_ACCEPT = (
    update(table_of(Delivery))
    .where(*_held)
    .values(
        state="accepted",
        context=null(),
        accepted_at=bindparam("at"),
        provider_ref=bindparam("reference"),
        last_error=null(),
        **_FREE,
    )
    .execution_options(preserve_rowcount=True)
)
_RETRY = (
    update(table_of(Delivery))
    .where(*_held)
    .values(
        state="pending",
        next_at=bindparam("then"),
        last_error=bindparam("said"),
        **_FREE,
    )
)
_RELEASE = (
    update(table_of(Delivery))
    .where(*_held)
    .values(state="pending", next_at=bindparam("then"), **_FREE)
)
_HOLD = (
    update(table_of(Delivery))
    .where(*_held)
    .values(
        state="pending",
        next_at=bindparam("then"),
        expires_at=bindparam("over"),
        **_FREE,
    )
)
_CLOSE = (
    update(table_of(Delivery))
    .where(*_held)
    .values(
        state=bindparam("end"), last_error=bindparam("said"), context=null(), **_FREE
    )
)
# The words of a dead letter are kept: somebody may have it tried again.
_BURY = (
    update(table_of(Delivery))
    .where(*_held)
    .values(state="dead", last_error=bindparam("said"), **_FREE)
)


class Claim(NamedTuple):
    """What was claimed: what may be sent, and what crashed its senders too often."""

    ready: list[Leased]
    crashed: list[Leased]


def claim_deliveries(
    session: Session, *, now: datetime, limit: int, channel: str = "email"
) -> Claim:
    """Lease up to `limit` due messages of a channel to the caller.

    Nobody else gets them for 30 s; a lease that ran out is claimed like a pending
    row. What is past its time becomes expired; what crashed its sender three
    times becomes dead, so that it cannot stop its neighbours; what cannot be read is
    put off. Nothing at all means that none is due.
    """
    values = {"by": channel, "at": now, "until": now + LEASE, "most": limit}
    while True:
        lease = {"lease": uuid.uuid4().hex}
        rows = [_read(Leased(*row)) for row in ask(session, _CLAIM, values | lease)]
        late = [row for row in rows if row.expires_at <= now]
        close_deliveries(session, late, state="expired")
        timely = [row for row in rows if row.expires_at > now]
        unreadable = [row for row in timely if not row.recipient]
        _put_off_unreadable(session, unreadable, now=now)
        timely = [row for row in timely if row not in unreadable]
        crashed = _crashed(session, timely)
        bury_deliveries(session, crashed, error="crashed")
        ready = [row for row in timely if row not in crashed]
        if ready or crashed or not rows:
            return Claim(ready, crashed)


def _read(row: Leased) -> Leased:
    """Return a message with its words; without an address when it cannot be read."""
    try:
        recipient = read_text(row.recipient, place="delivery.recipient")
        context = read_text(row.context, place="delivery.context")
    except UnreadableError:
        log.warning("message_unreadable", delivery=row.id)
        recipient, context = "", None
    return row._replace(recipient=recipient or "", context=context)


def _put_off_unreadable(
    session: Session, rows: Sequence[Leased], *, now: datetime
) -> None:
    """Put off what cannot be read, until it would be too late: its key may come back.

    Then it is dead.
    """
    then = now + timedelta(seconds=LONGEST_PAUSE_S)
    waiting = [row for row in rows if row.expires_at > then]
    postpone_deliveries(session, waiting, until=then, error=UNREADABLE)
    dead = [row for row in rows if row not in waiting]
    bury_deliveries(session, dead, error=UNREADABLE)


def _crashed(session: Session, rows: Sequence[Leased]) -> list[Leased]:
    """Return the messages that were begun and never settled too often.

    A message that waited in the batch of one that crashed is not to blame.
    """
    tried = [row.id for row in rows if row.attempts >= CRASHES_ALLOWED]
    if not tried:
        return []
    found = session.scalars(
        select(Attempt.delivery_id)
        .where(Attempt.delivery_id.in_(tried), Attempt.ended_at.is_(None))
        .group_by(Attempt.delivery_id)
        .having(func.count() >= CRASHES_ALLOWED)
    ).all()
    return [row for row in rows if row.id in found]


def begin_attempts(
    session: Session, rows: Sequence[Leased], *, now: datetime
) -> list[Leased]:
    """Note that the provider is called now; return whose lease still allows it.

    All are of one lease.
    """
    if not rows:
        return []
    lease = rows[0].lease_id
    values = {"ids": [row.id for row in rows], "lease": lease, "at": now}
    held = set(ask(session, _BEGIN, values).scalars())
    begun = [row for row in rows if row.id in held]
    notes = [
        {"delivery_id": row.id, "lease_id": lease, "started_at": now} for row in begun
    ]
    if notes:
        ask(session, _NOTE_ATTEMPT, notes)
    return begun


def withdraw_attempts(session: Session, rows: Sequence[Leased]) -> None:
    """Take back what was begun and for which the provider was not called after all."""
    if rows:
        ask(session, _FORGET_ATTEMPT, _each(rows))
        ask(session, _UNBEGIN, _each(rows))


def release_deliveries(
    session: Session, rows: Sequence[Leased], *, now: datetime
) -> None:
    """Give back leased messages that were not begun: they are due from `now` on."""
    if rows:
        ask(session, _RELEASE, _each(rows, then=now))


def postpone_deliveries(
    session: Session, rows: Sequence[Leased], *, until: datetime, error: str | None
) -> None:
    """Give back leased messages for which it is no use to be tried before then."""
    if rows:
        ask(session, _RETRY, _each(rows, then=until, said=error))


def hold_deliveries(
    session: Session, holds: Mapping[Leased, tuple[datetime, datetime]]
) -> None:
    """Give back leased messages that are not to be said now.

    Each with from when on it may be, and when it is over.
    """
    rows = [
        {"which": row.id, "lease": row.lease_id, "then": then, "over": over}
        for row, (then, over) in holds.items()
    ]
    if rows:
        ask(session, _HOLD, rows)


def supersede_deliveries(session: Session, delivery_ids: Collection[int]) -> None:
    """Close messages that wait to be tried again: they go by another channel now."""
    if delivery_ids:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(delivery_ids), Delivery.state == "pending")
            .values(state="superseded", context=None),
            execution_options={"synchronize_session": False},
        )


def close_deliveries(
    session: Session, rows: Sequence[Leased], *, state: str, error: str | None = None
) -> None:
    """Close claimed messages unsent: cancelled, expired, suppressed, superseded."""
    if rows:
        ask(session, _CLOSE, _each(rows, end=state, said=error))


def bury_deliveries(session: Session, rows: Sequence[Leased], *, error: str) -> None:
    """Make dead letters of claimed messages; their words are kept."""
    if rows:
        ask(session, _BURY, _each(rows, said=error))


def _each(rows: Collection[Leased], **values: object) -> list[dict[str, object]]:
    return [{"which": row.id, "lease": row.lease_id} | values for row in rows]


def settle_deliveries(
    session: Session, sent: Sequence[Sent], *, now: datetime
) -> tuple[list[Sent], int]:
    """Write how sends ended; return the dead, and how many were no longer the caller's.

    Without an error a message is accepted and its words are dropped. With one
    it is tried again after a pause, or dead when the error is permanent or the
    next try would be too late.
    """
    if not sent:
        return [], 0
    for_all: Mapping[str, object] = {"at": now}
    _end_attempts(session, sent, now=now)
    taken = [
        _one(one, **for_all, reference=one.reference) for one in sent if not one.error
    ]
    held = ask(session, _ACCEPT, taken).rowcount if taken else 0
    later, dead = [], []
    for one in sent:
        if not one.error:
            continue
        then = next_try(one, now=now, chance=_jitter.random())
        if then is None:
            dead.append(one)
        else:
            later.append(_one(one, then=then, said=one.error))
    if later:
        ask(session, _RETRY, later)
    if dead:
        ask(session, _BURY, [_one(one, said=one.error) for one in dead])
    return dead, len(taken) - held


def _end_attempts(session: Session, sent: Sequence[Sent], *, now: datetime) -> None:
    """Close what was begun; nearly always all of one lease was accepted."""
    ends: dict[tuple[str, str], list[int]] = {}
    for one in sent:
        how = one.leased.lease_id, one.error or "accepted"
        ends.setdefault(how, []).append(one.leased.id)
    for (lease, said), ids in ends.items():
        values = {"ids": ids, "lease": lease, "at": now, "said": said}
        ask(session, _END_ATTEMPTS, values)


def _one(sent: Sent, **values: object) -> dict[str, object]:
    return {"which": sent.leased.id, "lease": sent.leased.lease_id} | values


def suppress_told(
    session: Session, account_id: int, *, patient_id: int, reason: str
) -> None:
    """Keep what waits to tell an account of a patient from leaving."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.account_id == account_id,
            Delivery.patient_id == patient_id,
            Delivery.state == "pending",
        )
        .values(state="suppressed", context=None, last_error=reason),
        execution_options={"synchronize_session": False},
    )
