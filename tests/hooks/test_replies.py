"""Answers by SMS and by the keys of a phone."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from pillweb.base.db import Database
from pillweb.contacts.actions.posting import send_contact_test
from pillweb.contacts.models import ContactPoint, ContactTest
from pillweb.contacts.queries import patients_to_tell
from pillweb.doses.models import DoseEvent
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from tests.hooks.conftest import NUMBER, Post
from tests.world import World, plan, prescribe


@pytest.fixture
def told(
    db: Database, world: World, now: datetime, phone_id: int, pinned: object
) -> int:
    """Rosa was reminded of 8 o'clock by SMS: the delivery's id."""
    with db.transaction() as session:
        others = ContactPoint.channel == "email"
        session.execute(sa.update(ContactPoint).where(others).values(state="stopped"))
        fire_reminders(session, now=now, limit=10)
        mine = Delivery.contact_id == phone_id
        session.execute(
            sa.update(Delivery)
            .where(mine)
            .values(state="accepted", accepted_at=now, provider_ref="SM1")
        )
        return session.scalars(sa.select(Delivery.id).where(mine)).one()


def events(db: Database) -> list[tuple[str, str]]:
    with db.reading() as session:
        wanted = sa.select(DoseEvent.what, DoseEvent.channel).order_by(DoseEvent.id)
        return [(what, channel) for what, channel in session.execute(wanted)]


def state(db: Database, contact_id: int) -> str:
    with db.reading() as session:
        return session.get_one(ContactPoint, contact_id).state


def reply(post: Post, body: str, number: str = NUMBER) -> str:
    answer = post("/hooks/sms", From=number, Body=body, MessageSid="SM9")
    assert answer.status_code == 200
    assert answer.mimetype == "text/xml"
    assert "Set-Cookie" not in answer.headers
    return answer.text


def test_one_is_taken_and_said_back_with_the_time(
    post: Post, told: int, db: Database, now: datetime
) -> None:
    assert "Recorded at 8.05am. Thank you, Rosa." in reply(post, " 1 ")
    assert "Already recorded at 8.05am by you." in reply(post, "yes")
    assert events(db) == [("taken", "sms")]
    with db.reading() as session:
        assert session.get_one(Delivery, told).answered_at == now


@pytest.fixture
def one_more(db: Database, world: World, now: datetime, pinned: object) -> None:
    """Rosa takes something at 8.05, too."""
    with db.transaction() as session:
        rosa = session.get_one(Patient, world.patient)
        prescribe(session, rosa, "08:05", now=now, name="Bisoprolol")
        plan(session, rosa, now=now)


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_an_answer_is_about_all_times_of_the_message(
    one_more: None, post: Post, told: int, db: Database, channel: str
) -> None:
    if channel == "sms":
        reply(post, "1")
    else:
        with db.transaction() as session:
            session.execute(sa.update(Delivery).values(channel="voice"))
        press_key(post, told, "1")
    assert events(db) == [("taken", channel)] * 2


def test_two_is_later_and_three_is_not_taking_it(
    post: Post, told: int, db: Database
) -> None:
    assert "We remind you again at 8.15am." in reply(post, "2")
    assert "Recorded as skipped at 8.05am." in reply(post, "3")
    assert events(db) == [("skipped", "sms")]


def test_late_is_asked_once_more(
    post: Post, told: int, db: Database, pinned: time_machine.Traveller
) -> None:
    pinned.shift(timedelta(hours=2))
    assert "Reply 1 once more only if you took your 8am" in reply(post, "1")
    # A provider may hand over the same reply twice.
    assert "Reply 1 once more" in reply(post, "1")
    assert events(db) == []
    pinned.shift(timedelta(seconds=10))
    assert "Recorded at 10.05am." in reply(post, "1")
    assert events(db) == [("taken", "sms")]


def test_after_a_day_nothing_is_meant(
    post: Post, told: int, db: Database, pinned: time_machine.Traveller
) -> None:
    pinned.shift(timedelta(hours=25))
    assert "open the link" in reply(post, "1")
    assert events(db) == []


def test_stop_stops_this_number_and_start_begins_again(
    post: Post, told: int, db: Database, phone_id: int
) -> None:
    assert "no more messages" in reply(post, "stop")
    assert state(db, phone_id) == "stopped"
    assert "get messages at this number again" in reply(post, "START")
    assert state(db, phone_id) == "active"
    assert events(db) == []


def test_a_test_is_answered_by_one(
    post: Post,
    db: Database,
    world: World,
    now: datetime,
    *,
    phone_id: int,
    pinned: object,
) -> None:
    with db.transaction() as session:
        contact = session.get_one(ContactPoint, phone_id)
        contact.state, contact.proven_at = "unproven", None
        person = patients_to_tell(session, [world.patient], now=now)[world.patient]
        send_contact_test(session, contact, person, now=now)
        session.execute(sa.update(Delivery).values(accepted_at=now, state="accepted"))
    assert "open the link" in reply(post, "2")
    assert "Thank you. Reminders arrive here." in reply(post, "1")
    assert state(db, phone_id) == "active"
    with db.reading() as session:
        assert session.scalars(sa.select(ContactTest.answered_at)).all() == [now]


def test_a_strangers_number_and_a_foreign_signature_change_nothing(
    post: Post, told: int, db: Database
) -> None:
    assert reply(post, "1", "+447700900999").endswith("<Response></Response>")
    forged = post("/hooks/sms", signed=False, From=NUMBER, Body="1")
    assert forged.status_code == 403
    assert events(db) == []


@pytest.mark.parametrize(
    "path", ["sms", "voice?delivery=x", "status", "status?delivery=9"]
)
def test_nonsense_is_answered_plainly(post: Post, told: int, path: str) -> None:
    for form in ({}, {"From": "\x00", "Body": "x" * 9000}, {"Digits": "%"}):
        answer = post(f"/hooks/{path}", **form)
        assert answer.status_code < 300
    assert post("/hooks/sms", Body="x" * 20_000).status_code == 413


def press_key(post: Post, delivery_id: int, key: str) -> str:
    return post(f"/hooks/voice?delivery={delivery_id}", Digits=key).text


def test_a_key_pressed_in_a_call_answers_it(
    post: Post, told: int, db: Database, pinned: time_machine.Traveller
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Delivery).values(channel="voice"))
    pinned.shift(timedelta(hours=2))
    asked = press_key(post, told, "1")
    assert "Gather" in asked
    assert f"/hooks/voice?delivery={told}&amp;again=1" in asked
    assert "Gather" in press_key(post, told, "1")
    assert events(db) == []
    said = post(f"/hooks/voice?delivery={told}&again=1", Digits="1").text
    assert '<Say language="en-GB">Recorded at 10.05am.' in said
    assert events(db) == [("taken", "voice")]
    assert press_key(post, told, "9").endswith("<Response></Response>")


def test_what_may_mean_no_records_nothing_and_says_what_to_reply(
    post: Post, told: int, db: Database
) -> None:
    for doubtful in ("Not taken", "taken? no", "Yes I will take it", "1 later"):
        words = reply(post, doubtful)
        assert "Reply with a number: 1 Taken, 2 In 10 minutes, 3 Not taking" in words
    assert events(db) == []
    assert "Recorded at 8.05am." in reply(post, "Taken, thank you")
    assert events(db) == [("taken", "sms")]


def test_a_call_to_somebody_whose_language_has_no_voice_is_in_english(
    post: Post, told: int, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).language = "km"
        delivery = session.get_one(Delivery, told)
        delivery.channel = "voice"
        speech = {"speech": ["km"], "first_name": "Rosa", "time_words": "8", "link": ""}
        delivery.context = json.dumps(speech | {"medicines": []})
        words = compose_message(delivery)
        delivery.channel = "sms"
        assert compose_message(delivery).language == "km"
        delivery.channel = "voice"
    assert (words.language, words.subject) == ("en", "Reminder for 8")
    said = '<Say language="en-GB">Recorded at 8.05am. Thank you, Rosa.'
    assert said in press_key(post, told, "1")
