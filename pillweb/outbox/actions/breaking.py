"""How a provider that fails is left alone, and tried again."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.base.db import upsert
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.models import Breaker
from pillweb.outbox.queries import health_of
from pillweb.outbox.rules import REST, Health, Sent, health_after

CHANNEL = "channel"


def enter_channel(
    session: Session, channel: str, *, now: datetime, most: int
) -> tuple[int, Health]:
    """Return how many messages may go by a channel now, and how its provider does.

    None while it is left alone; then one, to see, for one process; else `most`.
    """
    health = health_of(session, channel)
    if health.retry_at is None:
        return most, health
    if health.retry_at > now:
        return 0, health
    is_mine = session.execute(
        update(Breaker)
        .where(Breaker.channel == channel, Breaker.retry_at <= now)
        .values(retry_at=now + REST)
        .returning(Breaker.channel),
        execution_options={"synchronize_session": False},
    ).first()
    return (1 if is_mine else 0), health


def heed_provider(
    session: Session,
    channel: str,
    sent: Sequence[Sent],
    *,
    before: Health,
    now: datetime,
) -> Health:
    """Note how a provider did, and return how it does now.

    Where we are at fault ourselves (keys, sign-in, money) that is an incident at once;
    it ends when the provider takes a message again.
    """
    if not before.failures and not any(one.error for one in sent):
        return before
    # Others call it, too.
    before = health_of(session, channel, locked=True)
    after = health_after(before, sent, now=now)
    if after != before:
        upsert(session, Breaker, [{"channel": channel} | asdict(after)])
    if any(one.is_ours for one in sent) and after.retry_at:
        open_incident(session, kind=CHANNEL, about=channel, opened_at=now)
    if before.failures and not after.failures:
        close_incidents(session, kind=CHANNEL, about=channel, now=now)
    return after
