"""How one signs in: the page, passwords of who is signed in, passkeys in a browser."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account, AccountLink, Passkey, WebSession
from pillweb.accounts.rules import check_password, strength_words
from pillweb.base.db import Database
from pillweb.base.errors import InvalidError
from pillweb.base.passwords import password_fits
from tests.authenticator import Authenticator
from tests.conftest import use_settings
from tests.house.tokens import account_token
from tests.world import PASSWORD, World, csrf_of, signed_in

NEW = "/account/passkeys/new"
OTHER = "seven purple lanterns 4"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def marta(
    app: Flask,
    world: World,
    pinned: time_machine.Traveller,
    now: datetime,
) -> FlaskClient:
    """Marta's browser, just signed in; she helps, and has no password."""
    use_settings(PUBLIC_URL="http://localhost:8000")
    return signed_in(app, world.marta, now=now)


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client), **typed})


def add(client: FlaskClient, device: Authenticator) -> TestResponse:
    asked = send(client, f"{NEW}/ask")
    assert asked.mimetype == "application/json"
    return send(client, NEW, name="Marta's phone", answer=device.create(asked.text))


def passkeys(db: Database) -> list[Passkey]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Passkey)))


def stored(db: Database, account_id: int) -> Account:
    with db.reading() as session:
        return session.get_one(Account, account_id)


def lives(db: Database, account_id: int) -> int:
    mine = WebSession.account_id == account_id, WebSession.revoked_at.is_(None)
    with db.reading() as session:
        return len(session.scalars(sa.select(WebSession.id).where(*mine)).all())


def test_a_passkey_is_added_named_and_removed(
    marta: FlaskClient, app: Flask, db: Database, world: World, now: datetime
) -> None:
    """(36)"""
    assert add(marta, Authenticator()).location == "/account/sign-in"
    (key,) = passkeys(db)
    assert key.account_id == world.marta
    shown = marta.get("/account/sign-in").text
    assert "Marta&#39;s phone" in shown
    assert "Added on 20 November 2026. Not used yet" in shown
    own = f"/account/passkeys/{key.id}"
    eve = signed_in(app, world.eve, now=now)
    for path in (own, f"{own}/remove"):
        assert eve.get(path).status_code == 404
        assert send(eve, path, name="Eve's").status_code == 404
    assert send(marta, own, name="").status_code == 422
    assert send(marta, own, name="Kitchen").status_code == 303
    assert passkeys(db)[0].name == "Kitchen"
    assert send(marta, f"{own}/remove").status_code == 303
    assert passkeys(db) == []


def test_a_passkey_signs_in_and_leads_on(
    marta: FlaskClient, app: Flask, db: Database, world: World
) -> None:
    """(36) Nothing is typed; the session before in this browser ends."""
    device = Authenticator()
    add(marta, device)
    stranger = app.test_client()
    asked = send(stranger, "/sign-in/passkey/ask")
    path = "/sign-in/passkey?next=/account/contacts"
    answer = device.get(asked.text)
    elsewhere = app.test_client()
    assert send(elsewhere, path, answer=answer).status_code == 422
    assert send(stranger, path, answer=answer).location == "/account/contacts"
    assert stranger.get("/account/contacts").status_code == 200
    assert lives(db, world.marta) == 2
    again = send(stranger, path, answer=answer)
    assert again.status_code == 422


def test_every_wrong_passkey_gets_the_same_answer(
    marta: FlaskClient, app: Flask, db: Database
) -> None:
    """(36) No account is revealed by text or status."""
    device, stranger = Authenticator(), Authenticator()
    add(marta, device)
    stranger.create(json.dumps({"user": {"id": "AAAA"}, "challenge": "AAAA"}))
    said = set()
    for origin, key in (
        ("http://evil.example", device),
        ("http://localhost:8000", stranger),
    ):
        key.origin = origin
        client = app.test_client()
        asked = send(client, "/sign-in/passkey/ask")
        answer = send(client, "/sign-in/passkey", answer=key.get(asked.text))
        said.add((answer.status_code, "That did not work." in answer.text))
    client = app.test_client()
    answer = send(client, "/sign-in/passkey", answer="{}")
    said.add((answer.status_code, "That did not work." in answer.text))
    assert said == {(422, True)}


def test_a_refused_count_is_told_on_the_page(
    marta: FlaskClient, app: Flask, db: Database
) -> None:
    """(36) A wrong try is kept, though its answer says no."""
    device = Authenticator()
    add(marta, device)
    for step in (5, -3):
        device.step = step
        client = app.test_client()
        asked = send(client, "/sign-in/passkey/ask")
        send(client, "/sign-in/passkey", answer=device.get(asked.text))
    assert passkeys(db)[0].doubted_at
    assert "It was refused on 20 November 2026" in marta.get("/account/sign-in").text


def test_a_passkey_is_proof_and_gives_the_session_another_secret(
    marta: FlaskClient, pinned: time_machine.Traveller, now: datetime
) -> None:
    """(36, 42)"""
    device = Authenticator()
    add(marta, device)
    pinned.move_to(now + 11 * MINUTE)
    assert send(marta, f"{NEW}/ask").status_code == 401
    assert marta.get(NEW).location == f"/sign-in/again?next={NEW}"
    assert "Use my passkey" in marta.get(f"/sign-in/again?next={NEW}").text
    before = marta.get_cookie("pillweb")
    asked = send(marta, "/sign-in/again/passkey/ask")
    path = "/sign-in/again/passkey"
    wrong = send(marta, path, answer="{}", next=NEW)
    assert wrong.status_code == 422
    assert f'name="next" value="{NEW}"' in wrong.text
    asked = send(marta, "/sign-in/again/passkey/ask")
    right = send(marta, path, answer=device.get(asked.text), next=NEW)
    assert right.location == NEW
    assert marta.get_cookie("pillweb") != before
    assert marta.get(NEW).status_code == 200


def test_a_first_password_is_set_then_changed_by_who_knows_it(
    marta: FlaskClient, app: Flask, db: Database, world: World, now: datetime
) -> None:
    """(39) Every other session ends, this one gets another secret."""
    other = signed_in(app, world.marta, now=now)
    with db.transaction() as session:
        account_token(session, world.marta, now=now)
    before = marta.get_cookie("pillweb")
    assert marta.get("/account/password").location == "/account/password/new"
    assert send(marta, "/account/password", known="", password=OTHER).status_code == 422
    wrong = send(marta, "/account/password", known=PASSWORD, password=OTHER)
    assert wrong.status_code == 422
    assert send(marta, "/account/password/new", password=PASSWORD).status_code == 303
    assert password_fits(PASSWORD, stored(db, world.marta).password_hash)
    assert marta.get_cookie("pillweb") != before
    assert marta.get("/account/sign-in").status_code == 200
    assert other.get("/account/sign-in").location.startswith("/sign-in")
    with db.reading() as session:
        links = session.scalars(sa.select(AccountLink.used_at)).all()
    assert links == [now]

    assert send(marta, "/account/password/new", password=OTHER).location.endswith(
        "/account/password"
    )
    for known, status in (("not this one", 422), (PASSWORD, 303)):
        answer = send(marta, "/account/password", known=known, password=OTHER)
        assert answer.status_code == status
    assert password_fits(OTHER, stored(db, world.marta).password_hash)
    assert send(marta, "/account/password/remove").status_code == 303
    assert stored(db, world.marta).password_hash is None


def test_one_way_is_told_once_and_can_be_put_away(
    marta: FlaskClient, db: Database, world: World
) -> None:
    line = "You have one way to sign in."
    assert line in marta.get("/people").text
    assert line not in marta.get(f"/patients/{world.patient}/today").text
    assert send(marta, "/account/sign-in/later").location == "/people"
    assert line not in marta.get("/people").text
    with db.transaction() as session:
        session.get_one(Account, world.marta).nudge_off_at = None
    add(marta, Authenticator())
    assert line not in marta.get("/people").text


def test_where_there_are_no_passkeys_nobody_is_offered_one(
    marta: FlaskClient, app: Flask
) -> None:
    offers = {"/sign-in": app.test_client(), NEW: marta, "/account/sign-in": marta}
    for path, client in offers.items():
        assert "passkeys" in client.get(path).text
        use_settings(PUBLIC_URL="http://127.0.0.1:8000")
        assert "data-passkey=" not in client.get(path).text
        assert f'href="{NEW}"' not in client.get(path).text
        use_settings(PUBLIC_URL="http://localhost:8000")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", ""),
        ("short", "Use at least 8 characters."),
        ("x" * 129, "Use at most 128 characters."),
        ("password1", "This password is easy to guess."),
        ("Kowalska1958", "This password is easy to guess."),
        ("pillweb", "Use at least 8 characters."),
        ("pillwebpillweb", "This password is easy to guess."),
        ("Kowalska lantern 19", "This password is"),
        ("correct horse battery 7 staple", "This password is very hard to guess."),
    ],
)
def test_how_hard_a_password_is_to_guess_in_words(password: str, words: str) -> None:
    """(50) No rules but length; names and addresses are no secrets."""
    personal = ("Anna Kowalska1958", "a.kowalska1958@family.example")
    assert strength_words(password, personal=personal).startswith(words)


def test_the_page_measures_with_what_it_knows_of_the_person(
    marta: FlaskClient,
) -> None:
    """(50)"""
    for password in ("martafamily", "marta@family.example"):
        answer = send(marta, "/account/password/strength", password=password)
        assert "This password is easy to guess." in answer.text
        answer = send(marta, "/account/password/new", password=password)
        assert answer.status_code == 422


def test_a_long_password_without_rules_is_good() -> None:
    """(50)"""
    check_password("пять зелёных фонарей")
    check_password("x7" * 3 + "lantern otter violet " * 5)
    with pytest.raises(InvalidError):
        check_password("x" * 129)
