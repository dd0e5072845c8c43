"""Guided set-up, from a name to a reminder that is known to arrive."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs import deliver
from pillweb.base.db import Database
from pillweb.channels.mailbox import kept_mails
from pillweb.contacts.actions.changing import answer_contact_test
from pillweb.contacts.models import ContactTest
from pillweb.patients.models import Patient
from pillweb.setup.actions import finish_set_up, remind_at
from pillweb.setup.models import SetUp
from tests.jobs.conftest import Moment
from tests.jobs.conftest import moment as moment  # noqa: PLC0414 - a fixture
from tests.world import World, csrf_of, make_patient, prescribe, signed_in

NEW = {
    "who": "other",
    "name": "Ida",
    "agreed": "read_out",
    "zone": "Europe/London",
}
LINK = re.compile(r"/m/\S+")


@pytest.fixture
def eve(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.eve, now=now)


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    token = csrf_of(client, "/people/new")
    return client.post(path, data={"csrf_token": token, **typed})


def begin(client: FlaskClient) -> str:
    """Add Ida; return the path of the set-up."""
    where = send(client, "/people/new", **NEW).headers["Location"]
    assert where.endswith("/set-up/language")
    return str(where).removesuffix("/language")


def id_in(path: str) -> int:
    return int(path.split("/")[2])


def test_a_set_up_from_the_first_question_to_the_last(
    eve: FlaskClient, db: Database, moment: Moment, own_mailbox: object
) -> None:
    here = begin(eve)
    page = eve.get(f"{here}/language").text
    assert "In which language does <bdi>Ida</bdi> read?" in page
    assert "Step 3 of 7" in page
    answer = send(eve, f"{here}/language", language="ar")
    assert answer.headers["Location"] == f"{here}/medicines"
    with db.transaction() as session:
        patient = session.get_one(Patient, id_in(here))
        prescribe(session, patient, "08:00", now=moment.now, name="Ramipril")
    assert "<li><bdi>Ramipril</bdi></li>" in eve.get(f"{here}/medicines").text
    answer = send(eve, f"{here}/medicines", answer="done")
    assert answer.headers["Location"] == f"{here}/reminders"
    answer = send(eve, f"{here}/test", email="Ida@Family.example")
    assert answer.headers["Location"] == f"{here}/reminders"
    assert "A test is on its way" in eve.get(f"{here}/reminders").text
    refused = send(eve, here)
    assert refused.status_code == 422
    assert "No test of the reminders has arrived yet." in refused.text
    deliver.run()
    mail = kept_mails()[0][1]
    assert mail["To"] == "Ida@family.example"
    body, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert body
    assert html
    assert '<html lang="ar" dir="rtl">' in html.get_content()
    assert "Ramipril" not in body.get_content() + html.get_content()
    press(eve.application.test_client(), LINK.findall(body.get_content())[0])
    assert "A test arrived at" in eve.get(f"{here}/reminders").text
    send(eve, f"{here}/helpers", answer="done")
    answer = send(eve, f"{here}/papers", answer="later")
    assert answer.headers["Location"] == here
    page = unescape(eve.get(here).text)
    for words in ("Is everything right?", "العربية", "Ramipril", "Left for later"):
        assert words in page
    assert "Ida@family.example. A test arrived there." in page
    answer = send(eve, here)
    assert answer.headers["Location"] == here.replace("set-up", "today")
    assert "Go on with set-up" not in eve.get("/people").text


def press(client: FlaskClient, link: str) -> None:
    """Open the link of a test, which changes nothing, and press its button twice."""
    assert "Did this test arrive?" in client.get(link).text
    for _ in range(2):
        answer = client.post(link, data={"csrf_token": csrf_of(client)})
        assert answer.headers["Location"] == link
        assert "Thank you. Reminders arrive here." in client.get(link).text


def test_a_set_up_goes_on_where_it_was_left(eve: FlaskClient) -> None:
    here = begin(eve)
    assert f'href="{here}">Go on with set-up' in eve.get("/people").text
    send(eve, f"{here}/language", language="en")
    for step in ("medicines", "reminders"):
        send(eve, f"{here}/{step}", answer="later")
    assert f'href="{here}/helpers">Go on with set-up' in eve.get(here).text
    for place in ("sharing", "medicines", "papers/week", "papers/card"):
        page = eve.get(here.replace("set-up", place)).text
        assert f'href="{here}/helpers">Go on with set-up' in page
    sharing = here.replace("set-up", "sharing/links")
    send(eve, sharing, label="Ann", days="30", pages="today")
    assert "They can look now: <bdi>Ann</bdi>." in eve.get(f"{here}/helpers").text
    send(eve, f"{here}/helpers", answer="done")
    send(eve, f"{here}/papers", answer="done")
    page = eve.get(here).text
    assert page.count("Left for later") == 1
    assert "We do not know yet whether reminders arrive." in page


def test_every_answer_can_be_changed(eve: FlaskClient, db: Database) -> None:
    here = begin(eve)
    send(eve, f"{here}/who", name="Ida B", born="1944")
    send(eve, f"{here}/clock", zone="Asia/Kolkata")
    send(eve, f"{here}/language", language="hi")
    with db.reading() as session:
        row = session.get_one(Patient, id_in(here))
        found = (row.name, row.born, row.zone, row.language)
    assert found == ("Ida B", "1944", "Asia/Kolkata", "hi")
    for step, known in (("who", 'value="1944"'), ("clock", 'value="Asia/Kolkata"')):
        assert known in eve.get(f"{here}/{step}").text


@pytest.mark.parametrize(
    ("step", "typed", "sentence"),
    [
        ("who", {"name": " "}, "Write the person's name."),
        ("who", {"name": "Ida", "born": "1"}, "Write the year like this: 1944."),
        ("clock", {"zone": "Mars/Base"}, "We do not know the time zone"),
        ("language", {"language": "xx"}, "Not a valid choice"),
        ("test", {"email": "mum@"}, "Write a full e-mail address"),
        ("test", {"email": ""}, "Write the e-mail address."),
    ],
)
def test_an_answer_is_refused_in_plain_words(
    eve: FlaskClient, step: str, typed: dict[str, str], sentence: str
) -> None:
    answer = send(eve, f"{begin(eve)}/{step}", **typed)
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)


def test_there_are_no_other_steps(eve: FlaskClient) -> None:
    here = begin(eve)
    assert eve.get(f"{here}/pets").status_code == 404
    assert send(eve, f"{here}/pets", answer="done").status_code == 404


def test_another_address_must_be_proven_again(
    db: Database, eve: FlaskClient, now: datetime
) -> None:
    here = begin(eve)
    with db.transaction() as session:
        remind_at(session, id_in(here), email="a@family.example", now=now)
        answer_contact_test(session, session.query(ContactTest).one(), now=now)
    assert "A test arrived at" in eve.get(f"{here}/reminders").text
    send(eve, f"{here}/test", email="b@family.example")
    assert "A test arrived at" not in eve.get(f"{here}/reminders").text
    assert send(eve, here).status_code == 422
    send(eve, f"{here}/test", email="A@family.example")
    assert "A test arrived at" in eve.get(f"{here}/reminders").text


def test_another_address_opens_a_finished_set_up_again(
    db: Database, eve: FlaskClient, now: datetime
) -> None:
    patient = id_in(begin(eve))
    with db.transaction() as session:
        remind_at(session, patient, email="a@family.example", now=now)
        answer_contact_test(session, session.query(ContactTest).one(), now=now)
        finish_set_up(session, patient, now=now)
    with db.transaction() as session:
        remind_at(session, patient, email="A@family.example", now=now)
        assert session.get_one(SetUp, patient).finished_at == now
        remind_at(session, patient, email="b@family.example", now=now)
    with db.reading() as session:
        assert session.get_one(SetUp, patient).finished_at is None


def test_a_test_that_is_too_old_proves_nothing(
    app: Flask,
    eve: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
) -> None:
    here = begin(eve)
    send(eve, f"{here}/test", email="ida@family.example")
    pinned.shift(timedelta(days=2))
    assert "A test is on its way" not in eve.get(f"{here}/reminders").text
    for link in ("/m/" + "x" * 43, "/m/1"):
        assert app.test_client().get(link).status_code == 404


def test_a_set_up_of_before_is_never_asked_for(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        make_patient(session, now=now)
    marta = signed_in(app, world.marta, now=now)
    assert "Go on with set-up" not in marta.get("/people").text
    page = marta.get(f"/patients/{world.patient}/set-up")
    assert page.status_code == 200
