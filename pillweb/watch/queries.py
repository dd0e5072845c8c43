"""Questions about how reminders do."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from pillweb.accounts.queries import any_account
from pillweb.base.clock import now as clock_now
from pillweb.base.config import settings
from pillweb.base.heartbeat import JUMP, Heartbeat, disbelieved
from pillweb.base.known_settings import ROOT
from pillweb.base.sight import see_everybody
from pillweb.base.web_db import web_database
from pillweb.outbox.models import Breaker, Canary, Delivery, Incident
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import oldest_unfired
from pillweb.reminders.rules.lateness import UNTOLD
from pillweb.watch.models import BackupRun
from pillweb.watch.rules.alarm import (
    BACKUP,
    CANARY_EVERY,
    DELAYING,
    RESTORE_TEST,
    RESTORED,
    is_late,
)
from pillweb.watch.rules.keeping import (
    LEASE,
    RETRY,
    TEST_EVERY,
    TEST_RETRY,
    last_night,
    made_at_of,
    read_manifest,
)
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
    see_everybody(session)
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
        backups={kind: age(at) for kind, at in _successes(session)},
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
        with web_database().reading() as session:
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


def _successes(session: Session) -> list[tuple[str, datetime]]:
    """Return when a backup, and a test of one, last succeeded."""
    rows = session.execute(
        select(BackupRun.kind, func.max(BackupRun.started_at))
        .where(BackupRun.outcome == "ok")
        .group_by(BackupRun.kind)
    )
    return [(kind, at) for kind, at in rows]


def newest_run(session: Session, kind: str) -> BackupRun | None:
    """Return the backup, or the test of one, that was begun last."""
    return session.scalar(
        select(BackupRun)
        .where(BackupRun.kind == kind)
        .order_by(BackupRun.started_at.desc(), BackupRun.id.desc())
        .limit(1)
    )


def newest_runs(session: Session, *, limit: int) -> Sequence[BackupRun]:
    """Return the backups and tests that were begun last."""
    newest = BackupRun.started_at.desc(), BackupRun.id.desc()
    return session.scalars(select(BackupRun).order_by(*newest).limit(limit)).all()


def newest_success(session: Session, kind: str) -> BackupRun | None:
    """Return the newest backup, or test of one, that succeeded."""
    return session.scalar(
        select(BackupRun)
        .where(BackupRun.kind == kind, BackupRun.outcome == "ok")
        .order_by(BackupRun.started_at.desc())
        .limit(1)
    )


def backup_due(session: Session, *, now: datetime) -> datetime | None:
    """Return since when tonight's backup is to be made; None if it is not.

    One that failed is tried again an hour later. Without accounts there is nothing.
    """
    if not settings().backup_days:
        return None
    newest, good = newest_run(session, BACKUP), newest_success(session, BACKUP)
    due = last_night(now)
    if good and good.started_at >= due:
        return None
    if newest and newest.started_at > now - (RETRY if newest.finished_at else LEASE):
        return None
    return due if any_account(session) else None


def restore_test_due(session: Session, *, now: datetime) -> datetime | None:
    """Return since when the newest backup is to be tested; None if it is not."""
    if not settings().backup_days:
        return None
    newest = newest_run(session, RESTORE_TEST)
    good = newest_success(session, RESTORE_TEST)
    if newest and newest.started_at > now - (
        TEST_RETRY if newest.finished_at else LEASE
    ):
        return None
    if good and good.started_at > now - TEST_EVERY:
        return None
    made = newest_success(session, BACKUP)
    return (
        max(made.started_at, good.started_at + TEST_EVERY if good else made.started_at)
        if made
        else None
    )


def backup_folder() -> Path:
    """Return where backups are written every night."""
    return Path(settings().backup_dir or Path(settings().var_dir) / "backups")


def backup_url() -> str:
    """Return the database as whoever makes backups of it opens it."""
    return settings().backup_database_url or settings().database_url


def key_file() -> Path:
    """Return where the secret key stands that opens backups."""
    secret = Path(settings().var_dir) / "secrets" / "backup_key"
    return Path(settings().backup_key_file or secret)


def backups_in(folder: Path) -> dict[datetime, Path]:
    """Return the backups in a folder that are whole, by when they were made."""
    found = {}
    for file in folder.glob("pillweb-*.age"):
        made, beside = made_at_of(file.name), file.with_name(f"{file.name}.json")
        manifest = read_manifest(beside.read_text("utf-8")) if beside.exists() else None
        if made and manifest and manifest.bytes == file.stat().st_size:
            found[made] = file
    return found
