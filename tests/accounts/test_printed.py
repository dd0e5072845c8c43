"""Codes on paper: shown once, each good once, guessed at slowly."""

import re
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pillweb.accounts.actions.printed import (
    enter_by_printed_code,
    forget_entry_tries,
    make_printed_codes,
)
from pillweb.accounts.models import EntryTry, PrintedCode
from pillweb.accounts.rules import grouped_code, place_of
from pillweb.base import passwords
from pillweb.base.db import Database
from pillweb.web.security import limiter
from tests.house.rows import all_rows
from tests.world import World, csrf_of, signed_in

EMAIL = "marta@family.example"
UNKNOWN = "xarta@family.example"
HERE = "/account/printed-codes"
ENTER = "/sign-in/printed-code"
SHOWN = re.compile(r"<code[^>]*>([^<]+)</code>")
WRONG = "The e-mail address or the code is not right."


@pytest.fixture(autouse=True)
def _pinned(pinned: object) -> None:
    """The clock stands still."""


@pytest.fixture
def marta(app: Flask, world: World, now: datetime) -> FlaskClient:
    return signed_in(app, world.marta, now=now)


def make(client: FlaskClient) -> list[str]:
    answer = client.post(HERE, data={"csrf_token": csrf_of(client, HERE)})
    assert answer.status_code == 200
    return SHOWN.findall(answer.text)


def enter(client: FlaskClient, code: str, email: str = EMAIL) -> TestResponse:
    limiter.reset()
    data = {"csrf_token": csrf_of(client, ENTER), "email": email, "code": code}
    return client.post(ENTER, data=data)


def test_ten_codes_of_eighty_bits_are_shown_once_and_kept_as_argon2(
    marta: FlaskClient, db: Database
) -> None:
    assert "You have no printed codes yet." in marta.get(HERE).text
    codes = make(marta)
    assert len(set(codes)) == 10
    pattern = r"[0-9]( [0-9A-HJKMNP-TV-Z]{4}){4}"
    assert all(re.fullmatch(pattern, code) for code in codes)
    page = marta.get(HERE).text
    assert "10 printed codes still work." in page
    assert not SHOWN.findall(page)
    kept = str(all_rows(db)["printed_code"])
    assert kept.count("$argon2id$") == 10
    for code in codes:
        assert code.replace(" ", "").lower() not in kept


def test_a_code_signs_in_once_however_it_is_typed(
    app: Flask, marta: FlaskClient, db: Database
) -> None:
    codes = make(marta)
    client = app.test_client()
    typed = codes[3].lower().replace(" ", "-").replace("0", "o").replace("1", "l")
    answer = enter(
        client, typed[:1].replace("o", "0") + typed[1:], "MARTA@family.example "
    )
    assert (answer.status_code, answer.location) == (303, "/")
    assert "9 printed codes still work." in client.get("/people").text
    again = enter(app.test_client(), codes[3])
    assert again.status_code == 422
    assert WRONG in again.text
    assert enter(app.test_client(), codes[4]).status_code == 303


def test_new_codes_end_the_old(app: Flask, marta: FlaskClient) -> None:
    old, new = make(marta), make(marta)
    assert enter(app.test_client(), old[0]).status_code == 422
    assert enter(app.test_client(), new[0]).status_code == 303


def test_a_code_is_its_own_account_s_alone(app: Flask, marta: FlaskClient) -> None:
    codes = make(marta)
    assert enter(app.test_client(), codes[0], "luis@family.example").status_code == 422
    assert enter(app.test_client(), codes[0]).status_code == 303


def test_making_codes_asks_who_it_is(
    app: Flask, world: World, now: datetime, pinned: time_machine.Traveller
) -> None:
    """Checklist 42."""
    client = signed_in(app, world.marta, now=now)
    pinned.move_to(now + timedelta(minutes=11))
    answer = client.post(HERE, data={"csrf_token": csrf_of(client, HERE)})
    assert answer.status_code == 401
    assert "Is it you?" in answer.text


@pytest.mark.parametrize("email", [EMAIL, UNKNOWN, "luis@family.example"])
def test_every_address_costs_one_hash_and_gets_the_same_answer(
    app: Flask, marta: FlaskClient, email: str
) -> None:
    """Checklist 32: known with codes, unknown, known without codes."""
    make(marta)
    passwords.password_fits("x", None)
    verify = passwords._hasher.verify  # noqa: SLF001
    with patch.object(passwords, "_hasher", wraps=passwords._hasher) as hasher:  # noqa: SLF001
        hasher.verify.side_effect = verify
        answer = enter(app.test_client(), "3 0000 0000 0000 0000", email)
    assert hasher.verify.call_count == 1
    assert answer.status_code == 422
    assert WRONG in answer.text


@pytest.mark.parametrize("typed", ["", "1", "x" * 400, "٣ 0000 0000 0000 0000", "²"])
def test_what_is_no_code_is_refused_kindly(
    app: Flask, marta: FlaskClient, typed: str
) -> None:
    make(marta)
    assert enter(app.test_client(), typed).status_code == 422


@pytest.mark.parametrize("email", [EMAIL, UNKNOWN])
def test_an_address_is_guessed_ten_times_an_hour_whatever_is_flushed(
    app: Flask,
    marta: FlaskClient,
    email: str,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """Checklists 13 and 30: `enter` empties the limiter each time."""
    codes = make(marta)
    for _ in range(10):
        assert enter(app.test_client(), "1 0000", email).status_code == 422
    refused = enter(app.test_client(), codes[0], email)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 3600
    # Nobody else is kept out, and she has other ways in.
    assert enter(app.test_client(), "1 0000", "luis@family.example").status_code == 422
    pinned.move_to(now + timedelta(hours=1))
    assert enter(app.test_client(), codes[0]).status_code == 303


def test_one_visitor_guesses_twenty_times_an_hour(app: Flask, world: World) -> None:
    """Checklist 13."""
    found = [
        enter(app.test_client(), "1 00", f"p{n}@x.example").status_code
        for n in range(21)
    ]
    assert found == [422] * 20 + [429]


def test_two_browsers_at_once_use_a_code_once(
    db: Database, world: World, now: datetime
) -> None:
    """Checklist 12: the second saw the code unused, and finds it used."""
    with db.transaction() as session:
        codes = make_printed_codes(session, world.marta, now=now)
    with db.transaction() as session:
        first = enter_by_printed_code(session, email=EMAIL, code=codes[0], now=now)
        session.execute(sa.select(PrintedCode))
        second = enter_by_printed_code(session, email=EMAIL, code=codes[0], now=now)
    assert (first is not None, second) == (True, None)


def test_tries_are_forgotten_after_a_day(
    app: Flask, world: World, session: Session, now: datetime
) -> None:
    session.add(
        EntryTry(kind="printed", email_index=bytes(32), client_index=bytes(32), at=now)
    )
    session.flush()
    day = timedelta(days=1)
    assert forget_entry_tries(session, now=now + day / 2, limit=5) == 0
    assert forget_entry_tries(session, now=now + day, limit=5) == 1


def test_the_place_of_a_code_is_its_first_digit() -> None:
    assert place_of("7k3qp9xtm2hbw4rnc") == 7
    assert place_of("ak3qp9xtm2hbw4rnc") == -1
    assert place_of("7k3qp9xtm2hbw4rn") == -1
    assert grouped_code("7k3qp9xtm2hbw4rnc") == "7 K3QP 9XTM 2HBW 4RNC"
