"""Every night a backup, every week a proof that one restores (R14)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from jobs import back_up, try_restore
from jobs.clock import tick
from pillweb.accounts.models import Account
from pillweb.audit.actions import append_entry
from pillweb.audit.models import AuditHead
from pillweb.base.db import Database, make_engine
from pillweb.base.dumping import contents_of, kind_of
from pillweb.base.visits import COMMAND, Visit
from pillweb.outbox.models import Delivery, Incident
from pillweb.watch.actions import backing_up, putting_back
from pillweb.watch.actions.backing_up import begin_run, make_backup
from pillweb.watch.models import BackupRun
from pillweb.watch.queries import backups_in, figures
from tests.conftest import use_settings
from tests.jobs.conftest import Moment
from tests.watch.conftest import place
from tests.world import World

__all__ = ["place"]
DAY = timedelta(days=1)


def runs(db: Database) -> list[tuple[str, str, str]]:
    with db.reading() as session:
        rows = session.scalars(sa.select(BackupRun).order_by(BackupRun.id))
        return [(row.kind, row.outcome, row.reason) for row in rows]


def incidents(db: Database) -> set[str]:
    with db.reading() as session:
        still = sa.select(Incident.kind).where(Incident.closed_at.is_(None))
        return set(session.scalars(still))


def waits(db: Database, job: Callable[..., object], moment: Moment) -> bool:
    with db.reading() as session:
        return job(session, moment.now) is not None


def test_a_backup_a_night_and_one_test_a_week(
    db: Database, world: World, place: Path, moment: Moment
) -> None:
    assert back_up.run() == 1
    assert back_up.run() == 0
    assert try_restore.run() == 1
    assert try_restore.run() == 0
    # Until the next night at 2, UTC.
    moment.move(hours=17, minutes=54)
    assert not waits(db, back_up.oldest, moment)
    moment.move(minutes=1)
    assert back_up.run() == 1
    moment.move(days=5)
    assert not waits(db, try_restore.oldest, moment)
    moment.move(days=2)
    assert try_restore.run() == 1
    good = [("backup", "ok", ""), ("restore", "ok", "")]
    assert runs(db) == [good[0], good[1], good[0], good[1]]
    assert incidents(db) == set()
    with db.reading() as session:
        found = figures(session, now=moment.now).backups
        newest = session.scalars(sa.select(BackupRun.size)).all()
    assert found == {"backup": (7 * DAY).total_seconds(), "restore": 0}
    assert min(newest) > 1000


def test_nothing_is_sent_from_what_is_restored_and_nothing_is_left_of_it(
    db: Database, world: World, place: Path, moment: Moment
) -> None:
    back_up.run()
    with db.reading() as session:
        before = session.scalars(sa.select(Delivery.id)).all()
    try_restore.run()
    with db.reading() as session:
        assert session.scalars(sa.select(Delivery.id)).all() == before
        if db.engine.dialect.name == "postgresql":
            names = session.scalars(sa.text("select datname from pg_database")).all()
            assert not [name for name in names if name.endswith("_restore_test")]
    assert list((place / "work").iterdir()) == []


def test_without_people_or_without_days_there_is_none(
    db: Database, place: Path, moment: Moment, app: Flask
) -> None:
    assert back_up.run() == 0
    assert try_restore.run() == 0
    use_settings(BACKUP_DAYS="0")
    assert tick() == 0
    assert runs(db) == []


def test_one_that_fails_is_told_and_tried_again_an_hour_later(
    db: Database,
    world: World,
    place: Path,
    moment: Moment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(backing_up, "LEAST_FREE", 1.0)
        assert back_up.run() == 0
        assert back_up.run() == 0
    assert runs(db) == [("backup", "failed", "disk")]
    assert incidents(db) == {"backup"}
    moment.move(hours=1)
    assert back_up.run() == 1
    assert incidents(db) == set()


def test_one_that_was_killed_is_begun_again_and_two_never_run_at_once(
    db: Database, world: World, place: Path, moment: Moment
) -> None:
    with db.transaction() as session:
        assert begin_run(session, "backup", now=moment.now)
    with db.transaction() as session:
        assert begin_run(session, "backup", now=moment.now) is None
    assert back_up.run() == 0
    moment.move(hours=2, seconds=1)
    assert back_up.run() == 1
    assert runs(db) == [("backup", "failed", "cut_off"), ("backup", "ok", "")]


def plant(db: Database, what: str, now: datetime) -> None:
    """Do to a database what its next backup must not be believed for."""
    with db.transaction() as session:
        if what == "sign_in":
            newest = sa.select(sa.func.max(Account.id)).scalar_subquery()
            session.execute(
                sa.update(Account)
                .where(Account.id == newest)
                .values(email_index=b"another")
            )
            return
        append_entry(session, Visit(1, COMMAND), act="a", ids={}, now=now)
        head = session.get_one(AuditHead, 1)
        head.hash = bytes(32)


@pytest.mark.parametrize("what", ["record", "sign_in"])
def test_a_planted_corruption_is_found(
    what: str, db: Database, world: World, place: Path, moment: Moment
) -> None:
    plant(db, what, moment.now)
    assert back_up.run() == 1
    assert try_restore.run() == 0
    assert runs(db)[1:] == [("restore", "failed", what)]
    assert incidents(db) == {"restore"}


def test_a_copy_that_lost_rows_or_pages_is_found(
    db: Database,
    world: World,
    place: Path,
    moment: Moment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert back_up.run() == 1

    def one_less(url: str) -> object:
        engine = make_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("delete from reminder_link")
            connection.exec_driver_sql("delete from share_link")
        engine.dispose()
        return contents_of(url)

    with monkeypatch.context() as patch:
        patch.setattr(putting_back, "contents_of", one_less)
        assert try_restore.run() == 0
    assert runs(db)[1:] == [("restore", "failed", "counts")]


def test_a_damaged_page_stops_the_backup_and_the_last_good_one_stays(
    db: Database, world: World, place: Path, moment: Moment
) -> None:
    url = str(db.engine.url)
    if kind_of(url) != "sqlite":
        pytest.skip("Postgres looks after its own files")
    assert back_up.run() == 1
    good = backups_in(place / "backups")
    with db.reading() as session:
        session.execute(sa.text("pragma wal_checkpoint(truncate)"))
        root = session.scalar(
            sa.text("select rootpage from sqlite_master where name = 'medication'")
        )
    db.engine.dispose()
    with Path(db.engine.url.database or "").open("r+b") as file:
        file.seek((root - 1) * 4096 + 8)
        file.write(b"\xff" * 64)
    moment.move(days=1)
    assert back_up.run() == 0
    assert runs(db)[1:] == [("backup", "failed", "integrity")]
    assert backups_in(place / "backups") == good
    assert incidents(db) == {"backup"}


def test_where_it_cannot_be_tested_that_is_told_after_eight_days(
    db: Database, world: World, place: Path, moment: Moment
) -> None:
    assert back_up.run() == 1
    (place / "secrets" / "backup_key").unlink()
    assert try_restore.run() == 0
    assert runs(db)[1:] == [("restore", "cannot", "no_key")]
    assert incidents(db) == set()
    moment.move(days=8, minutes=1)
    assert try_restore.run() == 0
    assert incidents(db) == {"restore"}


def test_the_newest_of_the_folder_is_tested(
    db: Database, world: World, place: Path, moment: Moment
) -> None:
    assert back_up.run() == 1
    newer, _manifest = make_backup(place / "backups", now=moment.now + DAY)
    assert try_restore.run() == 1
    with db.reading() as session:
        tested = sa.select(BackupRun.file).where(BackupRun.kind == "restore")
        assert session.scalar(tested) == newer.name
