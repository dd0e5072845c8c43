"""Signing in by mail: a link, and a code, for the browser that asked."""

import json
import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pillweb.accounts.actions.entering import forget_sign_in_mails
from pillweb.accounts.models import Account, SignInMail, WebSession
from pillweb.base.db import Database
from pillweb.outbox.models import Delivery
from pillweb.web.security import limiter
from tests.house.rows import all_rows, changed
from tests.press import NO_PRESS, a_press
from tests.tokens import newest_token
from tests.world import World, csrf_of

EMAIL = "marta@family.example"
UNKNOWN = "nobody@family.example"
WRONG = "This code is not right, or too old."
ELSEWHERE = "Type the code where you asked"
LINK_GONE = "This link does not work"


@pytest.fixture(autouse=True)
def _everybody(world: World, pinned: object) -> None:
    """The cast: none of them has a password."""


def ask(
    client: FlaskClient, email: str = EMAIL, where: str = "", **typed: str
) -> TestResponse:
    limiter.reset()
    token = csrf_of(client)
    data = {"csrf_token": token, "email": email, **typed}
    return client.post(f"/sign-in{where}", data=data)


def mailed(db: Database) -> tuple[str, str]:
    """Return the link's path and the code of the newest mail."""
    with db.reading() as session:
        context = session.scalars(
            sa.select(Delivery.context).order_by(Delivery.id.desc())
        ).first()
        assert context is not None
        return f"/e/{newest_token(session)}", str(json.loads(context)["code"])


def type_code(client: FlaskClient, code: str) -> TestResponse:
    limiter.reset()
    token = csrf_of(client, "/sign-in/code")
    return client.post("/sign-in/code", data={"csrf_token": token, "code": code})


def press(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    token = csrf_of(client, "/sign-in/code")
    return client.post(path, data={"csrf_token": token, **a_press(path), **fields})


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def test_an_account_without_a_password_signs_in_by_a_pasted_code(
    app: Flask, db: Database
) -> None:
    """Checklist 33. The browser of the tests runs no script."""
    client = app.test_client()
    page = ask(client, where="?next=/account/wishes")
    assert "Type the code from the message" in page.text
    _, code = mailed(db)
    assert re.fullmatch(r"\d{4} \d{4}", code)
    answer = type_code(client, f" {code}\n")
    assert (answer.status_code, answer.location) == (303, "/account/wishes")
    assert is_in(client)


def test_the_link_signs_in_the_browser_that_asked(app: Flask, db: Database) -> None:
    """Checklist 33."""
    client = app.test_client()
    ask(client, where="?next=/account/wishes")
    path, _ = mailed(db)
    page = client.get(path)
    assert "Sign in here?" in page.text
    assert not is_in(client)
    answer = press(client, path)
    assert (answer.status_code, answer.location) == (303, "/account/wishes")
    assert is_in(client)
    assert client.get(path).status_code == 404


def test_in_another_browser_the_link_gives_no_session(app: Flask, db: Database) -> None:
    """Checklist 33."""
    client, other = app.test_client(), app.test_client()
    ask(client)
    path, code = mailed(db)
    ask(other, email="luis@family.example")
    assert ELSEWHERE in other.get(path).text
    assert "<form" not in other.get(path).text.split("<main")[1].split("</main>")[0]
    assert press(other, path).location == path
    assert WRONG in unescape(type_code(other, code).text)
    assert not is_in(other)
    assert type_code(client, code).status_code == 303


def test_a_scanner_uses_nothing_up(app: Flask, db: Database) -> None:
    """Checklist 34: HEAD, GET five times, and its form sent by a script."""
    client, scanner = app.test_client(), app.test_client()
    ask(client)
    path, _ = mailed(db)
    before = all_rows(db)
    for method in ("HEAD", *["GET"] * 5):
        assert scanner.open(path, method=method).status_code == 200
    token = csrf_of(scanner)
    for fields in (NO_PRESS, a_press(path), a_press(path, after_s=0)):
        scanner.post(path, data={"csrf_token": token, **fields})
    assert changed(before, all_rows(db)) == []
    assert not is_in(scanner)
    press(client, path)
    assert is_in(client)


def test_a_press_too_soon_asks_to_press_once_more(app: Flask, db: Database) -> None:
    """Checklist 34."""
    client = app.test_client()
    ask(client)
    path, _ = mailed(db)
    doubted = press(client, path, **a_press(path, after_s=1))
    assert "press once more" in client.get(doubted.location).text
    assert not is_in(client)


def test_it_works_for_ten_minutes(
    app: Flask, db: Database, pinned: time_machine.Traveller, now: datetime
) -> None:
    """Checklist 33."""
    client = app.test_client()
    ask(client)
    path, code = mailed(db)
    pinned.move_to(now + timedelta(minutes=10))
    assert LINK_GONE in client.get(path).text
    assert WRONG in unescape(type_code(client, code).text)
    pinned.move_to(now + timedelta(minutes=9, seconds=59))
    assert type_code(client, code).status_code == 303


def test_it_works_once_and_a_newer_one_ends_it(app: Flask, db: Database) -> None:
    """Checklist 33."""
    client = app.test_client()
    ask(client)
    older_path, older = mailed(db)
    ask(client)
    path, code = mailed(db)
    assert client.get(older_path).status_code == 404
    assert type_code(client, older).status_code == 422
    assert type_code(client, code).status_code == 303
    client.delete_cookie("pillweb")
    assert type_code(client, code).status_code == 422
    assert client.get(path).status_code == 404


def test_five_wrong_codes_end_it(app: Flask, db: Database) -> None:
    """Checklist 35."""
    client = app.test_client()
    ask(client)
    path, code = mailed(db)
    wrong = "0000 0000" if code != "0000 0000" else "1111 1111"
    for _ in range(5):
        answer = type_code(client, wrong)
        assert answer.status_code == 422
        assert WRONG in unescape(answer.text)
        assert f'value="{wrong}"' in answer.text
    assert type_code(client, code).status_code == 422
    assert client.get(path).status_code == 404
    assert not is_in(client)


def test_codes_are_kept_as_keyed_hashes_of_26_bits(app: Flask, db: Database) -> None:
    """Checklist 35."""
    codes = set()
    for _ in range(4):
        ask(app.test_client())
        codes.add(mailed(db)[1])
    assert len(codes) == 4
    held = str(all_rows(db)["sign_in_mail"])
    assert all(code.replace(" ", "") not in held for code in codes)
    with db.reading() as session:
        assert len(set(session.scalars(sa.select(SignInMail.code_index)))) == 4


def test_an_unknown_address_gets_no_mail(app: Flask, db: Database) -> None:
    """Checklist 32; tests/house/test_uniform.py compares the answers and the cost."""
    for email in (UNKNOWN, EMAIL, UNKNOWN):
        ask(app.test_client(), email)
    with db.reading() as session:
        states = session.execute(
            sa.select(Delivery.recipient, Delivery.state).order_by(Delivery.id)
        ).all()
    assert [tuple(row) for row in states] == [
        ("nobody@invalid", "suppressed"),
        (EMAIL, "pending"),
        ("nobody@invalid", "suppressed"),
    ]


@pytest.mark.parametrize("email", [EMAIL, UNKNOWN])
def test_an_address_is_mailed_five_times_an_hour_whatever_is_flushed(
    app: Flask, db: Database, pinned: time_machine.Traveller, now: datetime, email: str
) -> None:
    """Checklist 13: `ask` empties the limiter each time."""
    for n in range(5):
        spelled = email.upper() if n % 2 else email
        assert ask(app.test_client(), spelled).status_code == 200
    refused = ask(app.test_client(), email)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 3600
    assert ask(app.test_client(), "luis@family.example").status_code == 200
    pinned.move_to(now + timedelta(hours=1))
    assert ask(app.test_client(), email).status_code == 200


def test_a_visitor_asks_twenty_times_an_hour(app: Flask) -> None:
    """Checklist 13."""
    found = [ask(app.test_client(), f"p{n}@x.example").status_code for n in range(21)]
    assert found == [200] * 20 + [429]


def test_the_person_s_own_device_stays_signed_in_for_longer(
    app: Flask, db: Database
) -> None:
    for typed in ({}, {"own_device": "y"}):
        client = app.test_client()
        ask(client, **typed)
        type_code(client, mailed(db)[1])
    with db.reading() as session:
        kept = session.scalars(sa.select(WebSession).order_by(WebSession.id)).all()
    assert [row.stay for row in kept] == ["helper", "own"]
    assert {row.name for row in kept} == {"A browser"}


def test_signing_in_by_mail_confirms_the_address(
    app: Flask, db: Database, world: World
) -> None:
    client = app.test_client()
    ask(client)
    type_code(client, mailed(db)[1])
    with db.reading() as session:
        assert session.get_one(Account, world.marta).confirmed_at is not None


def test_mails_are_forgotten_after_a_day(
    app: Flask, session: Session, now: datetime
) -> None:
    ask(app.test_client())
    day = timedelta(days=1)
    assert forget_sign_in_mails(session, now=now + day / 2, limit=5) == 0
    assert forget_sign_in_mails(session, now=now + day, limit=5) == 1


STRANGERS = {"REMOTE_ADDR": "203.0.113.9"}


def ask_elsewhere(app: Flask, *, times: int, where: dict[str, str]) -> list[int]:
    """Ask for ways in to Marta's account, each from another browser."""
    codes = []
    for _ in range(times):
        stranger = app.test_client()
        data = {"csrf_token": csrf_of(stranger), "email": EMAIL}
        codes.append(
            stranger.post("/sign-in", data=data, environ_base=where).status_code
        )
    return codes


def test_a_stranger_elsewhere_shuts_nobody_out(app: Flask, db: Database) -> None:
    marta = app.test_client()
    ask(marta)
    code = mailed(db)[1]
    assert ask_elsewhere(app, times=6, where=STRANGERS)[-2:] == [200, 429]
    type_code(marta, code)
    assert is_in(marta)
    assert ask(app.test_client()).status_code == 200


def test_who_was_in_before_is_let_in_though_all_the_world_asks(
    app: Flask, db: Database
) -> None:
    marta = app.test_client()
    ask(marta)
    type_code(marta, mailed(db)[1])
    for n in range(20):
        limiter.reset()
        ask_elsewhere(app, times=1, where={"REMOTE_ADDR": f"203.0.113.{n}"})
    assert ask(app.test_client()).status_code == 429
    assert ask(marta).status_code == 200


def test_of_one_network_three_mails_live(
    app: Flask, db: Database, now: datetime
) -> None:
    for _ in range(5):
        ask(app.test_client())
    with db.reading() as session:
        alive = sa.select(sa.func.count()).where(SignInMail.ended_at.is_(None))
        assert session.scalar(alive) == 3


def test_what_is_pressed_twice_is_no_mistake(app: Flask, db: Database) -> None:
    """A trembling hand; the browser shows the second answer."""
    marta = app.test_client()
    ask(marta)
    path, code = mailed(db)
    assert type_code(marta, code).status_code == 303
    assert type_code(marta, code).status_code == 303
    assert type_code(marta, "00000000").status_code == 422
    assert is_in(marta)
    ida = app.test_client()
    ask(ida)
    path, _code = mailed(db)
    for _ in range(2):
        fields = {"csrf_token": csrf_of(ida, "/look"), **a_press(path)}
        assert ida.post(path, data=fields).status_code == 303
    assert is_in(ida)
