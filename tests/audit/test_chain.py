"""Edit, delete, reorder, truncate, fork: S10, points 63 and 64 of the checklist."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.audit.actions import append_entry, append_look
from pillweb.audit.models import AuditEntry
from pillweb.audit.queries import seal_at, verify_all, verify_chain
from pillweb.audit.rules.chain import (
    EDITED,
    FORKED,
    HEAD,
    MISSING,
    TRUNCATED,
    Seal,
    entry_hash,
    read_seals,
    seal_line,
    what_place,
)
from pillweb.base.crypto import UnreadableError, unseal
from pillweb.base.db import Database
from pillweb.base.sealed import key_or_house
from pillweb.base.visits import ACCOUNT, Visit
from tests.at_once import at_once

WHOSE = 7
SCRIBE = Visit(WHOSE, ACCOUNT, account_id=3)


def write(session: Session, count: int, *, since: datetime, whose: int = WHOSE) -> None:
    for number in range(count):
        append_entry(
            session,
            Visit(whose, ACCOUNT, account_id=3),
            act="doses.post_take",
            ids={"dose_id": number},
            now=since + timedelta(minutes=number),
        )


@contextmanager
def as_intruder(db: Database) -> Iterator[Session]:
    """Yield a session of somebody who may do everything to the database."""
    with db.transaction() as session:
        if db.engine.dialect.name == "sqlite":
            kept = session.execute(
                sa.text("select name, sql from sqlite_master where type = 'trigger'")
            ).all()
            for name, _sql in kept:
                session.execute(sa.text(f"drop trigger {name}"))
            yield session
            for _name, sql in kept:
                session.execute(sa.text(sql))
        else:
            session.execute(sa.text("alter table audit_entry disable trigger user"))
            yield session
            session.execute(sa.text("alter table audit_entry enable trigger user"))


@pytest.fixture
def chain(db: Database, now: datetime) -> Database:
    with db.transaction() as session:
        write(session, 5, since=now)
        write(session, 3, since=now, whose=8)
    return db


def fault(
    db: Database, known_head: tuple[int, bytes] | None = None
) -> tuple[int, str] | None:
    with db.reading() as session:
        found = verify_chain(session, WHOSE, known_head=known_head)
        assert verify_chain(session, 8) is None
    return (found.seq, found.kind) if found else None


def test_a_chain_as_it_was_written_is_whole(chain: Database) -> None:
    assert fault(chain) is None
    with chain.reading() as session:
        assert verify_all(session) == ([], [], 8)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("act", "doses.post_undo"),
        ("by", "job"),
        ("account_id", 4),
        ("account_id", None),
        ("link_id", 1),
        ("what", b"other"),
        ("at", datetime.fromisoformat("2026-11-20T08:07:01+00:00")),
    ],
)
def test_an_edited_entry_is_found(chain: Database, column: str, value: object) -> None:
    with as_intruder(chain) as session:
        session.execute(
            sa.update(AuditEntry)
            .where(AuditEntry.patient_id == WHOSE, AuditEntry.seq == 3)
            .values({column: value})
        )
    assert fault(chain) == (3, EDITED)


def test_an_edited_entry_with_a_new_hash_is_found_by_the_next(chain: Database) -> None:
    with as_intruder(chain) as session:
        entry = entry_of(session, 3)
        entry.act = "doses.post_undo"
        entry.hash = entry_hash(entry)
    assert fault(chain) == (4, FORKED)


def entry_of(session: Session, seq: int) -> AuditEntry:
    return session.scalars(
        sa.select(AuditEntry).where(
            AuditEntry.patient_id == WHOSE, AuditEntry.seq == seq
        )
    ).one()


def cut(session: Session, *, after: int, only: int | None = None) -> None:
    gone = AuditEntry.seq > after if only is None else AuditEntry.seq == only
    session.execute(sa.delete(AuditEntry).where(AuditEntry.patient_id == WHOSE, gone))


def test_a_deleted_entry_is_found(chain: Database) -> None:
    with as_intruder(chain) as session:
        cut(session, after=0, only=2)
    assert fault(chain) == (3, MISSING)


def test_entries_in_another_order_are_found(chain: Database) -> None:
    with as_intruder(chain) as session:
        for before, after in ((2, 99), (3, 2), (99, 3)):
            session.execute(
                sa.update(AuditEntry)
                .where(AuditEntry.patient_id == WHOSE, AuditEntry.seq == before)
                .values(seq=after)
            )
    assert fault(chain) == (2, EDITED)


def test_an_end_that_was_cut_off_is_found(chain: Database) -> None:
    with as_intruder(chain) as session:
        cut(session, after=3)
    assert fault(chain) == (4, TRUNCATED)


def put_head_back(session: Session, seq: int) -> bytes:
    """Cut a chain off and let its head say so; return the hash that it had."""
    before = session.scalars(
        sa.text("select hash from audit_head where patient_id = 7")
    ).one()
    left = entry_of(session, seq)
    cut(session, after=seq)
    session.execute(
        sa.text("update audit_head set seq = :seq, hash = :hash where patient_id = 7"),
        {"seq": seq, "hash": left.hash},
    )
    return bytes(before)


def test_an_end_cut_off_with_its_head_is_found_by_a_head_kept_elsewhere(
    chain: Database, now: datetime
) -> None:
    with as_intruder(chain) as session:
        before = put_head_back(session, 3)
    assert fault(chain) is None
    assert fault(chain, known_head=(5, before)) == (4, TRUNCATED)
    with chain.transaction() as session:
        write(session, 2, since=now + timedelta(hours=1))
    assert fault(chain) is None
    assert fault(chain, known_head=(5, before)) == (5, HEAD)


def test_an_end_cut_off_with_its_head_is_found_by_the_seal_of_a_day(
    chain: Database, now: datetime
) -> None:
    with chain.transaction() as session:
        seal = seal_at(session, now + timedelta(hours=1))
        write(session, 2, since=now + timedelta(hours=2))
    assert read_seals(seal_line(seal)) == [seal]
    assert seal.entries == 8
    with chain.reading() as session:
        assert verify_all(session, seals=[seal]) == ([], [], 10)
        assert seal_at(session, seal.at) == seal
    with as_intruder(chain) as session:
        put_head_back(session, 3)
        write(session, 2, since=now + timedelta(hours=2))
    with chain.reading() as session:
        assert verify_all(session, seals=[seal]) == ([], [seal], 8)


def test_a_seal_of_the_middle_of_chains_holds(chain: Database, now: datetime) -> None:
    moments = [now + timedelta(seconds=s) for s in (-1, 0, 30, 60, 150, 10_000)]
    with chain.reading() as session:
        seals: list[Seal] = [seal_at(session, at) for at in moments]
        assert [seal.entries for seal in seals] == [0, 2, 2, 4, 6, 8]
        assert verify_all(session, seals=seals)[1] == []
        wrong = seals[3]._replace(entries=3)
        assert verify_all(session, seals=[wrong])[1] == [wrong]


def test_a_head_that_was_moved_is_found(chain: Database) -> None:
    with chain.transaction() as session:
        session.execute(sa.text("update audit_head set seq = 3 where patient_id = 7"))
    assert fault(chain) == (5, HEAD)


def test_an_entry_beside_another_is_refused_and_found(chain: Database) -> None:
    def beside(session: Session) -> None:
        first, second = entry_of(session, 1), entry_of(session, 2)
        other = AuditEntry(
            patient_id=WHOSE, seq=second.seq, at=second.at, by="job", act="other",
            what=b"", prev_hash=first.hash, account_id=None, link_id=None,
        )  # fmt: skip
        other.hash = entry_hash(other)
        session.add(other)
        session.flush()

    with pytest.raises(sa.exc.IntegrityError), chain.transaction() as session:
        beside(session)
    if chain.engine.dialect.name == "sqlite":
        return
    # What is altered here is rolled back at the end.
    with chain.writing() as session:
        session.execute(
            sa.text(
                "alter table audit_entry drop constraint uq_audit_entry_patient_id_seq"
            )
        )
        beside(session)
        found = verify_chain(session, WHOSE)
        assert found is not None
        assert (found.seq, found.kind) == (2, FORKED)


@pytest.mark.parametrize(
    "deed", [sa.delete(AuditEntry), sa.update(AuditEntry).values(act="x")]
)
def test_the_database_itself_refuses_to_change_an_entry(
    chain: Database, deed: sa.Executable
) -> None:
    with pytest.raises(sa.exc.DatabaseError), chain.transaction() as session:
        session.execute(deed)
    assert fault(chain) is None


def test_threads_that_write_at_once_make_one_chain(db: Database, now: datetime) -> None:
    each, threads = 10, 8

    def deed(_number: int) -> None:
        for _ in range(each):
            with db.transaction() as session:
                write(session, 1, since=now)

    at_once(threads, deed)
    with db.reading() as session:
        assert verify_all(session) == ([], [], each * threads)


def test_threads_that_look_at_once_are_written_once(
    db: Database, now: datetime
) -> None:
    def deed(_number: int) -> bool:
        with db.transaction() as session:
            return append_look(session, SCRIBE, act="a.show", ids={}, now=now)

    assert sorted(at_once(8, deed)) == [False] * 7 + [True]
    later = now + timedelta(minutes=10)
    with db.transaction() as session:
        assert append_look(session, SCRIBE, act="a.show", ids={}, now=later)


def test_time_never_runs_backwards_in_a_chain(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        write(session, 1, since=now)
        write(session, 1, since=now - timedelta(hours=1))
        assert entry_of(session, 2).at == now
    assert fault(db) is None


def test_what_an_entry_is_about_is_read_with_the_key_and_bound_to_its_place(
    chain: Database,
) -> None:
    with chain.reading() as session:
        what = entry_of(session, 2).what
        key = key_or_house(session, WHOSE)
    assert unseal(what, key, place=what_place(WHOSE, 2)) == b'{"dose_id": 1}'
    assert b"dose_id" not in what
    with pytest.raises(UnreadableError):
        unseal(what, key, place=what_place(WHOSE, 3))
