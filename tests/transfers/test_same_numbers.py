"""Taken out, erased, brought in elsewhere: every number is the same."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from pillweb.accounts.actions import joining
from pillweb.base.db import Database, make_engine
from pillweb.patients.models import Patient
from pillweb.portals.actions import load_demo
from tests.transfers.lives import Life, brought, numbers, taken_out

OCTOBER = datetime(2026, 10, 23, 7, 5, tzinfo=UTC)
DEEDS = st.tuples(
    st.sampled_from(
        [
            *("take", "take", "undo", "part", "skip", "extra", "extra_back"),
            *("receive", "count", "book", "edit", "pause", "resume"),
            *("travel", "eat", "sleep", "sleep"),
        ]
    ),
    st.integers(0, 1),
    st.integers(0, 4),
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(DEEDS, min_size=3, max_size=24))
def test_whatever_was_lived_has_the_same_numbers_elsewhere(
    session: Session, story: list[tuple[str, int, int]]
) -> None:
    session.rollback()
    life = Life(session, OCTOBER)
    for deed, which, number in story:
        life.tell(deed, which, number)
    now, patient_id = life.own.now, life.own.patient.id
    before = numbers(session, patient_id, now=now)
    raw = taken_out(session, patient_id, now=now)
    there = brought(session, raw, now=now)
    assert numbers(session, there, now=now) == before
    # Both go on alike, with what was still to be booked.
    later = now + timedelta(days=3)
    life.own.session.flush()
    assert numbers(session, there, now=later) == numbers(session, patient_id, now=later)
    # And what is taken out there is the same again.
    again = brought(session, taken_out(session, there, now=now), now=now)
    assert numbers(session, again, now=now) == before


@pytest.fixture
def elsewhere(sqlite_template: Path, tmp_path: Path) -> Database:
    """Another installation, with nobody in it."""
    file = tmp_path / "elsewhere.db"
    shutil.copy(sqlite_template, file)
    return Database(make_engine(f"sqlite:///{file}"))


def test_the_demo_family_is_the_same_on_another_installation(
    db: Database,
    elsewhere: Database,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(joining, "hash_password", lambda _: "-")
    with db.transaction() as session:
        load_demo(session, password="-", now=now)
    with db.standing_still() as session:
        patient_id = session.scalars(sa.select(Patient.id)).one()
        before = numbers(session, patient_id, now=now)
        raw = taken_out(session, patient_id, now=now)
    with db.transaction() as session:
        session.execute(sa.delete(Patient))
    for there in (db, elsewhere):
        with there.transaction() as session:
            new = brought(session, raw, now=now)
            assert numbers(session, new, now=now) == before
    elsewhere.engine.dispose()
    assert len(before["outcomes"]) > 300
    assert before["supplies"]
