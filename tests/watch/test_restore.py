"""A backup put back is what was saved, and safe to run; or nothing is changed (F20)."""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session
from time_machine import Traveller

from pillweb.accounts.models import Account, WebSession
from pillweb.adherence.queries import outcomes_of
from pillweb.audit.actions import append_entry
from pillweb.audit.models import AuditHead
from pillweb.audit.queries import verify_all
from pillweb.base import db as database_module
from pillweb.base.age import new_key
from pillweb.base.db import Database
from pillweb.base.visits import ACCOUNT, Visit
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.portals.views import backup_commands
from pillweb.rights.actions.purging import erase_some, note_erasing
from pillweb.rights.rules import PATIENT, Whose
from pillweb.watch.actions import putting_back
from pillweb.watch.actions.backing_up import make_backup
from pillweb.watch.queries import newest_migration
from tests.conftest import migrate, use_settings
from tests.services import ROOT
from tests.world import World, signed_in

DAY = timedelta(days=1)
Facts = dict[str, object]


@dataclass
class Saved:
    """A backup, what was true of its database, and that database's address."""

    file: Path
    facts: Facts
    url: str
    app: Flask

    def restore(self, *options: str, file: Path | None = None) -> Result:
        """Restore it as a person would, into the database of the settings."""
        args = ["restore", str(file or self.file), *options]
        return self.app.test_cli_runner().invoke(args=args)


def facts_of(db: Database, world: World, now: datetime) -> Facts:
    """Return what must be the same after a restore."""
    with db.reading() as session:
        found = outcomes_of(
            session,
            world.patient,
            first=now.date() - 7 * DAY,
            last=now.date(),
        )
        heads = session.execute(
            sa.select(AuditHead.patient_id, AuditHead.seq, AuditHead.hash)
        ).all()
        names = session.scalars(sa.select(Medication.name).order_by(Medication.id))
        return {
            "outcomes": repr(found),
            "heads": [tuple(row) for row in heads],
            "names": list(names),
            "emails": list(
                session.scalars(sa.select(Account.email).order_by(Account.id))
            ),
        }


@pytest.fixture
def saved(
    world: World, place: Path, app: Flask, now: datetime, pinned: Traveller
) -> Iterator[Saved]:
    """A family with a record of who looked, backed up this morning."""
    db = database_module.database()
    signed_in(app, world.marta, now=now)
    visit = Visit(world.patient, ACCOUNT, account_id=world.marta)
    with db.transaction() as session:
        for act in ("doses.show_today", "doses.post_taken"):
            append_entry(session, visit, act=act, ids={"dose_id": 1}, now=now)
    file, _manifest = make_backup(place / "backups", now=now)
    facts = facts_of(db, world, now)
    assert facts["heads"]
    before = os.environ["DATABASE_URL"]
    yield Saved(file, facts, before, app)
    use_settings(DATABASE_URL=before)


def there(url: str) -> Database:
    """Let the settings name this database; return it."""
    use_settings(DATABASE_URL=url)
    return database_module.database()


def test_a_restored_family_has_the_same_figures_and_the_same_record(
    saved: Saved, elsewhere: str, world: World, now: datetime
) -> None:
    there(elsewhere)
    told = saved.restore()
    assert told.exit_code == 0, told.output
    assert "Browsers that have to sign in again: " in told.output
    after = facts_of(there(elsewhere), world, now)
    heads = after["heads"]
    assert isinstance(heads, list)
    # One entry more in each chain: that it was put back.
    assert {(key, seq - 1) for key, seq, _hash in heads} == {
        (key, seq)
        for key, seq, _hash in saved.facts["heads"]  # type: ignore[attr-defined]
    }
    assert after | {"heads": 0} == saved.facts | {"heads": 0}
    with there(elsewhere).reading() as session:
        faults, broken, entries = verify_all(session)
        assert (faults, broken) == ([], [])
        assert entries > len(heads)
        alive = sa.select(WebSession.id).where(WebSession.revoked_at.is_(None))
        assert session.scalars(alive).all() == []
        found = session.scalar(sa.text("select version_num from alembic_version"))
        assert found == newest_migration()


def test_into_another_database_from_the_command_line(
    saved: Saved, elsewhere: str, world: World, now: datetime
) -> None:
    done = saved.restore("--into", elsewhere)
    assert done.exit_code == 0
    after = facts_of(there(elsewhere), world, now)
    assert after["outcomes"] == saved.facts["outcomes"]


def test_people_in_the_way_are_asked_about_and_saved_first(
    saved: Saved, world: World, db: Database, now: datetime, pinned: Traveller
) -> None:
    with db.transaction() as session:
        session.get_one(Account, world.rosa).name = "Newer"
    told = saved.restore()
    assert told.exit_code == 1
    assert "There are people in this database. With --replace" in told.output
    with db.reading() as session:
        assert session.get_one(Account, world.rosa).name == "Newer"
    pinned.move_to(now + timedelta(hours=1))
    told = saved.restore("--replace")
    assert told.exit_code == 0, told.output
    assert "What was in the database before is saved in " in told.output
    with there(saved.url).reading() as session:
        assert session.get_one(Account, world.rosa).name == "Rosa"
    newer = max(saved.file.parent.glob("*.age"))
    assert newer != saved.file
    pinned.move_to(now + timedelta(hours=2))
    assert saved.restore("--replace", file=newer).exit_code == 0
    with there(saved.url).reading() as session:
        assert session.get_one(Account, world.rosa).name == "Newer"


def test_a_database_somebody_works_with_is_not_replaced(
    saved: Saved, db: Database
) -> None:
    other = sa.create_engine(saved.url)
    with other.connect() as connection:
        connection.execute(sa.text("select count(*) from account")).scalar()
        told = saved.restore("--replace")
    other.dispose()
    assert told.exit_code == 1
    assert "Something is connected to the database: stop PillWeb first." in told.output


def test_while_pillweb_runs_from_the_folder_nothing_is_restored(
    saved: Saved, place: Path, elsewhere: str
) -> None:
    there(elsewhere)
    with (place / "run.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = saved.restore()
    assert "PillWeb runs from this folder: stop it first." in told.output


def spoil(saved: Saved, how: str, place: Path) -> tuple[str, ...]:
    """Make a restore impossible; return what it is asked with."""
    beside = saved.file.with_name(f"{saved.file.name}.json")
    if how == "cut":
        saved.file.write_bytes(saved.file.read_bytes()[:-1])
    elif how == "manifest":
        beside.write_text(beside.read_text().replace('"sha256": "', '"sha256": "0'))
    elif how == "key":
        (place / "other").write_text(new_key())
        return ("--key", str(place / "other"))
    elif how == "no key":
        return ("--key", str(place / "nothing"))
    elif how == "junk key":
        (place / "other").write_text("hello")
        return ("--key", str(place / "other"))
    elif how == "field keys":
        use_settings(FIELD_KEYS="qb3D0v1mVxY3rKcT0nJb7LhGs5DpEa2Uowq8Zf1mVxY=")
    else:
        saved.file.unlink()
    return ()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut", "This backup is damaged or cut off"),
        ("manifest", "This backup is damaged or cut off"),
        ("key", "This backup was made for another key"),
        ("no key", "The key that opens backups is not at"),
        ("junk key", "This is no backup key"),
        ("field keys", "could not be read with the FIELD_KEYS here"),
        ("gone", "There is no file"),
    ],
)
def test_what_cannot_be_restored_is_told_and_nothing_changes(
    how: str, words: str, saved: Saved, elsewhere: str, place: Path
) -> None:
    there(elsewhere)
    options = spoil(saved, how, place)
    told = saved.restore(*options)
    assert told.exit_code == 1
    assert words in told.output
    assert "Traceback" not in told.output
    if elsewhere.startswith("sqlite"):
        assert not Path(elsewhere.removeprefix("sqlite:///")).exists()
    assert list((place / "work").iterdir()) == []


def test_one_of_a_newer_pillweb_or_another_kind_is_refused(
    saved: Saved, elsewhere: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there(elsewhere)
    with monkeypatch.context() as patch:
        patch.setattr(putting_back, "FORMAT", 0)
        assert "made by a newer PillWeb" in saved.restore().output
    with monkeypatch.context() as patch:
        patch.setattr(putting_back, "kind_of", lambda _: "sqlight")
        assert "name one of the same kind with --into" in saved.restore().output


def test_one_that_fails_half_way_changes_nothing(
    saved: Saved,
    world: World,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    pinned: Traveller,
) -> None:
    with db.transaction() as session:
        session.get_one(Account, world.rosa).name = "Newer"

    def fail(session: Session, *, now: datetime) -> int:
        raise RuntimeError("half way")

    pinned.shift(timedelta(hours=1))
    with monkeypatch.context() as patch:
        patch.setattr(backup_commands, "AFTER_RESTORE", (fail,))
        assert saved.restore("--replace").exit_code == 1
    with there(saved.url).reading() as session:
        assert session.get_one(Account, world.rosa).name == "Newer"
        assert session.scalars(
            sa.select(WebSession.id).where(WebSession.revoked_at.is_(None))
        ).all()
    left = {
        one.name
        for one in Path(saved.url.removeprefix("sqlite:///")).parent.glob("tmp*")
    }
    assert left == set()


def test_who_was_erased_since_is_erased_again(
    saved: Saved, elsewhere: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = place / "erasures.jsonl"
    ledger.write_text('{"patient": 1}\n')
    (saved.file.parent / "erasures.jsonl").write_text(
        '{"patient": 1}\n{"patient": 2}\n'
    )
    seen = []

    def again(session: Session, *, now: datetime) -> int:
        seen.append(
            [json.loads(line)["patient"] for line in ledger.read_text().splitlines()]
        )
        return len(seen[0])

    monkeypatch.setattr(backup_commands, "AFTER_RESTORE", (again,))
    there(elsewhere)
    told = saved.restore()
    assert seen == [[1, 2]]
    assert "Who was erased since, and is again: 2" in told.output


def test_a_patient_who_was_erased_stays_erased(
    saved: Saved, db: Database, world: World, now: datetime, pinned: Traveller
) -> None:
    """(59)"""
    gone = Whose(PATIENT, world.patient)
    with db.transaction() as session:
        session.get_one(Patient, world.patient).leaves_at = now
        assert note_erasing(session, gone, now=now)
        while erase_some(session, gone, now=now):
            pass
    pinned.shift(timedelta(hours=1))
    told = saved.restore("--replace")
    assert "Who was erased since, and is again: 1" in told.output
    with there(saved.url).reading() as session:
        assert session.get(Patient, world.patient) is None
        assert session.get(Medication, world.medication) is None
        assert session.get(Medication, world.other_medication) is not None
        assert verify_all(session)[0] == []


def test_a_backup_of_an_older_schema_is_brought_forward(
    place: Path, app: Flask, elsewhere: str, now: datetime
) -> None:
    if elsewhere.startswith("sqlite"):
        Path(elsewhere.removeprefix("sqlite:///")).parent.mkdir()
    use_settings(DATABASE_URL=elsewhere)
    command.upgrade(Config(str(ROOT / "alembic.ini")), "f4d8f2b06e13")
    file, manifest = make_backup(place / "backups", now=now)
    assert manifest.schema == "f4d8f2b06e13"
    done = app.test_cli_runner().invoke(args=["restore", str(file)])
    assert done.exit_code == 0, done.output
    with there(elsewhere).reading() as session:
        found = session.scalar(sa.text("select version_num from alembic_version"))
        assert found == newest_migration()


def test_a_database_that_is_not_ours_is_not_replaced(
    saved: Saved, elsewhere: str
) -> None:
    if elsewhere.startswith("sqlite"):
        Path(elsewhere.removeprefix("sqlite:///")).parent.mkdir()
    engine = sa.create_engine(elsewhere)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table diary (line text)")
        connection.exec_driver_sql("insert into diary values ('mine')")
    engine.dispose()
    there(elsewhere)
    told = saved.restore()
    assert "There are people in this database" in told.output
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select line from diary").scalar() == "mine"
    engine.dispose()


def test_into_an_empty_database_that_was_started_once(
    saved: Saved, elsewhere: str, world: World, now: datetime
) -> None:
    migrate(elsewhere)
    there(elsewhere)
    assert saved.restore().exit_code == 0
    assert facts_of(there(elsewhere), world, now)["names"] == saved.facts["names"]


def test_a_damaged_database_is_not_replaced_unsaved(
    sqlite_template: Path, saved: Saved, place: Path
) -> None:
    if not saved.url.startswith("sqlite"):
        pytest.skip("Postgres looks after its own files")
    database_module.database().engine.dispose()
    file = Path(saved.url.removeprefix("sqlite:///"))
    whole = bytearray(file.read_bytes())
    whole[8192:40_000] = bytes(40_000 - 8192)
    file.write_bytes(whole)
    told = saved.restore("--replace")
    assert "Move it away, then restore again." in told.output
    # The first bytes tell of its log (WAL) only.
    assert file.read_bytes()[100:] == whole[100:]


def test_one_that_was_killed_on_postgres_says_how_to_have_the_old_one_back(
    saved: Saved, db: Database, pinned: Traveller
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite's file is renamed in one step")
    deeds = {
        "alter schema public rename to public_before_restore": "create schema public",
        "drop schema public cascade": (
            "alter schema public_before_restore rename to public"
        ),
    }
    first, second = deeds.items()
    with db.transaction() as session:
        for deed in first:
            session.execute(sa.text(deed))
    try:
        told = saved.restore()
        assert f"To have it back: {second[0]}; {second[1]}" in told.output
    finally:
        with db.transaction() as session:
            for deed in second:
                session.execute(sa.text(deed))
