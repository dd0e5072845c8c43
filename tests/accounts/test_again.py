"""What must be one's own to do is done only soon after showing who one is."""

import json
from datetime import datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.base.passwords import hash_password
from pillweb.contacts.models import ContactPoint
from pillweb.factory import ASKS_AGAIN, SHARING
from pillweb.outbox.models import Delivery
from pillweb.web.security import limiter
from tests.world import PASSWORD, World, csrf_of, signed_in

NEW = "/account/contacts/new/email"
ADDRESS = "other@family.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def rosa(
    app: Flask,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> FlaskClient:
    """Rosa's browser, eleven minutes after she signed in; she has a password."""
    with db.transaction() as session:
        session.get_one(Account, world.rosa).password_hash = hash_password(PASSWORD)
    client = signed_in(app, world.rosa, now=now)
    pinned.move_to(now + 11 * MINUTE)
    return client


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    token = csrf_of(client, "/sign-in/again")
    return client.post(path, data={"csrf_token": token, **typed})


def addresses(db: Database) -> list[str]:
    with db.reading() as session:
        found = session.scalars(
            sa.select(ContactPoint.address).where(ContactPoint.account_id.is_not(None))
        )
        return list(found)


def test_the_acts_that_ask_again_are_these() -> None:
    """Checklist 42. Recording a dose is not among them, and never may be."""
    assert set(ASKS_AGAIN) == {
        "POST /account/contacts/new/<channel>",
        "POST /account/leave",
        "POST /patients/<int:patient_id>/leave",
        "POST /patients/<int:patient_id>/tablets",
        "POST /patients/<int:patient_id>/sharing/for-now",
        "POST /account/contacts/<int:contact_id>/remove",
        "POST /account/sessions/<int:session_id>/end",
        "POST /account/sessions/end-others",
        "GET /account/passkeys/new",
        "POST /account/passkeys/new",
        "POST /account/passkeys/new/ask",
        "POST /account/passkeys/<int:passkey_id>/remove",
        "GET /account/email",
        "POST /account/email",
        "GET /account/password/new",
        "POST /account/password/new",
        "POST /account/password/remove",
        "POST /account/printed-codes",
        "POST /account/sign-in-by",
        "POST /account/sign-in-by/remove",
        "POST /account/let-in",
        "POST /let-in/<int:trust_id>/start",
        "POST /let-in/<int:trust_id>/code",
        f"POST {SHARING}/links",
        f"POST {SHARING}/invite",
        f"POST {SHARING}/code",
        f"POST {SHARING}/people/<int:grant_id>",
        "POST /patients/<int:patient_id>/medicines/<int:medication_id>/who-sees",
        f"POST {SHARING}/requests/<int:request_id>",
        "GET /admin/backups",
        "POST /patients/<int:patient_id>/export",
        "GET /patients/<int:patient_id>/export/<int:taken_id>.zip",
        "GET /account/data.json",
        "GET /admin/messages",
        "POST /admin/messages",
        "GET /patients/<int:patient_id>/medicines.fhir.json",
        "GET /patients/<int:patient_id>/reports/<int:report_id>.pdf",
        "POST /patients/<int:patient_id>/calendar-feed",
        "POST /patients/<int:patient_id>/contacts/new/<channel>",
        "POST /patients/<int:patient_id>/reports",
        "POST /patients/<int:patient_id>/set-up/test",
        "POST /patients/<int:patient_id>/tablets/<int:place_id>/pin",
        f"POST {SHARING}/for-now/end",
    }


def test_each_of_them_is_a_route(web_app: Flask) -> None:
    rules = {
        f"{method} {rule.rule}"
        for rule in web_app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    assert set(ASKS_AGAIN) <= rules


def test_within_ten_minutes_nobody_is_asked(
    rosa: FlaskClient, db: Database, pinned: time_machine.Traveller, now: datetime
) -> None:
    pinned.move_to(now + 10 * MINUTE)
    assert send(rosa, NEW, address=ADDRESS).status_code == 303
    assert addresses(db) == [ADDRESS]


def test_what_was_typed_waits_for_the_password(rosa: FlaskClient, db: Database) -> None:
    """Checklist 42."""
    asked = send(rosa, NEW, address=ADDRESS)
    assert asked.status_code == 401
    assert "Is it you?" in asked.text
    assert addresses(db) == []
    kept = {"next": NEW, "form": "yes", "kept_address": ADDRESS}
    for name, value in kept.items():
        assert f'name="{name}" value="{value}"' in asked.text
    wrong = send(rosa, "/sign-in/again", password="not this one", **kept)
    assert wrong.status_code == 422
    assert f'value="{ADDRESS}"' in wrong.text
    before = rosa.get_cookie("pillweb")
    shown = send(rosa, "/sign-in/again", password=PASSWORD, **kept)
    assert f'action="{NEW}"' in shown.text
    assert f'name="address" value="{ADDRESS}"' in shown.text
    assert rosa.get_cookie("pillweb") != before
    assert send(rosa, NEW, address=ADDRESS).status_code == 303
    assert addresses(db) == [ADDRESS]


def test_a_mailed_code_is_as_good_as_the_password(
    rosa: FlaskClient, db: Database
) -> None:
    """Checklist 42."""
    kept = {"next": "/account/contacts"}
    page = send(rosa, "/sign-in/again/mail", **kept)
    assert 'name="next" value="/account/contacts"' in page.text
    with db.reading() as session:
        mail = session.scalars(
            sa.select(Delivery).where(Delivery.kind == "sign_in")
        ).one()
        assert mail.recipient == "rosa@family.example"
        code = json.loads(mail.context or "")["code"]
    wrong = send(rosa, "/sign-in/again/code", code="1", **kept)
    assert wrong.status_code == 422
    done = send(rosa, "/sign-in/again/code", code=code, **kept)
    assert (done.status_code, done.location) == (303, "/account/contacts")
    assert send(rosa, NEW, address=ADDRESS).status_code == 303


def test_somebody_else_s_code_proves_nothing(rosa: FlaskClient, db: Database) -> None:
    """Checklist 42."""
    token = csrf_of(rosa)
    typed = {"csrf_token": token, "email": "eve@family.example"}
    rosa.post("/sign-in", data=typed)
    with db.reading() as session:
        mail = session.scalars(
            sa.select(Delivery).where(Delivery.kind == "sign_in")
        ).one()
        code = json.loads(mail.context or "")["code"]
    assert send(rosa, "/sign-in/again/code", code=code).status_code == 422
    assert send(rosa, NEW, address=ADDRESS).status_code == 401


def test_the_secret_from_before_is_dead_once_it_is_proven(
    app: Flask, rosa: FlaskClient
) -> None:
    """Checklist 38."""
    thief = app.test_client()
    with rosa.session_transaction() as kept, thief.session_transaction() as copy:
        copy.update(kept)
    assert send(rosa, "/sign-in/again", password=PASSWORD, next="/").status_code == 303
    assert rosa.get("/people").status_code == 200
    assert thief.get("/people").status_code == 303


def test_who_runs_it_shows_each_hour_who_they_are(
    app: Flask, rosa: FlaskClient, pinned: time_machine.Traveller, now: datetime
) -> None:
    """Checklist 42. Rosa made the first account."""
    assert rosa.get("/admin/messages").status_code == 200
    pinned.move_to(now + 61 * MINUTE)
    answer = rosa.get("/admin/messages")
    assert answer.status_code == 303
    assert answer.location == "/sign-in/again?next=/admin/messages"
    limited = send(rosa, answer.location, password=PASSWORD, next="/admin/messages")
    assert limited.location == "/admin/messages"
    assert rosa.get("/admin/messages").status_code == 200
    assert app.test_client().get("/admin/messages").location.startswith("/sign-in?")


def test_only_our_own_pages_are_gone_on_to(rosa: FlaskClient) -> None:
    for path in ("//evil.example", "https://evil.example", "/\\evil.example"):
        limiter.reset()
        done = send(rosa, "/sign-in/again", password=PASSWORD, next=path)
        assert done.location == "/"
        shown = send(rosa, "/sign-in/again", password=PASSWORD, next=path, form="yes")
        assert 'action="/"' in shown.text


def test_a_dose_is_recorded_however_long_ago_somebody_signed_in(
    rosa: FlaskClient, world: World, pinned: time_machine.Traveller, now: datetime
) -> None:
    pinned.move_to(now + timedelta(hours=3))
    page = rosa.get(f"/patients/{world.patient}/today")
    assert page.status_code == 200
    path = f"/patients/{world.patient}/doses/1/take"
    answer = rosa.post(path, data={"csrf_token": csrf_of(rosa, "/people/new")})
    assert "Is it you?" not in unescape(answer.text)
    assert answer.status_code == 303


def test_a_stranger_at_these_pages_does_not_weaken_the_limits(
    app: Flask, rosa: FlaskClient
) -> None:
    stranger = app.test_client()
    token = csrf_of(stranger)
    for path in ("/sign-in/again", "/sign-in/again/mail", "/sign-in/again/code"):
        answer = stranger.post(path, data={"csrf_token": token})
        assert answer.location.startswith("/sign-in")
    assert limiter._storage_dead is False  # noqa: SLF001 - it would count elsewhere


def test_a_code_to_go_on_can_be_asked_for_again(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    client = signed_in(app, world.rosa, now=now)
    typed = {"csrf_token": csrf_of(client, "/look"), "next": "/account/printed-codes"}
    client.post("/sign-in/again/mail", data=typed)
    wrong = client.post("/sign-in/again/code", data={**typed, "code": "00000000"})
    assert "ask for a new one" in wrong.text
    assert 'action="/sign-in/again/mail"' in wrong.text
