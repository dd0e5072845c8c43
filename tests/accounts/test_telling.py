"""Whoever an account is of hears when the ways to sign in change."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.models import Passkey
from pillweb.accounts.rules import CHANGES, SIGNED_OUT
from pillweb.base.db import Database
from pillweb.base.tokens import token_hash
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactTest
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.web.security import limiter
from tests.authenticator import Authenticator
from tests.conftest import use_settings
from tests.house.tokens import account_token
from tests.press import a_press
from tests.world import PASSWORD, World, csrf_of, signed_in

OTHER = "seven purple lanterns 4"
WHO = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def marta(app: Flask, world: World, pinned: object, now: datetime) -> FlaskClient:
    """Marta's browser, just signed in."""
    use_settings(PUBLIC_URL="http://localhost:8000")
    client = signed_in(app, world.marta, now=now)
    client.environ_base["HTTP_USER_AGENT"] = WHO
    return client


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    limiter.reset()
    return client.post(path, data={"csrf_token": csrf_of(client), **typed})


def pressed(path: str) -> dict[str, str]:
    return {name: str(value) for name, value in a_press(path).items()}


def told(db: Database) -> list[tuple[str, str]]:
    """Return what was told since the last time, and with which device it was done."""
    with db.transaction() as session:
        rows = session.scalars(
            sa.select(Delivery)
            .where(Delivery.kind == "account_changed")
            .order_by(Delivery.id)
        ).all()
        found = [json.loads(row.context or "{}") for row in rows]
        assert {row.recipient for row in rows} <= {"marta@family.example"}
        for row in rows:
            session.delete(row)
    return [(one["words"], one["device"]) for one in found]


def test_each_change_is_told_once_with_its_device(
    marta: FlaskClient, db: Database, world: World
) -> None:
    asked = send(marta, "/account/passkeys/new/ask").text
    answer = Authenticator().create(asked)
    send(marta, "/account/passkeys/new", name="Phone", answer=answer)
    assert told(db) == [("A passkey was added.", "Firefox on Linux")]
    with db.reading() as session:
        key = session.scalars(sa.select(Passkey.id)).one()
    send(marta, f"/account/passkeys/{key}/remove")
    assert told(db) == [("A passkey was removed.", "Firefox on Linux")]
    send(marta, "/account/password/new", password=PASSWORD)
    assert told(db) == [("You have a new password.", "Firefox on Linux")]
    send(marta, "/account/password", known=PASSWORD, password=OTHER)
    assert told(db) == [("You have a new password.", "Firefox on Linux")]
    send(marta, "/account/password/remove")
    assert told(db) == [("The password was removed.", "Firefox on Linux")]
    send(marta, "/account/printed-codes")
    assert told(db) == [("New codes on paper were made.", "Firefox on Linux")]
    send(marta, "/account/sessions/end-others")
    assert told(db) == [("All other devices were signed out.", "Firefox on Linux")]
    for helpers in (str(world.rosa), str(world.rosa), ""):
        send(marta, "/account/let-in", **({"helpers": helpers} if helpers else {}))
    changed = ("Who can let you in again was changed.", "Firefox on Linux")
    assert told(db) == [changed, changed]


def test_what_was_refused_is_not_told(marta: FlaskClient, db: Database) -> None:
    send(marta, "/account/passkeys/new", name="Phone", answer="{}")
    send(marta, "/account/password/new", password="x")
    send(marta, "/account/password", known="wrong", password=OTHER)
    assert told(db) == []


def test_a_password_behind_a_mailed_link_is_told(
    app: Flask, db: Database, world: World, pinned: object, now: datetime
) -> None:
    with db.transaction() as session:
        token = account_token(session, world.marta, now=now)
    client = app.test_client()
    send(client, f"/a/{token}", password=OTHER, **pressed(f"/a/{token}"))
    assert [words for words, _device in told(db)] == ["You have a new password."]


@pytest.mark.parametrize(("channel", "is_told"), [("sms", True), ("email", False)])
def test_a_number_that_can_sign_in_is_told_when_it_is_proven(
    marta: FlaskClient,
    db: Database,
    world: World,
    now: datetime,
    *,
    channel: str,
    is_told: bool,
) -> None:
    address = {"sms": "+34600111222", "email": "m@other.example"}[channel]
    with db.transaction() as session:
        point = add_contact(
            session, channel=channel, address=address, account_id=world.marta, now=now
        )
        session.add(
            ContactTest(
                contact_id=point.id,
                token_hash=token_hash("secret"),
                created_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
    for _ in range(2):
        send(marta, "/m/secret", **pressed("/m/secret"))
    words = [words for words, _device in told(db)]
    assert words == ["A code to a phone can sign you in now."] * is_told


def test_a_command_that_signs_out_everywhere_is_told(
    app: Flask, db: Database, world: World, pinned: object
) -> None:
    app.test_cli_runner().invoke(args=["sign-out", "marta@family.example"])
    assert told(db) == [(CHANGES[SIGNED_OUT], "")]


def test_the_mail_says_what_when_with_what_and_what_to_do(
    marta: FlaskClient, db: Database
) -> None:
    send(marta, "/account/printed-codes")
    with db.reading() as session:
        row = session.scalars(
            sa.select(Delivery).where(Delivery.kind == "account_changed")
        ).one()
        mail = compose_message(row).text
    for words in (
        "New codes on paper were made.",
        "It was done on 20 November 2026 at 8.05am (UTC), with Firefox on Linux.",
        "If it was you, do nothing.",
        "http://localhost:8000/w/",
    ):
        assert words in mail
