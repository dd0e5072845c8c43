"""Reminders put off: silent until then, spoken then, never past the window."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.reminders.actions.arming import hold_reminders
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import still_wanted
from tests.world import World, csrf_of, make_patient, plan, prescribe, signed_in

LIMIT = 100


def after(now: datetime, minutes: float) -> datetime:
    return now + timedelta(minutes=minutes)


def minutes_spoken(session: Session, now: datetime, minutes: range) -> list[int]:
    """Let the job run every minute; return at which one a message was posted."""
    told = Delivery.kind == "dose_due"
    count = sa.select(sa.func.count()).select_from(Delivery).where(told)
    said, before = [], session.scalar(count)
    for minute in minutes:
        fire_reminders(session, now=after(now, minute), limit=LIMIT)
        if (posted := session.scalar(count)) != before:
            said.append(minute)
            before = posted
    return said


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    """Who takes one medicine once a day, now: it may wait for two hours."""
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:05", now=now)
    plan(session, patient, now=now)
    return patient


def hold(session: Session, patient: Patient, now: datetime, until: datetime) -> None:
    hold_reminders(session, patient.id, [now], until=until)
    session.expire_all()


def test_nothing_is_said_before_the_chosen_time_and_the_ladder_begins_there(
    session: Session, rosa: Patient, now: datetime
) -> None:
    assert minutes_spoken(session, now, range(6)) == [0]
    hold(session, rosa, now, after(now, 35))
    assert minutes_spoken(session, now, range(6, 200)) == [35, 50, 80]


def test_a_time_before_the_next_step_is_kept_too(
    session: Session, rosa: Patient, now: datetime
) -> None:
    assert minutes_spoken(session, now, range(21)) == [0, 15]
    hold(session, rosa, now, after(now, 36))
    assert minutes_spoken(session, now, range(21, 37)) == [36]


def test_a_ladder_that_had_ended_speaks_again_and_not_past_the_window(
    session: Session, rosa: Patient, now: datetime
) -> None:
    assert minutes_spoken(session, now, range(100)) == [0, 15, 45]
    hold(session, rosa, now, after(now, 115))
    assert minutes_spoken(session, now, range(100, 300)) == [115]


def facts_of(session: Session, patient: Patient) -> dict[str, Any]:
    """Return what recording the first dose, and taking it back, is told."""
    dose = session.scalars(sa.select(Dose).order_by(Dose.due_at)).first()
    assert dose is not None
    who = {"patient_id": patient.id, "account_id": None, "channel": "page"}
    return {"dose_ids": [dose.id], **who}


def test_what_was_taken_meanwhile_is_not_spoken_of(
    session: Session, rosa: Patient, now: datetime
) -> None:
    hold(session, rosa, now, after(now, 15))
    mark_taken(session, **facts_of(session, rosa), now=now)
    assert minutes_spoken(session, now, range(100)) == []


def test_what_was_taken_meanwhile_and_taken_back_is_spoken_of_at_the_next_step(
    session: Session, rosa: Patient, now: datetime
) -> None:
    facts = facts_of(session, rosa)
    hold(session, rosa, now, after(now, 60))
    mark_taken(session, **facts, now=after(now, 50))
    assert minutes_spoken(session, now, range(66)) == []
    undo_marks(session, **facts, now=after(now, 65))
    assert minutes_spoken(session, now, range(66, 200)) == [75, 105]


def test_a_message_that_still_waits_to_leave_is_not_wanted_before_its_time(
    session: Session, rosa: Patient, now: datetime
) -> None:
    fire_reminders(session, now=now, limit=LIMIT)
    first = session.scalars(sa.select(Delivery.id)).one()
    assert still_wanted(session, [first], now=now) == {first}
    hold(session, rosa, now, after(now, 15))
    assert still_wanted(session, [first], now=now) == set()
    fire_reminders(session, now=after(now, 15), limit=LIMIT)
    second = session.scalars(sa.select(Delivery.id).where(Delivery.id != first)).one()
    at = after(now, 15)
    assert still_wanted(session, [first, second], now=at) == {second}


def test_putting_off_twice_is_one_message_at_the_later_time(
    session: Session, rosa: Patient, now: datetime
) -> None:
    hold(session, rosa, now, after(now, 15))
    hold(session, rosa, now, after(now, 30))
    assert minutes_spoken(session, now, range(40)) == [30]


def test_one_that_was_never_told_in_its_hour_is_told_late_after_a_pause(
    session: Session, rosa: Patient, now: datetime
) -> None:
    hold(session, rosa, now, after(now, 15))
    fire_reminders(session, now=after(now, 200), limit=LIMIT)
    assert session.scalars(sa.select(Delivery.kind)).all() == []
    states = sa.select(Reminder.state).order_by(Reminder.due_at).limit(1)
    assert session.scalar(states) == "late"


@pytest.fixture
def page(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def press(client: FlaskClient, world: World, minutes: object) -> TestResponse:
    data = {"csrf_token": csrf_of(client, "/people/new"), "minutes": minutes}
    return client.post(f"/patients/{world.patient}/later", data=data)


def held(db: Database) -> tuple[datetime | None, datetime | None]:
    with db.reading() as session:
        first = sa.select(Reminder).order_by(Reminder.due_at, Reminder.id)
        reminder = session.scalars(first).first()
        assert reminder is not None
        return session.get_one(Dose, 1).later_until, reminder.snoozed_until


def test_three_large_answers_and_today_says_so(
    page: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    today = f"/patients/{world.patient}/today"
    assert f'<a href="/patients/{world.patient}/later">' in page.get(today).text
    asked = page.get(f"/patients/{world.patient}/later").text
    assert "When should we remind you again?" in asked
    # It was due at 8am, and twice a day may wait for one hour.
    assert "In 15 minutes, at 8.20am" in asked
    assert "In 30 minutes, at 8.35am" in asked
    assert "In 1 hour" not in asked
    press(page, world, 15)
    assert held(db) == (after(now, 15), after(now, 15))
    assert "We remind you again at 8.20am." in page.get(today).text
    press(page, world, 30)
    assert "We remind you again at 8.35am." in page.get(today).text


@pytest.mark.parametrize("minutes", ["60", "0", "-15", "x", "", "9" * 400])
def test_what_was_not_offered_changes_nothing(
    page: FlaskClient, world: World, db: Database, minutes: str
) -> None:
    answer = press(page, world, minutes)
    assert answer.headers["Location"] == f"/patients/{world.patient}/later"
    assert held(db) == (None, None)


def test_with_nothing_due_there_is_nothing_to_put_off(
    page: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    pinned.move_to(after(now, 6 * 60))
    today = page.get(f"/patients/{world.patient}/today").text
    assert "/later" not in today
    asked = page.get(f"/patients/{world.patient}/later").text
    assert "Nothing is waiting to be taken now." in asked
    press(page, world, 15)
    assert held(db) == (None, None)


def test_close_to_the_end_of_its_window_it_cannot_wait(
    page: FlaskClient, world: World, pinned: time_machine.Traveller, now: datetime
) -> None:
    pinned.move_to(after(now, 50))
    asked = page.get(f"/patients/{world.patient}/later").text
    assert "The medicines of 8am cannot wait much longer." in asked


def test_who_may_only_look_cannot_put_off(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    nora = signed_in(app, world.nora, now=now)
    assert "/later" not in nora.get(f"/patients/{world.patient}/today").text
    assert press(nora, world, 15).status_code == 404
    assert held(db) == (None, None)
