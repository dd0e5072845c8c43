"""Sends messages to ourselves, sees which came back, and tells who watches us."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.config import settings
from pillweb.base.log import log
from pillweb.base.queue import wake
from pillweb.channels.loop import came_back, ping_dead_man
from pillweb.channels.registry import ready_channels
from pillweb.outbox.models import Canary
from pillweb.watch.actions.canaries import (
    begin_round,
    judge_canaries,
    note_returns,
    send_canaries,
)
from pillweb.watch.queries import canary_round_due, open_troubles, reminder_since
from pillweb.watch.rules.alarm import CANARY_EVERY, DELAYING, is_late


def watched() -> dict[str, str]:
    """Return our own address of each channel that is watched."""
    found = settings()
    ours = {
        "email": found.canary_email,
        "ntfy": found.canary_ntfy,
        "sms": found.canary_sms,
    }
    ready = {channel.NAME for channel in ready_channels()}
    return {
        name: address for name, address in ours.items() if address and name in ready
    }


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a round waits, where anything is watched or told."""
    if not (settings().dead_man_url or watched()):
        return None
    return canary_round_due(session, now=now)


def run() -> int:
    """Do the round that is due; return how many canaries were sent."""
    channels = watched()
    if not (settings().dead_man_url or channels):
        return 0
    with transaction() as (session, now):
        if not begin_round(session, now=now):
            return 0
        out = session.execute(
            select(Canary.channel, Canary.mark, Canary.sent_at).where(
                Canary.returned_at.is_(None),
                Canary.sent_at > now - 4 * CANARY_EVERY,
                Canary.channel.in_(channels),
            )
        ).all()
    back = [
        mark
        for channel, mark, sent_at in out
        if came_back(channel, mark, sent_s_ago=(now - sent_at).total_seconds())
    ]
    with transaction() as (session, now):
        note_returns(session, back, now=now)
        is_well = judge_canaries(session, channels, now=now)
        in_trouble = any(kind in DELAYING for kind, _about in open_troubles(session))
        if in_trouble or is_late(reminder_since(session, now=now), now=now):
            is_well = False
        send_canaries(session, channels, now=now)
    if channels:
        wake("deliver")
    heard = is_well is not None and ping_dead_man(is_well=is_well)
    log.info("canaries_judged", is_well=is_well, back=len(back), heard=heard)
    return len(channels)
