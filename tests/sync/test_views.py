"""The installed page's own addresses."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.web.files import STATIC
from pillweb.web.filters import asset
from tests.world import World, signed_in

KEY = "0123456789abcdef"


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def dose(db: Database, world: World) -> int:
    with db.reading() as session:
        found = session.scalars(
            sa.select(Dose.id)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at)
        )
        return found.first() or pytest.fail("no dose")


def send(client: FlaskClient, world: World, dose: int, **more: str) -> TestResponse:
    token = client.get("/device/key").get_json()["token"]
    data = {"key": KEY, "deed": "take", "ago_ms": "0", **more}
    path = f"/patients/{world.patient}/doses/{dose}/replay"
    return client.post(path, data=data, headers={"X-CSRFToken": token})


def test_the_worker_is_asked_for_anew_each_time(app: Flask, db: Database) -> None:
    answer = app.test_client().get("/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    both = f'"{asset("notebook.js")}", "{asset("worker.js")}"'
    assert answer.text == f"importScripts({both});"
    assert "worker-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_manifest_speaks_the_language_of_the_browser(
    app: Flask, db: Database
) -> None:
    client = app.test_client()
    client.set_cookie("look", "20.light.ar")
    answer = client.get("/app.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    found = answer.get_json()
    assert (found["lang"], found["dir"]) == ("ar", "rtl")
    assert found["display"] == "standalone"
    for icon in found["icons"]:
        path = Path(icon["src"].partition("?")[0]).relative_to("/static")
        with Image.open(STATIC / path) as picture:
            assert icon["sizes"] == f"{picture.width}x{picture.height}"
    assert {icon["purpose"] for icon in found["icons"]} == {"any", "maskable"}


def test_the_key_says_whose_browser_this_is(
    app: Flask, rosa: FlaskClient, world: World
) -> None:
    assert rosa.get("/device/key").get_json()["account"] == str(world.rosa)
    assert app.test_client().get("/device/key").get_json()["account"] == ""


def test_every_page_says_whose_it_is(
    app: Flask, rosa: FlaskClient, world: World
) -> None:
    page = rosa.get(f"/patients/{world.patient}/today")
    assert page.headers["Pillweb-Account"] == str(world.rosa)
    stranger = app.test_client().get("/sign-in")
    assert stranger.headers["Pillweb-Account"] == "nobody"


def test_ten_replays_are_one_event_and_told_in_words(
    rosa: FlaskClient, world: World, dose: int, db: Database
) -> None:
    for _ in range(10):
        assert send(rosa, world, dose).get_json() == {"outcome": "recorded"}
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(DoseEvent.id))) == 1
    told = rosa.get(f"/patients/{world.patient}/sent?key={KEY}").text
    assert "Sent from this device" in told
    assert "Amlodipine" in told
    assert "Recorded as taken at" in told


def test_replays_of_an_account_have_an_end(
    app: Flask, rosa: FlaskClient, world: World, dose: int, now: datetime
) -> None:
    token = rosa.get("/device/key").get_json()["token"]
    path = f"/patients/{world.patient}/doses/{dose}/replay"
    headers = {"X-CSRFToken": token}
    answers = [rosa.post(path, headers=headers).status_code for _ in range(601)]
    assert answers == [422] * 600 + [429]
    luis = signed_in(app, world.luis, now=now)
    assert send(luis, world, dose).status_code == 200
    assert app.test_client().post(path).status_code == 400


def test_of_two_the_second_is_told_who_was_first(
    app: Flask, rosa: FlaskClient, world: World, dose: int, now: datetime
) -> None:
    luis = signed_in(app, world.luis, now=now)
    assert send(luis, world, dose, ago_ms="0").get_json() == {"outcome": "recorded"}
    assert send(rosa, world, dose).get_json() == {"outcome": "already"}
    told = rosa.get(f"/patients/{world.patient}/sent?key={KEY}").text
    assert "Already recorded at 8.05am by Luis. It was not recorded twice." in told
    assert f"/patients/{world.patient}/days/2026-11-20" in told


def test_a_key_that_no_database_takes_is_nobody_s(
    rosa: FlaskClient, world: World
) -> None:
    """(62)"""
    told = rosa.get(f"/patients/{world.patient}/sent?key=a%00b&key=%ED%A0%80")
    assert told.status_code == 200


def test_what_somebody_else_sent_is_not_told(
    app: Flask, rosa: FlaskClient, world: World, dose: int, now: datetime
) -> None:
    send(rosa, world, dose)
    marta = signed_in(app, world.marta, now=now)
    told = marta.get(f"/patients/{world.patient}/sent?key={KEY}")
    assert told.status_code == 200
    assert "Amlodipine" not in told.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "x"},
        {"key": KEY + "\n"},
        {"deed": "delete"},
        {"ago_ms": "soon"},
        {"ago_ms": str(10**15)},
        {"minutes": "0"},
        {"deed": "skip", "reason": "because"},
        {"deed": "skip", "note": "x" * 5000},
    ],
)
def test_what_nobody_can_read_records_nothing(
    wrong: dict[str, str], rosa: FlaskClient, world: World, dose: int, db: Database
) -> None:
    assert send(rosa, world, dose, **wrong).status_code == 422
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(DoseEvent.id))) == 0


@pytest.mark.parametrize("told", [{"reason": "unwell", "note": "Dizzy"}, {}])
def test_why_a_dose_was_skipped_is_carried_along(
    told: dict[str, str], rosa: FlaskClient, world: World, dose: int, db: Database
) -> None:
    assert send(rosa, world, dose, deed="skip", **told).status_code == 200
    with db.reading() as session:
        event = session.scalars(sa.select(DoseEvent)).one()
    assert event.reason == told.get("reason", "other")
    assert event.note == told.get("note")


def test_a_replay_needs_a_token(rosa: FlaskClient, world: World, dose: int) -> None:
    path = f"/patients/{world.patient}/doses/{dose}/replay"
    data = {"key": KEY, "deed": "take", "ago_ms": "0"}
    assert rosa.post(path, data=data).status_code == 400


def test_today_says_until_when_a_copy_of_it_counts(
    rosa: FlaskClient, world: World, now: datetime
) -> None:
    page = rosa.get(f"/patients/{world.patient}/today").text
    (found,) = re.findall(r' data-until="(\d+)"', page)
    left = datetime.fromtimestamp(int(found) / 1000, tz=now.tzinfo) - now
    assert timedelta() < left <= timedelta(hours=24)


def test_the_moments_to_ring_name_no_medicine(
    rosa: FlaskClient, world: World, dose: int, now: datetime
) -> None:
    path = f"/patients/{world.patient}/moments"
    found = rosa.get(path).get_json()
    assert found[0]["words"] == "It is 8am. Time for your medicines."
    assert found[0]["doses"] == [dose]
    due = datetime.fromtimestamp(found[0]["at"] / 1000, tz=now.tzinfo)
    assert now - due == timedelta(minutes=5)
    assert "Amlodipine" not in rosa.get(path).text
    send(rosa, world, dose)
    assert rosa.get(path).get_json()[0]["words"].startswith("It is 8pm.")
