"""What is erased is gone from every table, and stays gone (checklist 59)."""

import shutil
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from jobs import deliver, erase, take_out
from jobs.runtime import look_back
from migrations.tables import metadata
from pillweb.accounts.models import Account, EntryTry
from pillweb.audit.queries import verify_all
from pillweb.base import line_file
from pillweb.base.db import Database
from pillweb.base.errors import NotFoundError
from pillweb.base.sealed import DataKey
from pillweb.base.tokens import token_hash
from pillweb.channels.mailbox import keep_mail, kept_mails
from pillweb.contacts.rules import LEAVING
from pillweb.devices.models import Device, DevicePlace
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.rights.actions.leaving import (
    leave_account,
    leave_patient,
    stay_account,
    stay_patient,
)
from pillweb.rights.actions.purging import (
    complete_ledger,
    erase_some,
    note_erasing,
    replay_erasures,
)
from pillweb.rights.models import Erasure
from pillweb.rights.queries import holdings_of, ledger, ledger_file, to_erase
from pillweb.rights.rules import ACCOUNT, PATIENT, STAYS, Whose
from tests.house.cast import Cast
from tests.house.rows import all_rows, put_back
from tests.house.things import CANARIES
from tests.ids import give_again
from tests.rights.conftest import Days
from tests.tablets import connected, shared
from tests.world import World, make_patient

ON_NOBODYS = Device.id.not_in(sa.select(DevicePlace.device_id))


def words(db: Database) -> str:
    """Return all that stands in the database, as whoever has the key reads it.

    But for the names of browsers and passkeys: Rosa's account stays when the patient
    goes.
    """
    accounts = {"web_session", "passkey"}
    tables = [one for one in metadata.sorted_tables if one.name not in accounts]
    with db.reading() as session:
        rows = [
            repr(tuple(row))
            for table in tables
            for row in session.execute(sa.select(table))
        ]
    return "\n".join(rows)


def orphans(db: Database) -> list[object]:
    if db.engine.dialect.name != "sqlite":
        return []
    with db.reading() as session:
        return list(session.execute(sa.text("PRAGMA foreign_key_check")))


def left_of(db: Database, column: str, row_id: int) -> dict[str, int]:
    """Return in which tables there are rows that name a number, and how many."""
    found = {}
    with db.reading() as session:
        for table in metadata.sorted_tables:
            if column in table.c and table.name not in STAYS:
                count = sa.select(sa.func.count()).where(table.c[column] == row_id)
                found[table.name] = session.scalar(count) or 0
    return {name: count for name, count in found.items() if count}


def let_leave(db: Database, world: World, *, now: datetime) -> None:
    with db.transaction() as session:
        leave_patient(session, world.patient, by_id=world.marta, now=now)


def test_a_patient_is_erased_from_every_table_and_nobody_else_is(
    app: Flask, db: Database, cast: Cast, world: World, days: Days
) -> None:
    for path in ("today", "medicines", "calendar"):
        cast.open(app, "nora", "GET", f"/patients/{world.patient}/{path}")
    assert CANARIES["rosa"] in words(db)
    before = left_of(db, "patient_id", world.other_patient)
    let_leave(db, world, now=days.now)
    with db.reading() as session:
        assert erase.oldest(session, days.now) is None
    days.move(days=31)
    with db.reading() as session:
        assert erase.oldest(session, days.now) is not None
    assert erase.run() == 1
    assert erase.run() == 0
    assert left_of(db, "patient_id", world.other_patient) == before
    # What Rosa's account sent in and never agreed to was its own, for a day.
    take_out.run()
    left = words(db)
    assert CANARIES["rosa"] not in left
    assert CANARIES["bruno"] in left
    assert left_of(db, "patient_id", world.patient) == {}
    assert orphans(db) == []
    with db.reading() as session:
        stone = session.scalars(sa.select(Erasure)).one()
        assert (stone.kind, stone.row_id, stone.at) == (
            PATIENT,
            world.patient,
            days.now,
        )
        faults, _seals, entries = verify_all(session)
        assert faults == []
        assert entries > 0
        assert session.scalars(sa.select(Device.id).where(ON_NOBODYS)).all() == []
        # What told the family of it names the patient, too.
        told = sa.select(Delivery.id).where(Delivery.kind == LEAVING)
        assert session.scalars(told).all() == []


def test_an_account_is_erased_and_what_it_did_for_others_stays(
    app: Flask, db: Database, cast: Cast, world: World, days: Days
) -> None:
    with db.transaction() as session:
        leave_account(session, world.luis, now=days.now)
    days.move(days=31)
    assert erase.run() == 1
    assert left_of(db, "account_id", world.luis) == {}
    assert "luis@family.example" not in words(db)
    assert orphans(db) == []
    with db.reading() as session:
        assert session.get(Patient, world.patient) is not None
        assert session.get(Account, world.luis) is None
        assert session.scalars(sa.select(Erasure.kind)).all() == [ACCOUNT]


def test_a_killed_purge_is_finished_when_we_start_again(
    db: Database, cast: Cast, world: World, days: Days
) -> None:
    let_leave(db, world, now=days.now)
    days.move(days=31)
    whose = Whose(PATIENT, world.patient)
    with db.transaction() as session:
        note_erasing(session, whose, now=days.now)
    for _ in range(3):
        with db.transaction() as session:
            assert erase_some(session, whose, now=days.now, limit=1)
    look_back()
    assert CANARIES["rosa"] not in words(db)
    assert orphans(db) == []
    assert len(ledger()) == 1
    with db.reading() as session:
        assert len(session.scalars(sa.select(Erasure)).all()) == 1


def test_a_tablet_goes_with_the_last_who_was_on_it(
    app: Flask, db: Database, world: World, days: Days
) -> None:
    with db.transaction() as session:
        own, _place = connected(session, world.patient, world.marta, now=days.now)
        makers = {world.patient: world.marta, world.other_patient: world.eve}
        both, _places = shared(session, makers, now=days.now)
    let_leave(db, world, now=days.now)
    days.move(days=31)
    erase.run()
    with db.reading() as session:
        left = session.scalars(sa.select(Device.token_hash)).all()
    assert token_hash(both) in left
    assert token_hash(own) not in left


def test_what_is_half_erased_can_still_be_read(db: Database, world: World) -> None:
    """A job that comes upon it must not fail: the key of it all goes last."""
    with db.reading() as session:
        whose = Whose(PATIENT, world.patient)
        *_others, (last, _which) = holdings_of(session, whose)
    assert last.name == DataKey.__tablename__


def test_what_was_tried_for_an_address_goes_with_its_account(
    db: Database, world: World, days: Days
) -> None:
    with db.transaction() as session:
        for who in (world.luis, world.nora):
            email = session.get_one(Account, who).email_index
            tried = {"email_index": email, "client_index": b"c" * 32, "at": days.now}
            session.add(EntryTry(kind="printed", **tried))
        leave_account(session, world.luis, now=days.now)
    days.move(days=31)
    erase.run()
    with db.reading() as session:
        left = session.scalars(sa.select(EntryTry.email_index)).all()
        assert left == [session.get_one(Account, world.nora).email_index]


def test_what_cannot_be_written_down_is_not_erased(
    db: Database, world: World, days: Days
) -> None:
    let_leave(db, world, now=days.now)
    days.move(days=31)
    ledger_file().mkdir()
    with pytest.raises(OSError, match="directory"):
        erase.run()
    with db.reading() as session:
        assert session.get(Patient, world.patient) is not None


def test_a_backup_brings_nobody_back_who_was_erased(
    db: Database, cast: Cast, world: World, days: Days
) -> None:
    """On SQLite the very file of before; on Postgres the very rows."""
    kept = all_rows(db)
    let_leave(db, world, now=days.now)
    days.move(days=31)
    erase.run()
    put_back(db, kept)
    assert CANARIES["rosa"] in words(db)
    look_back()
    left = words(db)
    assert CANARIES["rosa"] not in left
    assert CANARIES["bruno"] in left
    assert left_of(db, "patient_id", world.patient) == {}
    assert orphans(db) == []
    with db.transaction() as session:
        assert replay_erasures(session, now=days.now) == 0
        stone = session.scalars(sa.select(Erasure)).one()
        assert stone.at == days.now


@pytest.mark.parametrize(
    "cut",
    [b'{"kind": "patient", "id": 7, "finge', b"\0\0\0\0", b"\xff\xfe{"],
    ids=["half a line", "noughts", "no text"],
)
def test_who_is_erased_after_a_line_that_was_cut_off_stays_erased(
    db: Database, world: World, days: Days, cut: bytes
) -> None:
    """A full disk or a power cut leaves half a line (59)."""
    kept = all_rows(db)
    ledger_file().write_bytes(cut)
    look_back()
    let_leave(db, world, now=days.now)
    days.move(days=31)
    erase.run()
    assert len(ledger()) == 1
    put_back(db, kept)
    look_back()
    with db.reading() as session:
        assert session.get(Patient, world.patient) is None


def test_what_cannot_be_read_back_is_not_erased(
    db: Database, world: World, days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes everything and keeps nothing."""
    let_leave(db, world, now=days.now)
    days.move(days=31)
    monkeypatch.setattr(line_file, "lines_of", lambda _file: [])
    with pytest.raises(OSError, match="read back"):
        erase.run()
    with db.reading() as session:
        assert session.get(Patient, world.patient) is not None


def test_a_ledger_that_was_lost_is_whole_again_from_the_database(
    db: Database, world: World, days: Days
) -> None:
    let_leave(db, world, now=days.now)
    days.move(days=31)
    erase.run()
    before = ledger()
    ledger_file().unlink()
    for _ in range(2):
        with db.reading() as session:
            complete_ledger(session)
        assert ledger() == before


def test_who_takes_it_back_after_the_job_has_looked_stays(
    db: Database, world: World, days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The press began in time, and was committed after the job had looked."""
    let_leave(db, world, now=days.now)
    in_time = days.now + timedelta(days=30, milliseconds=-5)

    def looked(session: Session, *, now: datetime) -> object:
        found = to_erase(session, now=now)
        stay_patient(session, world.patient, by_id=world.marta, now=in_time)
        return found

    monkeypatch.setattr(erase, "to_erase", looked)
    days.move(days=30)
    assert erase.run() == 0
    assert ledger() == []
    with db.reading() as session:
        assert session.get_one(Patient, world.patient).leaves_at is None


@pytest.mark.parametrize("kind", [PATIENT, ACCOUNT])
def test_nobody_is_told_all_is_as_it_was_and_erased_then(
    db: Database, world: World, days: Days, kind: str
) -> None:
    """The press began in time, and had to wait for the job."""
    with db.transaction() as session:
        leave_patient(session, world.patient, by_id=world.marta, now=days.now)
        leave_account(session, world.luis, now=days.now)
    in_time = days.now + timedelta(days=30, milliseconds=-5)
    days.move(days=30)
    whose = Whose(kind, world.patient if kind == PATIENT else world.luis)
    with db.transaction() as session:
        assert note_erasing(session, whose, now=days.now)
    stay = partial(stay_patient, by_id=world.marta) if kind == PATIENT else stay_account
    with db.transaction() as session, pytest.raises(NotFoundError):
        stay(session, whose.row_id, now=in_time)


def test_the_file_of_an_older_database_brings_nobody_back(
    db: Database, cast: Cast, world: World, days: Days, tmp_path: Path
) -> None:
    file = db.engine.url.database or ""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("a Postgres database is no file")
    db.engine.dispose()
    shutil.copy(file, tmp_path / "older.db")
    let_leave(db, world, now=days.now)
    days.move(days=31)
    erase.run()
    db.engine.dispose()
    for beside in (f"{file}-wal", f"{file}-shm"):
        Path(beside).unlink(missing_ok=True)
    shutil.copy(tmp_path / "older.db", file)
    assert CANARIES["rosa"] in words(db)
    look_back()
    assert CANARIES["rosa"] not in words(db)


def test_a_number_that_is_given_again_is_somebody_else(
    db: Database, world: World, days: Days
) -> None:
    with db.transaction() as session:
        leave_patient(session, world.other_patient, by_id=world.eve, now=days.now)
    days.move(days=31)
    erase.run()
    with db.transaction() as session:
        session.execute(sa.delete(Erasure))
        give_again(session, "patient", world.other_patient)
        for name in ("Ida", "Olga"):
            make_patient(session, name=name, now=days.now)
        ids = set(session.scalars(sa.select(Patient.id)))
    with db.transaction() as session:
        assert replay_erasures(session, now=days.now) == 0
        assert set(session.scalars(sa.select(Patient.id))) == ids


def naming(table: sa.Table) -> Collection[str]:
    return {
        column.name
        for column in table.columns
        if column.name in {"patient_id", "account_id", "owner_id"}
        or any(
            key.target_fullname in {"patient.id", "account.id"}
            for key in column.foreign_keys
        )
    }


def test_every_table_that_names_somebody_is_erased_or_says_why_not(
    db: Database, world: World
) -> None:
    with db.reading() as session:
        erased = {
            (table.name)
            for kind, row_id in ((PATIENT, world.patient), (ACCOUNT, world.rosa))
            for table, _which in holdings_of(session, Whose(kind, row_id))
        }
    named = {table.name for table in metadata.sorted_tables if naming(table)}
    # Whoever adds a table: give the column a foreign key that says CASCADE or SET NULL,
    # or say in `rights.rules.STAYS` why it stays.
    assert named - erased - set(STAYS) == set()
    for table in metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                assert key.ondelete in {"CASCADE", "SET NULL"}, f"{table.name}.{key}"
    loose = {
        table.name
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name in {"patient_id", "account_id"} and not column.foreign_keys
    }
    assert loose == {"delivery", *STAYS} - {"erasure"}


def test_mails_that_were_kept_here_go_too(
    db: Database, world: World, days: Days
) -> None:
    """Without a mail server mails lie in a folder, helpers' copies among them."""
    let_leave(db, world, now=days.now)
    deliver.run()
    about = [mail["Subject"] for _key, mail in kept_mails()]
    assert about.count("PillWeb does not remind any more") == 3
    keep_mail(b"Subject: Something else\r\nMessage-ID: <x@y>\r\n\r\nHello\r\n")
    days.move(days=31)
    erase.run()
    left = [str(mail["Subject"]) for _key, mail in kept_mails()]
    assert left == ["Something else"]
