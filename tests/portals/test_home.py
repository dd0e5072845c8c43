"""The front door: first run, home, people, the demo family's button, help."""

import re
from datetime import datetime
from html import unescape
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account
from pillweb.base.config import settings
from pillweb.base.db import Database
from pillweb.contacts.models import ContactPoint
from pillweb.patients.models import Patient
from pillweb.setup.actions import finish_set_up
from tests.world import World, csrf_of, make_cast_account, make_patient, signed_in

SIGNED_UP = {
    "name": "Rosa",
    "email": "Rosa@Family.example",
    "password": "three unrelated words",
}


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    where = "/people/new" if client.get("/people/new").status_code == 200 else path
    page = client.get(where if where != "/welcome/demo" else "/welcome")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post(path, data={"csrf_token": token, **typed})


def names(db: Database, row: type[Account | Patient]) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(row.name).order_by(row.id)))


def test_an_empty_database_begins_with_welcome(app: Flask, pinned: object) -> None:
    client = app.test_client()
    for path in ("/", "/sign-in"):
        assert client.get(path).headers["Location"] == "/welcome"
    page = client.get("/welcome").text
    assert "Make my account" in page
    assert "Load a demo family" in page


def test_the_first_account_goes_on_to_say_who_takes_medicine(
    app: Flask, db: Database, pinned: object
) -> None:
    client = app.test_client()
    answer = send(client, "/welcome", **SIGNED_UP)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people/new")
    page = client.get("/people/new").text
    assert 'value="Rosa"' in page
    assert names(db, Account) == ["Rosa"]


def test_nobody_signs_up_before_the_first_account(
    app: Flask, db: Database, pinned: object
) -> None:
    client = app.test_client()
    data = {**SIGNED_UP, "csrf_token": csrf_of(client, "/look")}
    assert client.post("/sign-up", data=data).location == "/welcome"
    assert names(db, Account) == []


def test_a_public_server_asks_for_the_code_of_its_console(
    app: Flask, db: Database, pinned: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    data = {**SIGNED_UP, "csrf_token": csrf_of(client, "/welcome")}
    with monkeypatch.context() as patch:
        patch.setenv("HOST", "0.0.0.0")  # noqa: S104 - that is the point
        patch.setenv("PUBLIC_URL", "https://localhost")
        patch.setenv("SMTP_URL", "smtp://mail.example")
        settings.cache_clear()
        assert "The set-up code" in client.get("/welcome").text
        codes = ["", "0000 0000 0000"]
        refused = [client.post("/welcome", data=data | {"code": c}) for c in codes]
        assert names(db, Account) == []
        told = app.test_cli_runner().invoke(args=["sign-in-help"]).output
        code = told.rpartition(": ")[2].strip().lower()
        made = client.post("/welcome", data=data | {"code": code})
    settings.cache_clear()
    assert [answer.status_code for answer in refused] == [422, 422]
    assert made.status_code == 303
    assert names(db, Account) == ["Rosa"]


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "  ", "Write your name."),
        ("email", "rosa", "Write a full e-mail address, such as name@example.org."),
        ("email", "", "Write the e-mail address."),
        ("password", "short", "Use at least 8 characters."),
        ("password", "", "Choose a password."),
    ],
)
def test_a_first_account_is_refused_in_plain_words(  # noqa: PLR0917 - a table
    app: Flask, db: Database, pinned: object, field: str, typed: str, sentence: str
) -> None:
    answer = send(app.test_client(), "/welcome", **{**SIGNED_UP, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"><b>Error:</b> {sentence}' in unescape(answer.text)
    assert SIGNED_UP["password"] not in answer.text
    assert names(db, Account) == []


def test_welcome_is_over_once_there_is_an_account(
    app: Flask, world: World, db: Database, pinned: object
) -> None:
    client = app.test_client()
    token = csrf_of(client)
    assert client.get("/welcome").headers["Location"] == "/"
    for path in ("/welcome", "/welcome/demo"):
        answer = client.post(path, data={"csrf_token": token, **SIGNED_UP})
        assert answer.status_code == 404
    assert "Rosa Alvarez" not in names(db, Account)


def test_the_demo_button_loads_the_family_and_says_how_to_be_it(
    app: Flask, db: Database, pinned: object
) -> None:
    client = app.test_client()
    answer = send(client, "/welcome/demo")
    assert answer.headers["Location"] == "/demo"
    page = client.get("/demo").text
    assert "rosa@family.example" in page
    password = page.split("The password of both is <b><bdi>")[1].split("<")[0]
    other = app.test_client()
    signed = other.post(
        "/sign-in/password",
        data={
            "csrf_token": csrf_of(other),
            "email": "marta@family.example",
            "password": password,
        },
    )
    assert signed.status_code == 303
    assert names(db, Patient) == ["Rosa"]


def test_pressing_the_demo_button_twice_loads_one_family(
    app: Flask, db: Database, pinned: time_machine.Traveller
) -> None:
    clients = [app.test_client() for _ in range(4)]
    tokens = [csrf_of(client, "/welcome") for client in clients]
    together = Barrier(2)
    answers: list[tuple[int, str]] = []

    def press(client: FlaskClient, token: str) -> None:
        together.wait()
        answer = client.post("/welcome/demo", data={"csrf_token": token})
        answers.append((answer.status_code, answer.headers.get("Location", "")))

    threads = [
        Thread(target=press, args=pair)
        for pair in zip(clients[:2], tokens[:2], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A machine so slow that the second waits in vain is told to try again.
    assert (303, "/demo") in answers
    assert set(answers) <= {(303, "/demo"), (503, "")}
    assert names(db, Patient) == ["Rosa"]
    press_again = clients[3].post("/welcome/demo", data={"csrf_token": tokens[3]})
    assert press_again.headers["Location"] == "/demo"
    assert clients[3].get("/demo").status_code == 200
    assert names(db, Patient) == ["Rosa"]
    pinned.shift(61)
    late = clients[2].post("/welcome/demo", data={"csrf_token": tokens[2]})
    assert late.status_code == 404


def test_the_demo_is_refused_where_others_can_reach_it(
    app: Flask, db: Database, pinned: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    token = csrf_of(client, "/welcome")
    with monkeypatch.context() as patch:
        patch.setenv("HOST", "0.0.0.0")  # noqa: S104 - that is the point
        patch.setenv("PUBLIC_URL", "https://localhost")
        patch.setenv("SMTP_URL", "smtp://mail.example")
        settings.cache_clear()
        assert "Load a demo family" not in client.get("/welcome").text
        answer = client.post("/welcome/demo", data={"csrf_token": token})
    settings.cache_clear()
    assert answer.status_code == 404
    assert names(db, Account) == []


def test_the_demo_password_is_for_the_demo_family_only(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    assert signed_in(app, world.eve, now=now).get("/demo").status_code == 404
    assert app.test_client().get("/demo").status_code == 303


def test_home_with_nobody_one_and_two_people(
    app: Flask, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        account = make_cast_account(session, "Marta", now=now).id
        make_patient(session, name="Stranger", now=now)
    client = signed_in(app, account, now=now)
    assert client.get("/").headers["Location"] == "/people/new"
    page = client.get("/people/new").text
    assert 'value="me" checked' in page
    typed = {"name": "Marta", "zone": "Europe/London", "who": "me"}
    first = send(client, "/people/new", **typed).headers["Location"]
    base = first.removesuffix("/set-up/language")
    assert client.get("/").headers["Location"] == "/people"
    assert f'href="{base}/set-up">Go on with set-up' in client.get("/people").text
    with db.transaction() as session:
        finish_set_up(session, int(base.split("/")[-1]), now=now)
    assert client.get("/").headers["Location"] == f"{base}/today"
    page = client.get("/people/new").text
    assert 'value="other" checked' in page
    send(
        client,
        "/people/new",
        **{**typed, "name": "Rosa", "who": "other", "agreed": "read_out"},
    )
    assert client.get("/").headers["Location"] == "/people"
    people = client.get("/people").text
    assert "Rosa" in people
    assert "Stranger" not in people
    with db.reading() as session:
        mails = set(session.scalars(sa.select(ContactPoint.address)))
    assert "marta@family.example" in mails


def test_who_and_where_are_asked_one_after_the_other(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    before = names(db, Patient)
    eve = signed_in(app, world.eve, now=now)
    who = {"name": "Mum", "born": "1944", "who": "other", "agreed": "read_out"}
    page = send(eve, "/people/new", **who)
    assert page.status_code == 200
    assert "Where does <bdi>Mum</bdi> live?" in page.text
    assert "Step 2 of 7" in page.text
    for field, value in who.items():
        assert f'type="hidden" name="{field}" value="{value}"' in page.text
    back = send(eve, "/people/new", **who, zone="", back="y").text
    assert 'value="Mum"' in back
    assert "Step 1 of 7" in back
    assert names(db, Patient) == before
    answer = send(eve, "/people/new", **who, zone="Europe/London")
    assert answer.headers["Location"].endswith("/set-up/language")
    with db.reading() as session:
        row = session.scalars(sa.select(Patient).order_by(-Patient.id)).first()
    assert row is not None
    assert row.born == "1944"


def test_a_person_keeps_the_name_and_clock_that_were_typed(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    eve = signed_in(app, world.eve, now=now)
    typed = {
        "name": "\u0623\u0645\u064a",
        "zone": "Asia/Calcutta",
        "who": "other",
        "agreed": "read_out",
    }
    answer = send(eve, "/people/new", **typed)
    assert answer.status_code == 303
    with db.reading() as session:
        row = session.scalars(sa.select(Patient).order_by(-Patient.id)).first()
    assert row is not None
    assert (row.name, row.zone) == (typed["name"], typed["zone"])
    assert row is not None


def test_pressing_twice_adds_one_person(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        account = make_cast_account(session, "Ida", now=now).id
    client = signed_in(app, account, now=now)
    typed = {"name": "Ida", "zone": "Europe/London", "who": "me"}
    before = len(names(db, Patient))
    found = {send(client, "/people/new", **typed).headers["Location"] for _ in "12"}
    assert len(found) == 1
    assert len(names(db, Patient)) == before + 1


def test_nobody_can_be_added_as_oneself_twice(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    before = names(db, Patient)
    typed = {"name": "Rosa II", "zone": "Europe/London", "who": "me"}
    answer = send(rosa, "/people/new", **typed)
    assert answer.status_code == 422
    assert "You are here already. Choose somebody you help." in answer.text
    assert names(db, Patient) == before


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Write the person's name."),
        ("name", " \t ", "Write the person's name."),
        ("name", "x" * 201, "Use at most 200 characters."),
        ("zone", "Mars/Base", "We do not know the time zone 'Mars/Base'."),
        ("zone", "../../etc/passwd", "We do not know the time zone"),
        ("zone", "Europe/London\x00", "We do not know the time zone"),
        ("zone", "zone.tab", "We do not know the time zone"),
        ("zone", "", "Choose the time zone."),
        ("born", "44", "Write the year like this: 1944."),
        ("who", "nobody", "Not a valid choice"),
    ],
)
def test_a_person_is_refused_in_plain_words(  # noqa: PLR0917 - a table
    app: Flask,
    world: World,
    db: Database,
    now: datetime,
    pinned: object,
    field: str,
    typed: str,
    sentence: str,
) -> None:
    before = names(db, Patient)
    good = {
        "name": "Ida",
        "zone": "Europe/London",
        "who": "other",
        "agreed": "read_out",
    }
    eve = signed_in(app, world.eve, now=now)
    answer = send(eve, "/people/new", **{**good, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"><b>Error:</b> {sentence}' in unescape(answer.text)
    assert names(db, Patient) == before


def test_help_is_there_for_everybody(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    for client in (app.test_client(), signed_in(app, world.rosa, now=now)):
        page = client.get("/help")
        assert page.status_code == 200
        assert "I took too much" in page.text
        assert "112" in page.text


def test_the_numbers_to_call_stand_at_the_foot_of_every_page(
    app: Flask, world: World, pinned: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    foot = client.get("/sign-in").text.split("<footer>")[1]
    assert 'href="tel:112"' in foot
    assert "Call " not in foot
    monkeypatch.setitem(app.jinja_env.globals, "help_phone", "020 7946 0000")
    feet = {
        re.sub(r"/look[^\"]*", "/look", client.get(path).text.split("<footer>")[1])
        for path in ("/sign-in", "/help", "/nowhere")
    }
    assert len(feet) == 1
    assert 'href="tel:02079460000">Call 020 7946 0000' in feet.pop()
