"""Sends what is in the outbox; each channel by itself, so that none waits for another.

A provider that hangs holds up its own messages only.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from sqlalchemy.orm import Session

from jobs.leaving import follow
from jobs.line import BATCH, Line
from jobs.runtime import transaction
from pillweb.base.clock import database_now
from pillweb.base.db import database
from pillweb.base.log import log
from pillweb.channels.registry import channels
from pillweb.outbox.actions.breaking import enter_channel
from pillweb.outbox.actions.sending import (
    bury_deliveries,
    claim_deliveries,
    close_deliveries,
    postpone_deliveries,
)
from pillweb.outbox.queries import due_channels, health_of, oldest_waiting
from pillweb.outbox.rules import DETOUR_AFTER, REST

# Well under the time RQ gives this job: cut off in a send, that would count as a crash.
RUN_FOR_S = 60.0
# While one channel is slow, the others are looked after this often.
LOOK_EVERY_S = 0.5
MOST_CHANNELS = 12


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a message waits to be sent."""
    return oldest_waiting(session, now=now)


def run() -> int:
    """Send everything due; return how many messages the providers took over."""
    until = time.monotonic() + RUN_FOR_S
    accepted = 0
    busy: dict[str, Future[int]] = {}
    with ThreadPoolExecutor(MOST_CHANNELS, "deliver") as pool:
        is_first = True
        while is_first or busy:
            if time.monotonic() < until:
                for name in _due() - busy.keys():
                    busy[name] = pool.submit(send_channel, name, until=until)
            is_first = False
            done, _ = wait(busy.values(), timeout=LOOK_EVERY_S)
            ended = {name: one for name, one in busy.items() if one in done}
            busy = {name: one for name, one in busy.items() if one not in done}
            accepted += sum(one.result() for one in ended.values())
    return accepted


def _due() -> set[str]:
    with database().reading() as session:
        return due_channels(session, now=database_now(session))


def send_channel(name: str, *, until: float) -> int:
    """Send what is due by one channel until then; return how much was accepted."""
    channel = channels().get(name)
    if channel is None or not channel.is_ready():
        return _give_up(name, error="channel_off" if channel else "channel_unknown")
    with transaction() as (session, now):
        most, health = enter_channel(session, name, now=now, most=BATCH)
    if not most:
        return _go_round(name)
    with channel.open_channel() as send:
        return Line(name, send, most=most, health=health).run(until=until)


def _give_up(name: str, *, error: str) -> int:
    """Make dead letters of what is due by a channel that this installation lacks."""
    with transaction() as (session, now):
        claim = claim_deliveries(session, now=now, limit=BATCH, channel=name)
        bury_deliveries(session, claim.ready, error=error)
        follow(session, [*claim.ready, *claim.crashed], now=now)
    for one in claim.ready:
        log.warning("message_dead", delivery=one.id, error=error)
    return 0


def _go_round(name: str) -> int:
    """Send by another channel, where there is one, what a failing provider holds up."""
    with transaction() as (session, now):
        health = health_of(session, name)
        since = health.failing_since
        if since is None or now - since < DETOUR_AFTER:
            return 0
        claim = claim_deliveries(session, now=now, limit=BATCH, channel=name)
        followed = follow(session, [*claim.ready, *claim.crashed], now=now)
        round_ = [one for one in claim.ready if one.id in followed]
        kept = [one for one in claim.ready if one.id not in followed]
        close_deliveries(session, round_, state="superseded", error=health.last_error)
        postpone_deliveries(
            session, kept, until=health.retry_at or now + REST, error=health.last_error
        )
    return 0
