"""A database that crashes, is locked, full, busy or out of reach.

F6, F18, F21 and F26 of `table.py`.
"""

import os
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from jobs import fire_reminders, line
from jobs.runtime import transaction
from pillweb.base.config import settings
from pillweb.base.db import Database
from pillweb.base.web_db import web_database
from pillweb.channels import Message, Receipt
from pillweb.outbox.rules import LEASE, SEND_LIMIT
from tests.at_once import at_once
from tests.faults.checks import assert_nothing_lost
from tests.faults.home import PAGE_S, at_home, events
from tests.faults.line import database_line
from tests.faults.rig import (
    EMAIL,
    alive,
    all_left,
    crash_postgres,
    is_held,
    let_leases_end,
    make_due,
    outcomes,
    ring,
    states,
)
from tests.running import Processes, wait_until
from tests.services import Answer, SmtpSink

on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("db", ["postgres"], indirect=True)
LOUD = 503


@on_postgres
def test_processes_outlive_three_crashes_of_postgres(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    running = [house.start(name) for name in ("clock", "worker")]
    # A worker that starts while there is no database ends, and is started again.
    both = {"clock", "reminders"}
    wait_until(lambda: both <= alive(db), seconds=60, what=house.said())
    for crash in range(1, 4):
        make_due(db, 4)
        crash_postgres(db)
        wait_until(lambda n=crash: is_done(db, 4 * n), seconds=60, what=house.said())  # type: ignore[misc]
    assert [process.poll() for process in running] == [None, None]
    assert_nothing_lost(db, sink)


def is_done(db: Database, count: int) -> bool:
    try:
        return all_left(db, count)
    except sa.exc.OperationalError:
        return False


@on_postgres
def test_pages_say_that_the_database_is_away_and_work_again_by_themselves(
    app: Flask, db: Database
) -> None:
    home = at_home(app, db)
    path = f"/patients/{home.world.patient}/today"
    assert home.client.get(path).status_code == 200
    crash_postgres(db)
    until = time.monotonic() + 20
    seen: list[int] = []
    while not seen or seen[-1] != 200:
        answer = home.client.get(path)
        seen.append(answer.status_code)
        assert answer.status_code in {200, LOUD}
        assert answer.status_code == 200 or answer.headers["Retry-After"]
        assert time.monotonic() < until, seen
    assert home.press() == 303
    assert events(db) == ["taken"]


@on_sqlite
def test_a_locked_file_is_told_and_nothing_is_claimed_to_be_recorded(
    app: Flask, db: Database
) -> None:
    home = at_home(app, db)
    # The house waits for 15 s; how long it waits is not what is tried here.
    sa.event.listen(db.engine, "connect", _be_impatient)
    db.engine.dispose()
    with db.engine.connect() as own:
        own.exec_driver_sql("select 1")
        answer = home.answer("take")
        assert answer.status_code == LOUD
        assert answer.headers["Retry-After"]
        # Nor is it asked again who that was: what she keeps offline stays.
        assert "Pillweb-Account" not in answer.headers
        assert events(db) == []
        own.rollback()
    assert home.press() == 303
    assert events(db) == ["taken"]


def _be_impatient(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout=200")


@on_sqlite
def test_a_full_disk_under_sqlite_is_told_loudly_and_harms_nothing(
    app: Flask, db: Database
) -> None:
    home = at_home(app, db)
    limits = {"to": 1}

    def limit(connection: sa.Connection) -> None:
        # No smaller than the file is: it can only not grow.
        connection.exec_driver_sql(f"PRAGMA max_page_count={limits['to']}")

    sa.event.listen(db.engine, "begin", limit, insert=True)
    assert fill(db) == "full"
    statuses: list[int] = []
    while not statuses or statuses[-1] == 303:
        statuses.append(home.undo() if len(statuses) % 2 else home.press())
        assert len(statuses) < 500
    # Each success that was claimed is kept, and the one that was not is no success.
    assert statuses[-1] == LOUD
    assert len(events(db)) == len(statuses) - 1
    limits["to"] = 1_000_000
    assert (home.press(), home.undo()).count(303) == 2
    assert len(events(db)) >= len(statuses)
    with db.reading() as session:
        assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"


def fill(db: Database) -> str:
    """Fill the pages of the file to the last; return how the last attempt ended."""
    number = 0
    while number < 20_000:
        try:
            with db.transaction() as session:
                session.execute(sa.text("create table if not exists junk (x text)"))
                session.execute(sa.text("insert into junk values (zeroblob(500))"))
        except sa.exc.OperationalError as error:
            return "full" if "full" in str(error) else str(error)
        number += 1
    return "never"


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Give a file system of that size; skip the test where none may be made."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mount = ["/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "tmpfs"]
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        folder = Path(made)
        # Postgres is another user.
        folder.chmod(0o755)
        disk = folder / "disk"
        disk.mkdir()
        done = subprocess.run([*mount, disk], check=False, capture_output=True)
        if done.returncode:
            pytest.skip("no small disk may be mounted here")
        try:
            yield disk
        finally:
            subprocess.run(["/bin/umount", "-l", disk], check=True)


@contextmanager
def events_on(disk: Path, db: Database) -> Iterator[sa.Connection]:
    """Keep the table of events on a disk; give a connection that commits by itself."""
    place = disk / "rows"
    place.mkdir(mode=0o700)
    admin = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as own:
        run = own.exec_driver_sql
        owner = Path(run("show data_directory").scalar_one()).stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        run(f"create tablespace small location '{place}'")
        run("alter table dose_event set tablespace small")
        try:
            yield own
        finally:
            run("alter table dose_event set tablespace pg_default")
            run("drop tablespace small")


@on_postgres
def test_a_full_disk_under_postgres_is_told_loudly_and_harms_nothing(
    app: Flask, db: Database
) -> None:
    home = at_home(app, db)
    with small_disk(2) as disk, events_on(disk, db) as own:
        # A table without rows has no page with room left.
        own.exec_driver_sql("truncate dose_event cascade")
        fill_rest(disk / "rest")
        try:
            assert home.press() == LOUD
            assert events(db) == []
        finally:
            (disk / "rest").unlink()
        assert home.press() == 303
        assert events(db) == ["taken"]


def fill_rest(file: Path) -> None:
    """Write to a file until the disk is full."""
    with file.open("ab", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            return


@on_postgres
def test_a_pool_that_is_used_up_is_told_and_leaves_the_quick_page_its_turn(
    app: Flask, db: Database
) -> None:
    home = at_home(app, db)
    path = f"/patients/{home.world.patient}/reports"

    def look(_: int) -> int:
        own = app.test_client()
        with home.client.session_transaction() as mine:
            kept = dict(mine)
        with own.session_transaction() as cookie:
            cookie.update(kept)
        return own.get(path).status_code

    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(web_database().engine.connect())
        assert home.press() == LOUD
    # Reports are built by a job: whoever orders or looks at many holds nothing.
    pressed: list[tuple[int, float]] = []
    presser = threading.Thread(target=lambda: pressed.append(home.timed_press()))
    presser.start()
    assert set(at_once(50, look)) <= {200, LOUD}
    presser.join()
    assert pressed[0][0] in {303, LOUD}
    status, took = home.timed_press()
    assert status == 303
    assert took < PAGE_S
    assert events(db) == ["taken"]


def test_what_was_sent_when_the_database_went_is_written_when_it_is_back(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_due(db, 3)
    fire_reminders.run()
    sent: list[str] = []
    failures = iter([True, True])

    @contextmanager
    def away() -> Iterator[tuple[Session, datetime]]:
        with transaction() as (session, now):
            yield session, now
            if len(sent) and next(failures, False):
                raise sa.exc.OperationalError("commit", {}, Exception("away"))

    def send(message: Message) -> Receipt:
        sent.append(message.key)
        return Receipt(message.key)

    monkeypatch.setattr(line, "transaction", away)
    monkeypatch.setattr(line, "LATE_EVERY_S", 0.01)
    with pytest.raises(sa.exc.OperationalError):
        line.Line(EMAIL, send).run(until=time.monotonic() + 20)
    assert len(sent) == states(db).count("accepted") == 1
    let_leases_end(db)
    line.Line(EMAIL, send).run(until=time.monotonic() + 20)
    assert all_left(db, 3)
    assert len(sent) == len(set(sent)) == 3


@on_postgres
def test_a_worker_cut_off_from_the_database_begins_nothing_more(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    make_due(db, 4)
    sink.script(Answer(after=3))
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        database_line(settings().database_url, Path(folder)) as cable,
    ):
        house.start("worker", DATABASE_URL=cable.url)
        ring()
        wait_until(lambda: is_held(sink), seconds=30, what=house.said())
        cable.cut()
        # The mail it is busy with is taken; it cannot say so, nor begin another.
        sink.wait_for(1, timeout=10)
        time.sleep(2)
        assert len(sink.mails) == 1
        let_leases_end(db)
        house.start("clock")
        # What it held open in the database ends after ten seconds.
        wait_until(lambda: all_left(db, 4), seconds=60, what=house.said())
        said = len(sink.mails)
        cable.mend()
        time.sleep(2)
        assert len(sink.mails) == said
    assert outcomes(db).count("accepted") >= 4
    assert_nothing_lost(db, sink, cut_off=1)
    assert SEND_LIMIT.total_seconds() + 2 < LEASE.total_seconds()
