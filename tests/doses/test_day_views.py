"""The page of one day: what became of it, and entries made later."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.patients.models import Patient
from tests.world import World, csrf_of, plan, signed_in

HTMX = {"HX-Request": "true"}
TWO_DAYS = timedelta(days=2)


@pytest.fixture
def later(
    app: Flask,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> FlaskClient:
    """Rosa, two days on, with nothing recorded."""
    pinned.move_to(now + TWO_DAYS)
    with db.transaction() as session:
        plan(session, session.get_one(Patient, world.patient), now=now + TWO_DAYS)
    return signed_in(app, world.rosa, now=now)


def day_url(world: World, day: str = "2026-11-20") -> str:
    return f"/patients/{world.patient}/days/{day}"


def press(
    client: FlaskClient,
    world: World,
    deed: str,
    *,
    day: str = "2026-11-20",
    htmx: bool = False,
) -> TestResponse:
    data = {"csrf_token": csrf_of(client, "/people/new"), "day": day}
    path = f"/patients/{world.patient}/doses/1/{deed}"
    return client.post(path, data=data, headers=HTMX if htmx else None)


def first_dose(db: Database) -> Dose:
    with db.reading() as session:
        return session.get_one(Dose, 1)


def test_a_past_day_shows_its_doses_and_offers_a_late_entry(
    later: FlaskClient, world: World
) -> None:
    page = later.get(day_url(world))
    assert page.status_code == 200
    assert "Friday 20 November 2026" in page.text
    assert page.text.count("No record") == 2
    assert page.text.count(">I took it</button>") == 2
    assert "at <bdi>8am</bdi>" in page.text


def test_a_day_links_to_its_neighbours_and_its_month(
    later: FlaskClient, world: World
) -> None:
    page = later.get(day_url(world)).text
    assert f'<a href="{day_url(world, "2026-11-19")}">Thursday 19 November</a>' in page
    assert f'<a href="{day_url(world, "2026-11-21")}">Saturday 21 November</a>' in page
    assert "calendar?month=2026-11" in page


def test_the_calendar_links_to_days_that_exist(
    later: FlaskClient, world: World
) -> None:
    page = later.get(f"/patients/{world.patient}/calendar").text
    assert day_url(world) in page
    assert later.get(day_url(world)).status_code == 200


def test_a_late_entry_is_taken_at_no_known_time(
    later: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    answer = press(later, world, "take")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{day_url(world)}?said=1"
    dose = first_dose(db)
    assert (dose.state, dose.taken_at, dose.recorded_at) == (
        "taken",
        None,
        now + TWO_DAYS,
    )
    page = later.get(day_url(world)).text
    assert "<bdi>Taken</bdi>" in page
    assert ">Undo</button>" in page


def test_a_late_entry_makes_the_day_taken_and_not_late(
    later: FlaskClient, world: World, db: Database
) -> None:
    token = csrf_of(later, "/people/new")
    for dose in (1, 2):
        path = f"/patients/{world.patient}/doses/{dose}/take"
        later.post(path, data={"csrf_token": token, "day": "2026-11-20"})
    page = later.get(f"/patients/{world.patient}/calendar").text
    assert "All was taken on 1 of " in page
    assert "Late" not in page


def test_a_late_entry_can_be_undone_for_a_day(
    later: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    press(later, world, "take")
    pinned.move_to(now + TWO_DAYS + timedelta(hours=23, minutes=59))
    answer = press(later, world, "undo")
    assert answer.headers["Location"] == f"{day_url(world)}?said=1"
    assert first_dose(db).state == "open"
    press(later, world, "take")
    pinned.move_to(now + TWO_DAYS + timedelta(days=2))
    assert ">Undo</button>" not in later.get(day_url(world)).text
    press(later, world, "undo")
    assert first_dose(db).state == "taken"


def test_with_htmx_the_one_card_comes_back(later: FlaskClient, world: World) -> None:
    answer = press(later, world, "take", htmx=True)
    assert answer.status_code == 200
    assert 'id="dose-1"' in answer.text
    assert "headline" not in answer.text
    assert "<html" not in answer.text


def test_a_dose_still_due_is_taken_now_also_from_its_day(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    press(signed_in(app, world.rosa, now=now), world, "take")
    assert first_dose(db).taken_at == now


def test_a_dose_taken_after_midnight_says_on_which_day(
    app: Flask,
    world: World,
    db: Database,
    now: datetime,
    pinned: object,
) -> None:
    with db.transaction() as session:
        dose = session.get_one(Dose, 2)
        dose.state = "taken"
        dose.recorded_at = dose.taken_at = now.replace(day=21, hour=0, minute=15)
    page = signed_in(app, world.rosa, now=now).get(day_url(world)).text
    assert "Taken at 12.15am on Saturday 21 November" in page


def test_days_to_come_show_the_plan_without_buttons(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    page = rosa.get(day_url(world, "2026-11-22")).text
    assert "Later, at 8am" in page
    assert "</button>" in page  # signing out
    assert "I have taken it" not in page
    assert "I took it" not in page


def test_a_day_beyond_the_planned_week_claims_nothing(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    assert "This day is not planned yet." in rosa.get(day_url(world, "2027-01-05")).text
    page = rosa.get(day_url(world, "2026-11-19")).text
    assert "Nothing was planned for this day." in page


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-31",
        "2026-13-01",
        "1999-12-31",
        "9999-12-31",
        "0001-01-01",
        "today",
        "20261120",
        "2026-11-20T00:00",
        "\u0662\u0660\u0662\u0666-11-20",
        "2026-1-1",
    ],
)
def test_what_is_no_day_is_not_found(
    later: FlaskClient, world: World, db: Database, day: str
) -> None:
    assert later.get(day_url(world, day)).status_code == 404
    assert press(later, world, "take", day=day).status_code == 404
    assert first_dose(db).state == "open"


def test_the_ends_of_the_century_link_no_further(
    later: FlaskClient, world: World
) -> None:
    assert "1999" not in later.get(day_url(world, "2000-01-01")).text
    assert "2100" not in later.get(day_url(world, "2099-12-31")).text


def test_a_dose_of_another_day_is_not_answered_on_this_one(
    later: FlaskClient, world: World, db: Database
) -> None:
    assert press(later, world, "take", day="2026-11-21").status_code == 404
    assert first_dose(db).state == "open"


def test_who_may_only_look_sees_the_day_without_buttons(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    page = signed_in(app, world.nora, now=now).get(day_url(world))
    assert page.status_code == 200
    assert "I have taken it" not in page.text


def test_a_stranger_and_a_link_see_no_day(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    assert signed_in(app, world.eve, now=now).get(day_url(world)).status_code == 404
    guest = app.test_client()
    token = csrf_of(guest)
    guest.post(f"/s/{world.link_token}", data={"csrf_token": token})
    assert guest.get(f"/shared/{world.link}/today").status_code == 200
    assert guest.get(f"/shared/{world.link}/days/2026-11-20").status_code == 404
    assert guest.get(day_url(world)).status_code == 303
    assert "/days/" not in guest.get(f"/shared/{world.link}/calendar").text


def test_the_events_of_a_late_entry_are_kept(
    later: FlaskClient, world: World, db: Database
) -> None:
    for deed in ("take", "take", "undo", "take"):
        press(later, world, deed)
    with db.reading() as session:
        said = session.scalars(sa.select(DoseEvent.what).order_by(DoseEvent.id)).all()
    assert said == ["taken", "undone", "taken"]
