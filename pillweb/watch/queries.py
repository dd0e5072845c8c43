"""Questions about how reminders do."""

import time
from datetime import datetime, timedelta
from functools import cache

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from pillweb.base.clock import now as clock_now
from pillweb.base.db import database
from pillweb.base.heartbeat import JUMP, Heartbeat, disbelieved
from pillweb.base.known_settings import ROOT
from pillweb.outbox.models import Breaker, Canary, Delivery, Incident
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import oldest_unfired
from pillweb.reminders.rules.lateness import UNTOLD
from pillweb.watch.rules.alarm import CANARY_EVERY, DELAYING, RESTORED, is_late
from pillweb.watch.rules.metrics import Figures

CLOCK, ROUND = "clock", "canaries"
KEPT_S = 15.0
AN_HOUR = timedelta(hours=1)
# So many messages are looked through for those of the last hour.
NEWEST = 20_000
_HAS_BEATEN = select(func.max(Heartbeat.beat_at)).where(Heartbeat.component == CLOCK)
_TROUBLED = select(func.min(Incident.opened_at)).where(
    Incident.closed_at.is_(None), Incident.kind.in_(DELAYING)
)
_SIGNS = select(_TROUBLED.scalar_subquery(), _HAS_BEATEN.scalar_subquery())


def last_clock_beat(session: Session) -> datetime | None:
    """Return when any clock last was well."""
    return session.scalar(_HAS_BEATEN)


def reminder_since(session: Session, *, now: datetime) -> datetime | None:
    """Return since when the oldest message is due that nobody sends; None if all are.

    What waits for a provider that fails is no lag of ours: it is its own incident.
    """
    broken = select(Breaker.channel).where(Breaker.retry_at.is_not(None))
    found = [
        session.scalar(
            select(func.min(at)).where(
                Delivery.state == state, at <= now, Delivery.channel.not_in(broken)
            )
        )
        for state, at in (
            ("pending", Delivery.next_at),
            ("leased", Delivery.lease_until),
        )
    ]
    found.append(oldest_unfired(session, now=now))
    return min((at for at in found if at), default=None)


def is_held(session: Session) -> bool:
    """Say whether nothing may be sent: the database is an old one, put back."""
    found = session.scalar(
        select(Incident.id)
        .where(Incident.kind == RESTORED, Incident.closed_at.is_(None))
        .limit(1)
    )
    return found is not None


@cache
def newest_migration() -> str | None:
    """Return the revision the code expects the database to have."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def look_at(session: Session, *, now: datetime) -> tuple[str, Figures | None]:
    """Return what is wrong with the database, if anything, and how messages do."""
    try:
        context = MigrationContext.configure(session.connection())
        if context.get_current_revision() != newest_migration():
            return "schema", None
        return "", figures(session, now=now)
    except SQLAlchemyError:
        return "database", None


def dead_letters(session: Session) -> dict[str, int]:
    """Return how many messages were given up, by channel."""
    return _by_channel(session, Delivery.state == "dead")


def _by_channel(session: Session, *which: object) -> dict[str, int]:
    rows = session.execute(
        select(Delivery.channel, func.count())
        .where(*which)  # type: ignore[arg-type]
        .group_by(Delivery.channel)
    )
    return {row[0]: row[1] for row in rows}


def figures(session: Session, *, now: datetime) -> Figures:
    """Return everything a monitor may want to know."""
    now -= disbelieved(session, now)
    since = reminder_since(session, now=now)
    newest = (
        select(Delivery.channel, Delivery.state, Delivery.created_at)
        .order_by(Delivery.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    lately = session.execute(
        select(newest.c.channel, newest.c.state, func.count())
        .where(newest.c.created_at > now - AN_HOUR)
        .group_by(newest.c.channel, newest.c.state)
    )
    beats = session.scalars(select(Heartbeat).where(Heartbeat.component != JUMP)).all()
    incidents = session.scalars(select(Incident).where(Incident.closed_at.is_(None)))
    breakers = session.scalars(select(Breaker)).all()
    canaries = session.execute(
        select(Canary.channel, func.max(Canary.returned_at))
        .where(Canary.returned_at.is_not(None))
        .group_by(Canary.channel)
    )

    def age(at: datetime) -> float:
        return (now - at).total_seconds()

    return Figures(
        lag_s=age(since) if since else 0.0,
        due=_by_channel(session, Delivery.state == "pending", Delivery.next_at <= now),
        dead=dead_letters(session),
        lately={(channel, state): count for channel, state, count in lately},
        beats={(one.component, one.instance): age(one.beat_at) for one in beats},
        incidents={(one.kind, one.about): age(one.opened_at) for one in incidents},
        failing={b.channel: age(b.failing_since or now) for b in breakers},
        open_breakers=frozenset(b.channel for b in breakers if b.retry_at),
        canaries={channel: age(at) for channel, at in canaries if at},
    )


class Delays:
    """Since when reminders are delayed: asked once in 15 s, however many pages ask."""

    _until: float = 0.0
    _since: datetime | None = None

    def forget(self) -> None:
        """Ask anew the next time."""
        self._until = 0.0

    def since(self) -> datetime | None:
        """Return since when reminders are delayed; None while all is well."""
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + KEPT_S
            self._since = _delayed_since()
        return self._since


delays = Delays()


def _delayed_since() -> datetime | None:
    try:
        with database().reading() as session:
            troubled, beaten = session.execute(_SIGNS).one()
            at = clock_now()
            at -= disbelieved(session, at)
    except SQLAlchemyError:
        return None
    # A clock that stopped can open no incident.
    silent = beaten if is_late(beaten, now=at) else None
    return min((at for at in (troubled, silent) if at), default=None)


def oldest_late(session: Session, *, now: datetime) -> datetime | None:
    """Return since when something waits to be told late; None when nothing does."""
    since: datetime | None = session.scalar(
        select(func.min(Reminder.next_at)).where(
            Reminder.state == UNTOLD, Reminder.next_at <= now
        )
    )
    return since


def open_troubles(session: Session) -> set[tuple[str, str]]:
    """Return what is wrong now: kind and subject of each open incident."""
    rows = session.execute(
        select(Incident.kind, Incident.about).where(Incident.closed_at.is_(None))
    )
    return {(row.kind, row.about) for row in rows}


def was_in_trouble(session: Session, *, start: datetime, end: datetime) -> bool:
    """Say whether any incident that keeps messages back lasted into these times."""
    found = session.scalar(
        select(Incident.id)
        .where(
            Incident.kind.in_(DELAYING),
            Incident.opened_at < end,
            or_(Incident.closed_at.is_(None), Incident.closed_at > start),
        )
        .limit(1)
    )
    return found is not None


def canary_round_due(session: Session, *, now: datetime) -> datetime | None:
    """Return since when messages to ourselves are to be sent again; None if not yet."""
    last: datetime | None = session.scalar(
        select(func.max(Heartbeat.beat_at)).where(Heartbeat.component == ROUND)
    )
    due = now if last is None else last + CANARY_EVERY
    return due if due <= now else None
