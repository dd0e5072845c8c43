"""A backup is whole, tells nothing, and is one only when finished (R14)."""

import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from pillweb.base import dumping
from pillweb.base.age import BackupError, new_key, recipient_of, seal, unseal
from pillweb.base.db import Database
from pillweb.outbox.models import Delivery
from pillweb.watch.actions import backing_up
from pillweb.watch.actions.backing_up import forget_backups, make_backup, make_key
from pillweb.watch.actions.putting_back import must_hold, open_backup, read_key, scratch
from pillweb.watch.queries import backups_in
from pillweb.watch.rules.keeping import (
    Manifest,
    file_name,
    kept,
    last_night,
    made_at_of,
    read_manifest,
)
from tests.conftest import use_settings
from tests.services import ROOT
from tests.world import World

DAY = timedelta(days=1)
CANARY = "canary-4711"


def row(number: int, now: datetime) -> Delivery:
    return Delivery(
        channel="email",
        kind=CANARY,
        dedupe_key=f"{CANARY}:{number}",
        recipient="rosa@family.example",
        context="{}",
        created_at=now,
        next_at=now,
        expires_at=now + DAY,
    )


def test_a_backup_made_while_rows_are_written_restores_whole(
    db: Database, world: World, place: Path, now: datetime, tmp_path: Path
) -> None:
    enough = threading.Event()

    def write() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            with db.transaction() as session:
                # Two rows a commit: a copy that cuts one in two has an odd number.
                session.add_all([row(2 * number, now), row(2 * number + 1, now)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.2)
        file, _manifest = make_backup(place / "backups", now=now)
    finally:
        enough.set()
        writer.join()
    folder = tmp_path / "opened"
    folder.mkdir()
    opened = open_backup(file, folder, key=read_key(None))
    with scratch(opened, os.environ["DATABASE_URL"]) as url:
        must_hold(opened, url)
    saved = opened.contents.counts["delivery"]
    with db.reading() as session:
        there = session.scalar(sa.select(sa.func.count()).select_from(Delivery))
    assert there
    assert 0 < saved <= there
    assert saved % 2 == 0


def test_the_file_tells_nothing_and_nobody_else_may_read_it(
    db: Database, world: World, place: Path, now: datetime
) -> None:
    with db.transaction() as session:
        session.add(row(1, now))
    file, manifest = make_backup(place / "backups", now=now)
    sealed = file.read_bytes()
    for canary in (CANARY, "CREATE TABLE", "patient", "PGDMP", "SQLite format"):
        assert canary.encode() not in sealed
    assert sealed.startswith(b"age-encryption.org/v1\n")
    told = file.with_name(f"{file.name}.json").read_text()
    assert read_manifest(told) == manifest
    assert manifest.sha256 == sha256(sealed).hexdigest()
    assert manifest.bytes == len(sealed)
    assert set(Manifest.__slots__) == {
        *("format", "version", "schema", "database", "made_at", "bytes", "sha256")
    }
    for made in (*(place / "backups").iterdir(), place / "secrets" / "backup_key"):
        assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0, made
    assert list((place / "work").iterdir()) == []


def test_keys_are_in_no_backup_and_seals_are(
    db: Database, world: World, place: Path, now: datetime, tmp_path: Path
) -> None:
    (place / "audit-heads.txt").write_text("seals")
    (place / "erasures.jsonl").write_text("{}\n")
    (place / "high-water.json").write_text("{}")
    file, _manifest = make_backup(place / "backups", now=now)
    seen: list[str] = []

    class Names(list[str]):
        def __contains__(self, name: object) -> bool:
            seen.append(str(name))
            return False

    with file.open("rb") as source:
        unseal(source, tmp_path, Names(), key=make_key())
    assert sorted(seen) == ["audit-heads.txt", "contents.json", "database"]
    # Who was erased is told beside them, for the older ones.
    assert (place / "backups" / "erasures.jsonl").read_text() == "{}\n"


def test_the_ledger_beside_backups_only_grows(
    db: Database, world: World, place: Path, now: datetime
) -> None:
    """Another machine wrote there, or this one before its folder was lost (59)."""
    folder = place / "backups"
    folder.mkdir(exist_ok=True)
    (folder / "erasures.jsonl").write_text('{"id": 7}\n{"id": 8}\n{"id"')
    (place / "erasures.jsonl").write_text('{"id": 8}\n{"id": 9}\n')
    for _ in range(2):
        make_backup(folder, now=now)
        now += DAY
    told = (folder / "erasures.jsonl").read_text().splitlines()
    assert told == ['{"id": 7}', '{"id": 8}', '{"id"', '{"id": 9}']
    (place / "erasures.jsonl").unlink()
    make_backup(folder, now=now)
    assert (folder / "erasures.jsonl").read_text().splitlines() == told


def test_backups_for_a_key_elsewhere_cannot_be_opened_here(
    db: Database, world: World, place: Path, now: datetime, tmp_path: Path
) -> None:
    own = new_key()
    use_settings(BACKUP_RECIPIENT=recipient_of(own))
    file, _manifest = make_backup(place / "backups", now=now)
    with pytest.raises(BackupError, match="key that opens backups is not at"):
        read_key(None)
    with pytest.raises(BackupError, match="another key"):
        open_backup(file, tmp_path, key=new_key())
    assert open_backup(file, tmp_path, key=f"# mine\n{own}\n").contents.counts


def test_what_is_sealed_beside_or_as_a_link_is_left_out(tmp_path: Path) -> None:
    key, sealed = new_key(), BytesIO()
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    seal(
        sealed,
        {"database": tmp_path / "a", "../b": tmp_path / "b"},
        [recipient_of(key)],
    )
    sealed.seek(0)
    out = tmp_path / "out"
    out.mkdir()
    assert unseal(sealed, out, ["database"], key=key) == {"database": out / "database"}
    assert [one.name for one in out.iterdir()] == ["database"]
    assert tarfile.TarInfo("../b").isfile()


@pytest.mark.parametrize("cut", [0, 40, 200, -1])
def test_a_cut_or_changed_file_is_refused(
    cut: int, world: World, place: Path, now: datetime, tmp_path: Path
) -> None:
    file, _manifest = make_backup(place / "backups", now=now)
    whole = file.read_bytes()
    middle = len(whole) // 2
    other = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for changed in (whole[:cut], other, whole + b"x"):
        file.write_bytes(changed)
        with pytest.raises(BackupError, match="damaged or cut off"):
            open_backup(file, tmp_path, key=make_key())
        # Without its manifest age alone finds it.
        beside = file.with_name(f"{file.name}.json")
        told = beside.read_text()
        beside.unlink()
        folder = tmp_path / sha256(changed).hexdigest()
        folder.mkdir()
        with pytest.raises(BackupError, match="damaged or cut off"):
            open_backup(file, folder, key=make_key())
        beside.write_text(told)


KILLED = """
import os, signal, sys
from pathlib import Path
from pillweb.base.clock import now
from pillweb.watch.actions import backing_up
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(backing_up, sys.argv[2], die)
if sys.argv[2] == "version":
    setattr(backing_up, "seal", lambda sink, files, whom: sink.write(b"half") and die())
backing_up.make_backup(Path(sys.argv[1]), now=now())
"""


@pytest.mark.parametrize("where", ["seal", "version", "_replace"])
def test_one_that_is_killed_leaves_nothing_that_counts(
    where: str, db: Database, world: World, place: Path, now: datetime
) -> None:
    folder = place / "backups"
    good, _manifest = make_backup(folder, now=now)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), where], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert list(backups_in(folder).values()) == [good]
    left = {one.name for one in folder.iterdir()} - {good.name, f"{good.name}.json"}
    assert left or where == "seal"
    for half in (*folder.iterdir(), *(place / "work").iterdir()):
        if half.name not in {good.name, f"{good.name}.json"}:
            os.utime(half, (0, 0))
    forget_backups(folder, now=now)
    assert {one.name for one in folder.iterdir()} == {good.name, f"{good.name}.json"}
    assert list((place / "work").iterdir()) == []


def test_a_full_disk_makes_none_and_keeps_what_there_is(
    db: Database,
    world: World,
    place: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = place / "backups"
    good, _manifest = make_backup(folder, now=now)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(backing_up, "seal", full)
        with pytest.raises(BackupError, match="could not be written") as refused:
            make_backup(folder, now=now + DAY)
    assert refused.value.code == "unwritten"
    with monkeypatch.context() as patch:
        patch.setattr(backing_up, "LEAST_FREE", 1.0)
        with pytest.raises(BackupError, match="too little room"):
            make_backup(folder, now=now + DAY)
    assert {one.name for one in folder.iterdir()} == {good.name, f"{good.name}.json"}


def test_a_server_newer_than_every_pg_dump_is_told_in_a_sentence(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'")
    old.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dumping, "DEBIANS", tmp_path)
    with pytest.raises(BackupError, match="There is no pg_dump of PostgreSQL 18 or"):
        dumping.copy_out(postgres_url, tmp_path / "x")


def test_the_password_of_a_server_is_in_no_command(tmp_path: Path) -> None:
    where, secret = dumping._libpq(  # noqa: SLF001 - what is handed to programs
        "postgresql://pill:s%40cret@db.example:5433/web?sslmode=require"
    )
    assert secret == {"PGPASSWORD": "s@cret"}
    assert "cret" not in where
    assert {"host=db.example", "port=5433", "sslmode=require"} <= set(where.split())


def nights(first: datetime, count: int) -> list[datetime]:
    return [first + DAY * number for number in range(count)]


@pytest.mark.parametrize("days", [35, 186])
def test_a_year_of_nights_keeps_days_weeks_and_months_and_nothing_too_old(
    days: int,
) -> None:
    there: set[datetime] = set()
    for now in nights(datetime(2026, 1, 1, 2, tzinfo=UTC), 400):
        there = kept(there | {now}, now=now, days=days)
        assert now in there
        assert len(there) <= 7 + 4 + 6
        assert all(now - at <= timedelta(days=days) for at in there)
        if now >= datetime(2026, 10, 1, tzinfo=UTC):
            assert set(nights(now - 6 * DAY, 7)) <= there
            weeks = {at.isocalendar()[:2] for at in there}
            assert len(weeks) >= 4
            months = {(at.year, at.month) for at in there}
            assert len(months) >= (6 if days == 186 else 2)


def test_the_newest_is_kept_however_old_it_is() -> None:
    made = nights(datetime(2026, 1, 1, 2, tzinfo=UTC), 3)
    assert kept(made, now=made[0] + 300 * DAY, days=35) == {made[2]}
    assert kept([], now=made[0], days=35) == set()


def test_names_tell_when_and_other_names_nothing() -> None:
    at = datetime(2026, 11, 20, 2, 0, 5, tzinfo=UTC)
    assert made_at_of(file_name(at)) == at
    for name in ("pillweb-20261320T020000Z.age", "other.age", file_name(at) + ".part"):
        assert made_at_of(name) is None
    assert last_night(at) == at.replace(second=0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "1"}', "null"])
def test_what_is_no_manifest_is_none(text: str) -> None:
    assert read_manifest(text) is None


def test_forgetting_deletes_what_is_over_and_nothing_else(
    db: Database, world: World, place: Path, now: datetime
) -> None:
    folder = place / "backups"
    folder.mkdir()
    (folder / "mine.txt").write_text("not ours")
    made = [make_backup(folder, now=now - 40 * DAY)[0]]
    made += [make_backup(folder, now=at)[0] for at in nights(now - 9 * DAY, 10)]
    gone = forget_backups(folder, now=now)
    there = {one.name for one in folder.iterdir()}
    assert gone == 4
    assert "mine.txt" in there
    assert made[0].name not in there
    assert len(backups_in(folder)) == len(made) - gone
    assert len(there) == 2 * (len(made) - gone) + 1


def test_the_commands_make_backups_and_print_the_key(
    app: Flask, db: Database, world: World, place: Path, tmp_path: Path
) -> None:
    run = app.test_cli_runner()
    said = run.invoke(args=["backup"])
    assert said.exit_code == 0, said.output
    assert f"Backed up to {place / 'backups'}" in said.output
    assert run.invoke(args=["backup", "--to", str(tmp_path / "usb")]).exit_code == 0
    assert len(list((tmp_path / "usb").glob("*.age"))) == 1
    said = run.invoke(args=["backup-key"])
    assert said.output.startswith("AGE-SECRET-KEY-1")
    assert said.output.splitlines()[0] == make_key()
