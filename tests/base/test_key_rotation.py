"""Keys change without a value lost: stopped in the middle, or changed meanwhile."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from pillweb.accounts.models import Account
from pillweb.accounts.queries import account_by_email
from pillweb.base.crypto import blind_index, decrypt, encrypt
from pillweb.base.db import Database, database, table_of
from pillweb.base.sealed import DataKey, moving, rotate, sealed_columns, standing
from pillweb.base.sealed.moving import _seal_of
from pillweb.medications.models import Medication
from pillweb.patients.actions import add_patient
from pillweb.patients.models import Patient
from tests.conftest import use_settings
from tests.keys import FIRST, NAMES, SECOND, keys_change, with_keys
from tests.services import ROOT
from tests.world import World, make_world

MANY = 500


@pytest.fixture(autouse=True)
def _the_keys_of_before() -> Iterator[None]:
    with keys_change():
        yield


def make_old(db: Database) -> int:
    """Let everything be as it was before each patient had a key; say how much it is."""
    made = 0
    with db.transaction() as session:
        for table in (table_of(Patient), table_of(Medication), table_of(Account)):
            names = sealed_columns(table)
            for row in session.execute(sa.select(table)).mappings().all():
                blobs = {
                    name: encrypt(row[name].encode(), place=f"{table.name}.{name}")
                    for name in names
                    if row[name] is not None
                }
                plain = sa.table(table.name, *map(sa.column, ["id", *names]))
                change = sa.update(plain).where(plain.c.id == row["id"])
                session.execute(change.values(blobs))
                made += len(blobs)
    return made


def read(db: Database) -> list[tuple[object, ...]]:
    with db.reading() as session:
        return [
            tuple(row)
            for table in (Patient, Medication, Account)
            for row in session.execute(
                # A later step of the schema gave each its mark: those are anew.
                sa.select(*(c for c in table_of(table).c if c.name != "mark")).order_by(
                    table_of(table).c.id
                )
            )
        ]


def nothing() -> None:
    """Stand between two transactions."""


def test_values_from_before_are_bound_to_their_rows(db: Database, world: World) -> None:
    before = read(db)
    made = make_old(db)
    assert read(db) == before
    with db.reading() as session:
        assert standing(session).unbound == made
    assert rotate(db, between=nothing) == (0, made, 0)
    with db.reading() as session:
        assert standing(session).unbound == 0
    assert rotate(db, between=nothing) == (0, 0, 0)
    use_settings(REFUSE_UNBOUND="true")
    assert read(db) == before


def test_an_old_key_is_taken_out_after_a_new_one_wrapped_all(
    db: Database, world: World, now: datetime
) -> None:
    """The account is still found by address, for its index keeps its key (49)."""
    before = read(db)
    make_old(db)
    with_keys(SECOND, FIRST)
    assert read(db) == before
    with db.transaction() as session:
        add_patient(session, name="Bruno", zone="Etc/UTC", now=now)
    assert rotate(db, between=nothing).unreadable == 0
    with db.reading() as session:
        assert set(standing(session).wrapped) == {NAMES[SECOND]}
        held = session.scalars(sa.select(DataKey.owner_id)).all()
        assert len(held) == standing(session).wrapped[NAMES[SECOND]]
    after = read(db)
    with_keys(SECOND, INDEX_KEY=FIRST)
    assert read(db) == after
    with db.reading() as session:
        email = session.get_one(Account, world.rosa).email
        found = account_by_email(session, email)
        assert found is not None
        assert found.id == world.rosa


def test_the_last_key_finds_accounts_until_it_is_named_the_index_key() -> None:
    before = blind_index("rosa@family.example", purpose="email")
    with_keys(SECOND, FIRST)
    assert blind_index("rosa@family.example", purpose="email") == before
    with_keys(SECOND)
    assert blind_index("rosa@family.example", purpose="email") != before
    with_keys(SECOND, INDEX_KEY=FIRST)
    assert blind_index("rosa@family.example", purpose="email") == before


def test_a_value_changed_meanwhile_stays_as_it_was_changed(
    db: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rotation compares with what it read, and swaps only that."""
    make_old(db)
    blob = encrypt(b"Changed", place="medication.name")

    def change_first(old: bytes, *, place: str) -> bytes:
        if place == "medication.name":
            session.execute(
                sa.text("update medication set name = :blob where id = :row"),
                {"blob": blob, "row": world.medication},
            )
        return decrypt(old, place=place)

    monkeypatch.setattr(moving, "decrypt", change_first)
    with db.transaction() as session:
        _last, moved = _seal_of(table_of(Medication))(session, -1)
        assert moved.unreadable
    with db.reading() as session:
        assert session.get_one(Medication, world.medication).name == "Changed"


def test_what_cannot_be_read_stays_and_stops_nothing_else(
    db: Database, world: World
) -> None:
    made = make_old(db)
    with db.transaction() as session:
        session.execute(
            sa.text("update medication set name = :blob where id = :row"),
            {"blob": b"\1gone" + bytes(40), "row": world.medication},
        )
    assert rotate(db, between=nothing) == (0, made - 1, 1)


KILLED = """
import os, signal
from pillweb.base.db import database
from pillweb.base.sealed import moving, rotate
import migrations.tables
moving.BATCH = 50
seen = []
update = moving.update
def killing(table):
    seen.append(table.name)
    if seen.count("patient") == 70:
        os.kill(os.getpid(), signal.SIGKILL)
    return update(table)
moving.update = killing
rotate(database(), between=lambda: None)
"""


def test_killed_in_the_middle_it_goes_on_where_it_was(
    db: Database, world: World, now: datetime
) -> None:
    """SIGKILL within a transaction; then again, to the end (49)."""
    with db.transaction() as session:
        for number in range(MANY):
            add_patient(session, name=f"Patient {number}", zone="Etc/UTC", now=now)
    before = read(db)
    made = make_old(db)
    with_keys(SECOND, FIRST)
    db.engine.dispose()
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert read(db) == before
    with db.reading() as session:
        left = standing(session)
    # One batch stands, that of the kill is taken back.
    assert 50 <= made - left.unbound < 70
    assert rotate(db, between=nothing) == (0, left.unbound, 0)
    with_keys(SECOND, INDEX_KEY=FIRST)
    assert read(db) == before


def test_a_step_back_of_the_schema_leaves_all_readable_as_before(
    empty_database: str, now: datetime
) -> None:
    """Down to before the keys, and up again."""
    alembic = Config(str(ROOT / "alembic.ini"))
    command.upgrade(alembic, "head")
    db = database()
    with db.transaction() as session:
        make_world(session, now=now)
    before = read(db)
    db.engine.dispose()
    command.downgrade(alembic, "a7e3a1f25d93")
    with db.reading() as session:
        blob = session.execute(sa.text("select min(name) from patient")).scalar()
        assert bytes(blob or b"")[:1] == b"\1"
    db.engine.dispose()
    command.upgrade(alembic, "head")
    assert read(db) == before
