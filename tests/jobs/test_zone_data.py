"""Newer zone data moves what is to come, and nothing that was lived."""

from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs import fire_reminders, plan_doses
from pillweb.base.db import Database
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import Reminder
from tests.jobs.conftest import Moment
from tests.world import make_patient, prescribe
from tests.zone_data import zone_data

VANCOUVER = "America/Vancouver"
SEVEN, EIGHT = "Etc/GMT+7", "Etc/GMT+8"  # hours behind UTC
HOUR = timedelta(hours=1)


@pytest.fixture
def old_data(tmp_path: Path) -> Iterator[ExitStack]:
    """Zone data by which Vancouver is eight hours behind, until it is closed."""
    with ExitStack() as stack:
        stack.enter_context(zone_data(tmp_path / "old", "2025b", {VANCOUVER: EIGHT}))
        yield stack


def planned(db: Database, moment: Moment, *clocks: str) -> int:
    with db.transaction() as session:
        somebody = make_patient(session, now=moment.now, zone=VANCOUVER)
        prescribe(session, somebody, *clocks, now=moment.now)
        number = somebody.id
    assert plan_doses.run() == 1
    return number


def renew(stack: ExitStack, folder: Path) -> None:
    """Install newer data, by which Vancouver is seven hours behind."""
    stack.close()
    stack.enter_context(zone_data(folder / "new", "2026b", {VANCOUVER: SEVEN}))


def dues(db: Database, *states: str) -> list[datetime]:
    with db.reading() as session:
        return list(
            session.scalars(
                sa.select(Dose.due_at)
                .where(Dose.state.in_(states or ("open",)))
                .order_by(Dose.due_at)
            )
        )


def test_every_dose_to_come_moves_and_what_was_lived_stays(
    db: Database,
    moment: Moment,
    old_data: ExitStack,
    tmp_path: Path,
    told: list[MutableMapping[str, Any]],
) -> None:
    patient = planned(db, moment, "08:00", "20:00")  # it is 0.05am there
    first, second, third = dues(db)[:3]
    assert first == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    moment.move(hours=19)
    with db.transaction() as session:
        ahead = session.scalars(sa.select(Dose).where(Dose.due_at == second)).one()
        facts: dict[str, Any] = {"account_id": None, "channel": "page"}
        found = [ahead.id]
        assert mark_taken(session, found, patient_id=patient, now=moment.now, **facts)
    renew(old_data, tmp_path)
    assert plan_doses.run() == 1
    after = dues(db)
    assert after[0] == first, "its time had come by the clock of its day"
    assert dues(db, "taken") == [second], "recorded ahead, it keeps its instant"
    assert after[1] == third - HOUR
    assert len(after) == len(set(after)) == 15
    with db.reading() as session:
        rows = session.scalars(sa.select(Dose).where(Dose.due_at > third)).all()
        assert {(row.local_label, row.tzdata_version) for row in rows} == {
            ("08:00", "2026b"),
            ("20:00", "2026b"),
        }
        assert all(row.missed_at > row.due_at for row in rows)
        armed = set(session.scalars(sa.select(Reminder.due_at)))
    assert set(after[1:]) <= armed
    assert [
        (one["before"], one["after"], one["patient"])
        for one in told
        if one["event"] == "zone_data_changed"
    ] == [("2025b", "2026b", patient)]
    assert plan_doses.run() == 0


def test_reminders_of_the_old_time_say_nothing(
    db: Database, moment: Moment, old_data: ExitStack, tmp_path: Path
) -> None:
    planned(db, moment, "08:00")
    renew(old_data, tmp_path)
    plan_doses.run()
    moment.now = datetime(2026, 11, 20, 15, 0, 5, tzinfo=UTC)
    assert fire_reminders.run() == 1
    moment.now += HOUR
    fire_reminders.run()
    with db.reading() as session:
        sent = session.scalars(
            sa.select(Delivery.dedupe_key).where(Delivery.kind == "dose_due")
        ).all()
    assert len(sent) == 1


def test_one_message_tells_whoever_has_a_dose_within_a_day(
    db: Database, moment: Moment, old_data: ExitStack, tmp_path: Path
) -> None:
    planned(db, moment, "08:00")
    renew(old_data, tmp_path)
    plan_doses.run()
    plan_doses.run()
    with db.reading() as session:
        kinds = session.scalars(sa.select(Delivery.kind)).all()
    assert kinds == ["clock_changed"]


def test_nobody_is_told_of_what_does_not_move_or_is_far_off(
    db: Database, moment: Moment, old_data: ExitStack, tmp_path: Path
) -> None:
    with db.transaction() as session:
        make_patient(session, now=moment.now, zone=VANCOUVER)
        here = make_patient(session, name="Bruno", now=moment.now)
        prescribe(session, here, "08:30", now=moment.now)
        later = make_patient(session, name="Ida", now=moment.now, zone=VANCOUVER)
        prescribe(session, later, "08:00", now=moment.now + timedelta(days=3))
    plan_doses.run()
    before = dues(db)
    renew(old_data, tmp_path)
    assert plan_doses.run() == 3
    assert dues(db) != before
    with db.reading() as session:
        assert session.scalars(sa.select(Delivery.kind)).all() == []


def test_a_dose_pulled_back_over_now_is_still_asked_for(
    db: Database, moment: Moment, old_data: ExitStack, tmp_path: Path
) -> None:
    planned(db, moment, "08:00")
    moment.now = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)  # 7.45 or 8.45 there
    renew(old_data, tmp_path)
    plan_doses.run()
    assert dues(db)[0] == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
