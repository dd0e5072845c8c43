"""A tablet of several people: pictures, PINs, and ten minutes without a press."""

from datetime import datetime, timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.devices.actions.choosing import set_place_pin, try_place_pin
from pillweb.devices.models import DevicePlace
from pillweb.devices.queries import tablet_of
from pillweb.devices.rules import OPEN_FOR, PIN_PAUSE, PINS_ALLOWED
from tests.house.rows import all_rows, changed
from tests.tablets import browser_of, place, shared
from tests.world import World, csrf_of, signed_in

SECOND = timedelta(seconds=1)
START = datetime.fromisoformat("2026-11-20T08:05:00+00:00")


@pytest.fixture
def home(db: Database, world: World, now: datetime) -> tuple[str, dict[int, int]]:
    """A tablet of Rosa and Bruno, as it is found in the morning."""
    makers = {world.patient: world.marta, world.other_patient: world.eve}
    with db.transaction() as session:
        return shared(session, makers, now=now - OPEN_FOR)


@pytest.fixture
def tablet(app: Flask, home: tuple[str, object], pinned: object) -> FlaskClient:
    return browser_of(app, home[0])


def press(
    browser: FlaskClient, path: str, shown: str = "/tablet", **typed: str
) -> TestResponse:
    data = {"csrf_token": csrf_of(browser, shown), **typed}
    return browser.post(path, data=data)


def today(patient_id: int) -> str:
    return f"/patients/{patient_id}/today"


def test_a_press_on_a_picture_opens_one_person_s_day_and_no_other(
    tablet: FlaskClient, home: tuple[str, dict[int, int]], world: World
) -> None:
    rosa, bruno = (home[1][one] for one in (world.patient, world.other_patient))
    assert tablet.get("/").location == "/tablet"
    assert tablet.get(today(world.patient)).location == "/tablet"
    shown = tablet.get("/tablet")
    assert "Rosa" in shown.text
    assert "Bruno" in shown.text
    assert "Amlodipine" not in shown.text
    assert shown.headers["Pillweb-Account"] == "nobody"
    assert press(tablet, f"/tablet/{rosa}").location == today(world.patient)
    page = tablet.get(today(world.patient))
    assert "I am done" in page.text
    assert page.headers["Refresh"] == "601; url=/tablet"
    assert page.headers["Pillweb-Account"].startswith("tablet-")
    assert tablet.get(today(world.other_patient)).location == "/tablet"
    assert press(tablet, "/tablet/done", today(world.patient)).location == "/tablet"
    assert tablet.get(today(world.patient)).location == "/tablet"
    press(tablet, f"/tablet/{bruno}")
    assert "Brunomycin" in tablet.get(today(world.other_patient)).text


def test_ten_minutes_without_a_press_close_it_and_a_late_press_says_so(
    tablet: FlaskClient,
    db: Database,
    home: tuple[str, dict[int, int]],
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    press(tablet, f"/tablet/{home[1][world.patient]}")
    here = today(world.patient)
    data = {"csrf_token": csrf_of(tablet, here)}
    pinned.move_to(START + OPEN_FOR - SECOND)
    # What a script asks for by itself puts nothing off; a press does.
    tablet.get(here, headers={"Sec-Fetch-Mode": "cors"}).close()
    tablet.get(here).close()
    pinned.move_to(START + 2 * OPEN_FOR - 2 * SECOND)
    assert tablet.get(here).status_code == 200
    pinned.move_to(START + 4 * OPEN_FOR)
    before = all_rows(db)
    answer = tablet.post(here, data=data | {"dose": "1"})
    assert answer.status_code == 403
    assert "Nothing was recorded" in answer.text
    assert tablet.get(here).location == "/tablet"
    assert changed(before, all_rows(db)) == []


def pinned_place(session: Session, world: World, place_id: int) -> None:
    set_place_pin(session, patient_id=world.patient, place_id=place_id, pin="2468")


def test_a_pin_is_asked_for_and_five_wrong_ones_pause_it(
    session: Session, world: World, now: datetime
) -> None:
    """Checklist 35 and 50: Argon2id, counted in the database."""
    makers = {world.patient: world.marta, world.other_patient: world.eve}
    secret, places = shared(session, makers, now=now)
    mine = places[world.patient]
    pinned_place(session, world, mine)
    assert (place(session, mine).pin_hash or "").startswith("$argon2id$")
    tablet = tablet_of(session, secret, now=now)
    assert tablet is not None

    def fits(pin: str, at: datetime) -> bool:
        return try_place_pin(session, tablet, world.patient, pin, now=at)

    for _ in range(PINS_ALLOWED - 1):
        assert not fits("1111", now)
    assert fits("2468", now)
    for _ in range(PINS_ALLOWED):
        assert not fits("1111", now)
    assert not fits("2468", now + PIN_PAUSE - SECOND)
    assert not fits("1111", now + PIN_PAUSE)
    assert fits("2468", now + PIN_PAUSE)


def test_the_pages_of_a_pin(
    tablet: FlaskClient, db: Database, home: tuple[str, dict[int, int]], world: World
) -> None:
    mine = home[1][world.patient]
    with db.transaction() as session:
        pinned_place(session, world, mine)
    there = f"/tablet/{mine}"
    for _ in range(PINS_ALLOWED):
        wrong = press(tablet, there, there, pin="1111")
        assert wrong.status_code == 422
    assert "in a quarter of an hour" in wrong.text
    assert "Whoever helps you can change it." in wrong.text
    assert tablet.get(today(world.patient)).location == "/tablet"
    with db.reading() as session:
        assert place(session, mine).wrong_pins == PINS_ALLOWED
    other = f"/tablet/{home[1][world.other_patient]}"
    assert press(tablet, other, other).location == today(world.other_patient)


def test_a_right_pin_opens_it_and_one_person_with_a_pin_is_asked_too(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        secret, places = shared(session, {world.patient: world.marta}, now=now)
        pinned_place(session, world, places[world.patient])
        place(session, places[world.patient])
    tablet = browser_of(app, secret)
    press(tablet, "/tablet/done", today(world.patient))
    there = f"/tablet/{places[world.patient]}"
    assert tablet.get(today(world.patient)).location == "/tablet"
    assert press(tablet, there, there, pin="2468").location == today(world.patient)
    assert tablet.get(today(world.patient)).status_code == 200


def test_somebody_takes_themselves_off_and_the_others_stay(
    tablet: FlaskClient, db: Database, home: tuple[str, dict[int, int]], world: World
) -> None:
    assert tablet.get("/tablet/leave").location == "/tablet"
    press(tablet, f"/tablet/{home[1][world.patient]}")
    assert press(tablet, "/tablet/leave", "/tablet/leave").location == "/tablet"
    assert tablet.get(today(world.patient)).status_code == 404
    assert tablet.get(today(world.other_patient)).status_code == 200
    with db.reading() as session:
        ended = sa.select(DevicePlace.patient_id).where(
            DevicePlace.ended_at.is_not(None)
        )
        assert session.scalars(ended).all() == [world.patient]


def photo() -> BytesIO:
    made = BytesIO()
    Image.new("RGB", (300, 200), (200, 120, 90)).save(made, "PNG")
    made.seek(0)
    return made


def test_a_photo_is_shown_on_their_tablets_and_to_nobody_else(
    app: Flask,
    tablet: FlaskClient,
    home: tuple[str, dict[int, int]],
    world: World,
    now: datetime,
) -> None:
    """Checklist 25 and 28."""
    marta = signed_in(app, world.marta, now=now)
    there = f"/patients/{world.patient}/photo"
    token = csrf_of(marta, there)
    for sent, code in (((BytesIO(b"<svg/>"), "a.png"), 422), ((photo(), "b.png"), 303)):
        data = {"csrf_token": token, "chosen": sent}
        assert marta.post(there, data=data).status_code == code
    shown = tablet.get("/tablet").text
    mine = home[1][world.patient]
    url = shown.partition(f'src="/tablet/{mine}/photo/')[2].partition('"')[0]
    assert url
    path = f"/tablet/{mine}/photo/{url}"
    answer = tablet.get(path)
    assert answer.mimetype == "image/jpeg"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    other = home[1][world.other_patient]
    assert tablet.get(f"/tablet/{other}/photo/{url}").status_code == 404
    assert marta.get(f"{there}/{url}").status_code == 200
    for stranger in (signed_in(app, world.eve, now=now), app.test_client()):
        assert stranger.get(path).status_code in {303, 404}
        assert stranger.get(f"{there}/{url}").status_code in {303, 404}
    press(marta, f"{there}/remove", there)
    assert marta.get(f"{there}/{url}").status_code == 404
