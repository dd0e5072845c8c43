"""Messages to ourselves: does a channel carry them all the way?"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.heartbeat import Heartbeat
from pillweb.base.tokens import new_token
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Canary, Delivery
from pillweb.watch.queries import ROUND
from pillweb.watch.rules.alarm import CANARY, CANARY_EVERY

KIND = "canary"


def begin_round(session: Session, *, now: datetime) -> bool:
    """Take the round that is due, alone; say whether one is."""
    begun = session.execute(
        update(Heartbeat)
        .where(Heartbeat.component == ROUND, Heartbeat.beat_at <= now - CANARY_EVERY)
        .values(beat_at=now)
        .returning(Heartbeat.component),
        execution_options={"synchronize_session": False},
    ).first()
    first = {"component": ROUND, "instance": "all", "beat_at": now, "lag_s": 0}
    return begun is not None or insert_new(session, Heartbeat, [first]) > 0


def send_canaries(
    session: Session, watched: Mapping[str, str], *, now: datetime
) -> None:
    """Post a marked message to our own address of each channel."""
    for channel, address in watched.items():
        mark = new_token()
        session.add(Canary(channel=channel, mark=mark, sent_at=now))
        post_delivery(
            session,
            kind=KIND,
            channel=channel,
            recipient=address,
            dedupe_key=f"{KIND}:{mark}",
            context={"mark": mark},
            now=now,
            expires_at=now + 2 * CANARY_EVERY,
        )


def note_returns(session: Session, marks: Collection[str], *, now: datetime) -> None:
    """Note which canaries came back; also those whose provider says "delivered"."""
    delivered = select(Delivery.id).where(
        Delivery.dedupe_key == f"{KIND}:" + Canary.mark,
        Delivery.delivered_at.is_not(None),
    )
    session.execute(
        update(Canary)
        .where(
            Canary.returned_at.is_(None), Canary.mark.in_(marks) | delivered.exists()
        )
        .values(returned_at=now),
        execution_options={"synchronize_session": False},
    )


def judge_canaries(
    session: Session, watched: Collection[str], *, now: datetime
) -> bool | None:
    """Open an incident for each channel whose canaries stay away.

    Return whether all is well: false where one has been away for two periods and none
    since came back, None where one is later than a period and may still come.
    """
    lost, is_late = set(), False
    for channel in watched:
        newest = _newest(session, channel)
        back = max((one.sent_at for one in newest if one.returned_at), default=None)
        out = [one.sent_at for one in newest if back is None or one.sent_at > back]
        since = min(out, default=now)
        is_late = is_late or now - since >= CANARY_EVERY
        if now - since >= 2 * CANARY_EVERY:
            lost.add(channel)
            open_incident(session, kind=CANARY, about=channel, opened_at=since)
    close_incidents(session, kind=CANARY, besides=lost, now=now)
    return False if lost else None if is_late else True


def _newest(session: Session, channel: str) -> Sequence[Canary]:
    return session.scalars(
        select(Canary)
        .where(Canary.channel == channel)
        .order_by(Canary.id.desc())
        .limit(10)
    ).all()
