"""A kept answer is recorded once, at the time it was pressed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.base.errors import NotFoundError
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose, DoseEvent
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.reminders.models import Reminder
from pillweb.schedules.actions import set_plan
from pillweb.sync.actions import Answer, replay_answer
from pillweb.sync.models import Replay
from pillweb.sync.rules import Presser
from tests.at_once import at_once
from tests.world import World, daily, plan, prescribe

HOUR = timedelta(hours=1)
KEY = "0123456789abcdef"


@pytest.fixture
def dose(db: Database, world: World) -> int:
    """Rosa's dose of 8am."""
    with db.reading() as session:
        found = session.scalars(
            sa.select(Dose.id)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at)
        )
        return found.first() or pytest.fail("no dose")


def replay(
    session: Session, world: World, answer: Answer, *, now: datetime, who: int = 0
) -> Replay:
    return replay_answer(
        session,
        answer,
        patient_id=world.patient,
        presser=Presser(account_id=who or world.rosa),
        now=now,
    )


def events(session: Session, dose: int) -> list[tuple[Any, ...]]:
    asked = sa.select(
        DoseEvent.what, DoseEvent.channel, DoseEvent.at, DoseEvent.entered_at
    ).where(DoseEvent.dose_id == dose)
    return [tuple(row) for row in session.execute(asked.order_by(DoseEvent.id))]


def test_it_is_taken_when_it_was_pressed(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    with db.transaction() as session:
        sent = now + HOUR
        answer = Answer(KEY, dose, "take", ago=HOUR)
        assert replay(session, world, answer, now=sent).outcome == "recorded"
        row = session.get_one(Dose, dose, populate_existing=True)
        assert (row.state, row.taken_at, row.recorded_at) == ("taken", now, sent)
        assert events(session, dose) == [("taken", "offline", now, sent)]


def test_the_same_press_ten_times_is_one_event(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    for second in range(10):
        with db.transaction() as session:
            sent = now + timedelta(seconds=second)
            answer = Answer(KEY, dose, "take", ago=timedelta(seconds=second))
            assert replay(session, world, answer, now=sent).outcome == "recorded"
    with db.reading() as session:
        assert len(events(session, dose)) == 1


def test_two_tabs_at_once_are_one_event(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    def send(_number: int) -> str:
        with db.transaction() as session:
            answer = Answer(KEY, dose, "take", ago=HOUR)
            return replay(session, world, answer, now=now + HOUR).outcome

    assert at_once(2, send) == ["recorded", "recorded"]
    with db.reading() as session:
        assert len(events(session, dose)) == 1


def test_taken_and_undone_without_a_connection_tells_both(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    sent = now + HOUR
    with db.transaction() as session:
        for key, deed, ago in ((KEY, "take", 60), (f"{KEY}0", "undo", 55)):
            answer = Answer(key, dose, deed, ago=timedelta(minutes=ago))
            assert replay(session, world, answer, now=sent).outcome == "recorded"
        assert session.get_one(Dose, dose, populate_existing=True).state == "open"
        assert [row[0] for row in events(session, dose)] == ["taken", "undone"]
        again = Answer(f"{KEY}1", dose, "undo", ago=timedelta(minutes=50))
        assert replay(session, world, again, now=sent).outcome == "same"


def test_who_recorded_first_stands(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    with db.transaction() as session:
        mark_taken(
            session,
            [dose],
            patient_id=world.patient,
            account_id=world.luis,
            channel="page",
            now=now,
        )
        answer = Answer(KEY, dose, "take", ago=HOUR)
        found = replay(session, world, answer, now=now + HOUR)
        assert found.outcome == "already"
        assert len(events(session, dose)) == 1


@pytest.mark.parametrize(
    "case",
    [
        (13, "Europe/London", "recorded"),
        (24, "Europe/London", "changed"),
        (13, "Asia/Tokyo", "changed"),
    ],
)
def test_a_page_of_a_day_that_is_over_by_the_clock_of_the_patient_records_nothing(
    db: Database, world: World, dose: int, now: datetime, case: tuple[int, str, str]
) -> None:
    hours, zone, outcome = case
    with db.transaction() as session:
        session.get_one(Patient, world.patient).zone = zone
        sent = now + (hours + 1) * HOUR
        answer = Answer(KEY, dose, "take", ago=HOUR)
        assert replay(session, world, answer, now=sent).outcome == outcome


@pytest.mark.parametrize("deed", ["take", "skip"])
def test_what_the_plan_moved_after_the_press_stays_open(
    db: Database, world: World, now: datetime, deed: str
) -> None:
    pressed = now.replace(hour=19, minute=45)
    with db.transaction() as session:
        evening = sa.select(Dose.id).where(Dose.due_at > now).order_by(Dose.due_at)
        dose = session.scalars(evening.where(Dose.patient_id == world.patient)).first()
        medication = session.get_one(Medication, world.medication)
        line = daily("08:00", "21:00", start=now.date(), amount="2")
        changed = pressed + timedelta(minutes=5)
        set_plan(session, medication, lines=[line], author_id=None, now=changed)
        plan(session, session.get_one(Patient, world.patient), now=changed)
        answer = Answer(KEY, dose or 0, deed, ago=HOUR)
        assert replay(session, world, answer, now=pressed + HOUR).outcome == "changed"
        row = session.get_one(Dose, dose, populate_existing=True)
        assert (row.state, row.due_at) == ("open", now.replace(hour=21, minute=0))


def test_a_skip_keeps_its_reason(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    with db.transaction() as session:
        answer = Answer(KEY, dose, "skip", ago=HOUR, reason="unwell")
        replay(session, world, answer, now=now + HOUR)
        row = session.get_one(Dose, dose, populate_existing=True)
        assert (row.state, row.skip_reason) == ("skipped", "unwell")


@pytest.mark.parametrize("minutes", [30, 15])
def test_later_counts_from_the_press(
    minutes: int, db: Database, world: World, dose: int, now: datetime
) -> None:
    wait = timedelta(minutes=minutes)
    outcome = "over" if minutes < 20 else "recorded"
    sent = now + timedelta(minutes=20)
    with db.transaction() as session:
        answer = Answer(KEY, dose, "later", ago=sent - now, later_by=wait)
        assert replay(session, world, answer, now=sent).outcome == outcome
        row = session.get_one(Dose, dose, populate_existing=True)
        held = session.scalars(
            sa.select(Reminder.snoozed_until).where(Reminder.due_at == row.due_at)
        )
        until = now + wait if outcome == "recorded" else None
        assert row.later_until == until
        assert until in set(held)


def test_later_waits_for_nothing_that_cannot(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        urgent = {"name": "Levodopa", "category": "time_critical"}
        prescribe(session, patient, "08:00", now=now, **urgent)
        plan(session, patient, now=now)
        due_at = session.get_one(Dose, dose).due_at
        both = sa.select(Dose.id).where(
            Dose.patient_id == world.patient, Dose.due_at == due_at
        )
        for number, one in enumerate(session.scalars(both).all()):
            wait = timedelta(minutes=30)
            answer = Answer(f"{KEY}{number}", one, "later", timedelta(), later_by=wait)
            assert replay(session, world, answer, now=now).outcome == "over"
        held = sa.select(Reminder.snoozed_until).where(Reminder.due_at == due_at)
        assert set(session.scalars(held)) == {None}


def test_the_key_of_another_account_is_another_press(
    db: Database, world: World, dose: int, now: datetime
) -> None:
    with db.transaction() as session:
        answer = Answer(KEY, dose, "take", ago=timedelta())
        assert replay(session, world, answer, now=now).outcome == "recorded"
        theirs = replay(session, world, answer, now=now, who=world.marta)
        assert theirs.outcome == "already"


def test_a_dose_of_somebody_else_is_none(
    session: Session, world: World, now: datetime
) -> None:
    theirs = session.scalar(
        sa.select(Dose.id).where(Dose.patient_id == world.other_patient)
    )
    assert theirs is not None
    with pytest.raises(NotFoundError):
        replay(session, world, Answer(KEY, theirs, "take", ago=HOUR), now=now)
