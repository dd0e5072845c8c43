"""What is sealed is read in its own row, by its own patient's key, and nowhere else."""

import json
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from migrations.tables import metadata
from pillweb.audit.actions import append_entry
from pillweb.audit.models import AuditEntry
from pillweb.audit.queries import verify_all
from pillweb.audit.rules.chain import what_place
from pillweb.base.crypto import (
    EncryptedText,
    UnreadableError,
    encrypt,
    new_key,
    unseal,
    wrap_key,
)
from pillweb.base.db import Database, table_of
from pillweb.base.sealed import (
    HOUSE,
    DataKey,
    SealedBytes,
    SealedText,
    UnsealedError,
    key_or_house,
    sealed_columns,
)
from pillweb.base.visits import COMMAND, Visit
from pillweb.medications.models import Medication
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Delivery
from pillweb.patients.actions import add_patient
from pillweb.patients.models import Patient
from tests.conftest import use_settings
from tests.world import World

SEALED = [
    table.c[name] for table in metadata.sorted_tables for name in sealed_columns(table)
]


def kept(db: Database, table: str, column: str, row: int) -> bytes:
    """Return what stands in the database."""
    with db.reading() as session:
        wanted = sa.text(f"select {column} from {table} where id = :row")  # noqa: S608
        return bytes(session.execute(wanted, {"row": row}).scalar_one())


def put(db: Database, table: str, column: str, row: int, blob: bytes) -> None:
    """Write into the database as a thief of its password could."""
    with db.transaction() as session:
        change = sa.text(f"update {table} set {column} = :blob where id = :row")  # noqa: S608
        session.execute(change, {"blob": blob, "row": row})


def name_of(db: Database, medication: int) -> str:
    with db.reading() as session:
        wanted = sa.select(Medication.name).where(Medication.id == medication)
        return session.scalars(wanted).one()


@pytest.mark.parametrize("column", SEALED, ids=str)
def test_each_column_is_bound_to_itself(column: sa.Column[object]) -> None:
    """Every encrypted column of every model is sealed, by its own name (49)."""
    assert isinstance(column.type, SealedText | SealedBytes)
    assert column.type.place == f"{column.table.name}.{column.name}"
    assert len(column.table.primary_key) == 1


def test_no_column_is_encrypted_the_old_way() -> None:
    columns = [column for table in metadata.sorted_tables for column in table.c]
    assert not [str(c) for c in columns if isinstance(c.type, EncryptedText)]


def test_what_was_written_is_read_and_nothing_of_it_stands_there(
    db: Database, world: World
) -> None:
    blob = kept(db, "medication", "name", world.medication)
    assert name_of(db, world.medication).encode() not in blob
    assert blob[:1] == b"\2"


@pytest.mark.parametrize("at", [0, 1, 5, 17, -1])
def test_one_changed_bit_makes_it_unreadable(
    db: Database, world: World, at: int
) -> None:
    """Version, key name, nonce, text and tag are all held (49)."""
    blob = bytearray(kept(db, "medication", "name", world.medication))
    blob[at] ^= 4
    put(db, "medication", "name", world.medication, bytes(blob))
    with pytest.raises(UnreadableError):
        name_of(db, world.medication)
    assert name_of(db, world.other_medication)


def test_a_value_cannot_move_to_another_row_column_or_patient(
    db: Database, world: World
) -> None:
    """Row swap, column swap, patient swap (49)."""
    with db.transaction() as session:
        mine = session.get_one(Medication, world.medication)
        session.expunge(mine)
        facts = {name: getattr(mine, name) for name in ("form", "category")}
        second = Medication(
            patient_id=mine.patient_id,
            name="Second",
            strength=mine.strength,
            reason="",
            instruction="",
            created_at=mine.created_at,
            **facts,
        )
        session.add(second)
        session.flush()
        other_row = second.id
    blob = kept(db, "medication", "name", world.medication)
    for column, row in (("name", other_row), ("strength", world.medication)):
        put(db, "medication", column, row, blob)
        with db.reading() as session, pytest.raises(UnreadableError):
            session.scalars(
                sa.select(table_of(Medication).c[column]).where(Medication.id == row)
            ).one()
    with db.transaction() as session:
        session.execute(
            sa.text("update medication set patient_id = :other where id = :row"),
            {"other": world.other_patient, "row": world.medication},
        )
    with pytest.raises(UnreadableError):
        name_of(db, world.medication)


def test_the_key_of_another_patient_is_no_key(db: Database, world: World) -> None:
    with db.transaction() as session:
        held = table_of(DataKey)
        theirs = session.scalar(
            sa.select(held.c.wrapped).where(held.c.owner_id == world.other_patient)
        )
        own = held.c.owner_id == world.patient
        session.execute(sa.update(held).where(own).values(wrapped=theirs))
    with pytest.raises(UnreadableError):
        name_of(db, world.medication)
    assert name_of(db, world.other_medication)


def test_without_their_key_nothing_of_a_patient_is_read_and_the_record_stands(
    db: Database, world: World, now: datetime
) -> None:
    visit = Visit(world.patient, COMMAND)
    with db.transaction() as session:
        append_entry(session, visit, act="before", ids={"dose_id": 1}, now=now)
    assert name_of(db, world.medication)
    with db.transaction() as session:
        session.execute(sa.delete(DataKey).where(DataKey.owner_id == world.patient))
    with pytest.raises(UnreadableError):
        name_of(db, world.medication)
    assert name_of(db, world.other_medication)
    with db.transaction() as session:
        # What is written of them from now on is the house's.
        append_entry(session, visit, act="after", ids={}, now=now)
    with db.writing() as session, pytest.raises(UnreadableError):
        add_medicine(session, world.patient, now)
    with db.reading() as session:
        assert verify_all(session, seals=[])[:2] == ([], [])
        house = key_or_house(session, world.patient)
        whats = session.scalars(
            sa.select(AuditEntry.what)
            .where(AuditEntry.patient_id == world.patient)
            .order_by(AuditEntry.seq.desc())
        ).all()
        seq = len(whats)
        newest = unseal(whats[0], house, place=what_place(world.patient, seq))
        assert json.loads(newest) == {}
        with pytest.raises(UnreadableError):
            unseal(whats[1], house, place=what_place(world.patient, seq - 1))


def add_medicine(session: Session, patient_id: int, now: datetime) -> None:
    session.add(
        Medication(
            patient_id=patient_id,
            name="New",
            strength="",
            form="tablet",
            reason="",
            instruction="",
            category="ordinary",
            created_at=now,
        )
    )
    session.flush()


def test_a_patient_who_goes_takes_their_key_along(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        patient = add_patient(session, name="Rosa", zone="Etc/UTC", now=now)
        which = patient.id
    with db.transaction() as session:
        assert session.get(DataKey, which) is not None
        session.delete(session.get_one(Patient, which))
    with db.reading() as session:
        assert session.get(DataKey, which) is None


def test_a_patient_whose_row_was_taken_back_leaves_no_key_behind(
    db: Database, now: datetime
) -> None:
    """On SQLite the next patient gets the same id: with a key of their own."""
    with db.writing() as session:
        add_patient(session, name="Gone", zone="Etc/UTC", now=now)
        session.rollback()
        patient = add_patient(session, name="Rosa", zone="Etc/UTC", now=now)
        patient.born = "1944"
        session.commit()
        which = patient.id
    with db.reading() as session:
        read = session.get_one(Patient, which)
        assert (read.name, read.born) == ("Rosa", "1944")


def test_a_text_that_was_not_sealed_is_refused(db: Database, world: World) -> None:
    with db.transaction() as session:
        with pytest.raises(StatementError) as refused:
            session.execute(sa.update(Medication).values(name="Bare"))
        assert isinstance(refused.value.orig, UnsealedError)
        assert "Bare" not in str(refused.value)
        session.rollback()
    assert name_of(db, world.medication) != "Bare"


def test_a_row_keeps_plain_texts_after_it_was_written(
    db: Database, world: World
) -> None:
    with db.transaction() as session:
        medicine = session.get_one(Medication, world.medication)
        medicine.name = "Ramipril"
        session.flush()
        assert type(medicine.name) is str
        medicine.reason = "heart"
    with db.reading() as session:
        medicine = session.get_one(Medication, world.medication)
        assert (medicine.name, medicine.reason) == ("Ramipril", "heart")


def test_rows_of_nobody_are_the_houses(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        which = post_delivery(
            session,
            kind="test",
            recipient="eve@family.example",
            dedupe_key="once",
            context={},
            now=now,
        )
    assert which
    with db.transaction() as session:
        assert session.get_one(Delivery, which).recipient == "eve@family.example"
        session.execute(sa.delete(DataKey).where(DataKey.owner_id == HOUSE))
    with db.reading() as session, pytest.raises(UnreadableError):
        session.get_one(Delivery, which)


def test_a_query_that_leaves_out_the_key_of_the_row_is_refused(
    db: Database, world: World
) -> None:
    inner = sa.select(Medication.name).where(Medication.id == world.medication)
    whole = sa.select(Medication.id, Medication.patient_id, Medication.name)
    with db.reading() as session:
        with pytest.raises(UnsealedError):
            session.execute(sa.select(inner.subquery().c.name))
        found = session.scalars(sa.select(whole.subquery().c.name)).all()
        assert sorted(found) == sorted(session.scalars(sa.select(Medication.name)))


def test_values_from_before_are_read_until_they_are_refused(
    db: Database, world: World
) -> None:
    old = encrypt(b"Ramipril", place="medication.name")
    put(db, "medication", "name", world.medication, old)
    assert name_of(db, world.medication) == "Ramipril"
    put(db, "medication", "strength", world.medication, old)
    use_settings(REFUSE_UNBOUND="true")
    put(
        db,
        "medication",
        "name",
        world.medication,
        encrypt(b"Warfarin", place="medication.name"),
    )
    with pytest.raises(UnreadableError):
        name_of(db, world.medication)


def test_a_wrapped_key_is_bound_to_its_owner() -> None:
    assert wrap_key(new_key(), owner=1) != wrap_key(new_key(), owner=1)
