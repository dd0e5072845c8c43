"""A code to sign in, by SMS to the account's own phone and to no other."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.channels.sms import text_of
from pillweb.contacts.actions.adding import add_contact
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.web.security import limiter
from tests.conftest import use_settings
from tests.world import World, csrf_of

EMAIL, OTHER = "marta@family.example", "luis@family.example"
UNKNOWN = "anna@family.example"
PHONE = "+447700900001"
HERE = "/sign-in/phone"


@pytest.fixture(autouse=True)
def _phones(
    db: Database, world: World, now: datetime, pinned: object
) -> Iterator[None]:
    """Marta has a phone; Luis one that is not proven; the patient Rosa has one."""
    with db.transaction() as session:
        for number, account_id, patient_id, is_proven in (
            (PHONE, world.marta, None, True),
            ("+447700900002", world.luis, None, False),
            ("+447700900003", None, world.patient, True),
        ):
            add_contact(
                session,
                channel="sms",
                address=number,
                account_id=account_id,
                patient_id=patient_id,
                is_proven=is_proven,
                now=now,
            )
    use_settings(SMS_URL="https://AC1:word@api.twilio.com", SMS_FROM="+441632960001")
    yield
    use_settings(SMS_URL="", SMS_FROM="")


def ask(client: FlaskClient, email: str = EMAIL) -> TestResponse:
    limiter.reset()
    data = {"csrf_token": csrf_of(client), "email": email}
    return client.post(HERE, data=data)


def newest(db: Database) -> Delivery:
    with db.reading() as session:
        row = session.scalars(sa.select(Delivery).order_by(Delivery.id.desc())).first()
        assert row is not None
        session.expunge(row)
        return row


def code_of(row: Delivery) -> str:
    return str(json.loads(row.context or "{}")["code"])


def type_code(client: FlaskClient, code: str) -> TestResponse:
    limiter.reset()
    data = {"csrf_token": csrf_of(client, "/sign-in/code"), "code": code}
    return client.post("/sign-in/code", data=data)


def test_the_code_signs_in_the_browser_that_asked(app: Flask, db: Database) -> None:
    """Checklist 33 and 35: it is for one browser, and confirms no mail address."""
    client, other = app.test_client(), app.test_client()
    assert "Type the code from the message" in ask(client).text
    sent = newest(db)
    assert (sent.channel, sent.recipient, sent.state) == ("sms", PHONE, "pending")
    ask(other, OTHER)
    assert type_code(other, code_of(sent)).status_code == 422
    assert type_code(client, code_of(sent)).status_code == 303
    assert client.get("/people").status_code == 200
    with db.reading() as session:
        confirmed = session.scalars(sa.select(Account.confirmed_at)).all()
    assert set(confirmed) == {None}


def test_the_text_names_the_sender_and_asks_to_tell_nobody(
    app: Flask, db: Database
) -> None:
    ask(app.test_client())
    sent = newest(db)
    text = text_of(compose_message(sent))
    assert text.startswith("PillWeb: ")
    assert code_of(sent) in text
    assert "Tell it to nobody" in text
    assert "http" not in text
    assert len(text) <= 160


@pytest.mark.parametrize("email", [OTHER, "rosa@family.example", UNKNOWN])
def test_who_has_no_phone_of_their_own_gets_the_same_answer_and_no_sms(
    app: Flask, db: Database, email: str
) -> None:
    """Checklist 32. A number that somebody added to a patient lets nobody in."""
    known = ask(app.test_client()).text.replace(EMAIL, email)
    client = app.test_client()
    answer = ask(client, email)
    assert answer.status_code == 200
    marks = ('name="csrf_token"', "X-CSRFToken")
    shown = [
        [line for line in text.splitlines() if not any(one in line for one in marks)]
        for text in (known, answer.text)
    ]
    assert shown[0] == shown[1]
    sent = newest(db)
    assert sent.state == "suppressed"
    assert type_code(client, code_of(sent)).status_code == 422


def test_every_address_costs_the_same(app: Flask, db: Database) -> None:
    """Checklist 32."""

    def statements(email: str) -> list[str]:
        asked: list[str] = []

        def note(_c: object, _cur: object, statement: str, *_: object) -> None:
            asked.append(statement)

        client = app.test_client()
        token = csrf_of(client)
        limiter.reset()
        sa.event.listen(db.engine, "before_cursor_execute", note)
        client.post(HERE, data={"csrf_token": token, "email": email})
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return asked

    statements("warm@family.example")
    assert statements(EMAIL) == statements(OTHER) == statements(UNKNOWN)


@pytest.mark.parametrize("email", [EMAIL, UNKNOWN])
def test_three_texts_an_hour_whatever_is_flushed(
    app: Flask, email: str, now: datetime, pinned: time_machine.Traveller
) -> None:
    """Checklist 13: `ask` empties the limiter each time. Mail is counted apart."""
    for _ in range(3):
        assert ask(app.test_client(), email).status_code == 200
    assert ask(app.test_client(), email).status_code == 429
    client = app.test_client()
    data = {"csrf_token": csrf_of(client), "email": email}
    assert client.post("/sign-in", data=data).status_code == 200
    pinned.move_to(now + timedelta(hours=1))
    assert ask(app.test_client(), email).status_code == 200


def test_a_visitor_asks_for_ten_texts_an_hour(app: Flask) -> None:
    found = [ask(app.test_client(), f"p{n}@x.example").status_code for n in range(11)]
    assert found == [200] * 10 + [429]


def test_five_wrong_codes_end_it(app: Flask, db: Database) -> None:
    """Checklist 35."""
    client = app.test_client()
    ask(client)
    code = code_of(newest(db))
    wrong = "0000 0000" if code != "0000 0000" else "1111 1111"
    for _ in range(5):
        assert type_code(client, wrong).status_code == 422
    assert type_code(client, code).status_code == 422


def test_it_is_offered_only_where_sms_are_set_up(app: Flask) -> None:
    assert HERE in app.test_client().get("/sign-in").text
    use_settings(SMS_URL="", SMS_FROM="")
    assert HERE not in app.test_client().get("/sign-in").text
    assert app.test_client().get(HERE).status_code == 404
