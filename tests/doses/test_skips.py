"""A dose that is not taken, why, and what every press says on top of the page."""

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
from tests.world import World, csrf_of, plan, prescribe, signed_in

HTMX = {"HX-Request": "true"}
NOTE = "Dizzy since breakfast"


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def post(
    client: FlaskClient, world: World, path: str, *, htmx: bool = False, **form: object
) -> TestResponse:
    data = {"csrf_token": csrf_of(client, "/people/new"), **form}
    where = f"/patients/{world.patient}/{path}"
    return client.post(where, data=data, headers=HTMX if htmx else None)


def read(client: FlaskClient, world: World, path: str = "today") -> str:
    return client.get(f"/patients/{world.patient}/{path}").text


def dose(db: Database) -> Dose:
    with db.reading() as session:
        return session.get_one(Dose, 1)


def test_a_due_dose_can_be_left_out_for_a_reason(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    assert "I am not taking this one</a>" in read(rosa, world)
    page = read(rosa, world, "doses/1/skip")
    assert page.count('type="radio"') == 5
    assert "<span>I feel unwell</span>" in page
    answer = post(rosa, world, "doses/1/skip", reason="unwell", note=NOTE)
    assert answer.headers["Location"] == f"/patients/{world.patient}/today?said=1"
    page = rosa.get(answer.headers["Location"]).text
    assert "Amlodipine 5 mg is recorded as skipped." in page
    assert "<bdi>Skipped: unwell</bdi>" in page
    assert (dose(db).state, dose(db).skip_reason) == ("skipped", "unwell")
    with db.reading() as session:
        event = session.scalars(sa.select(DoseEvent)).one()
        assert (event.reason, event.note) == ("unwell", NOTE)
        kept = sa.text("select note from dose_event")
        assert NOTE not in str(session.scalar(kept))


def test_own_words_stand_on_the_page_of_the_day_and_not_on_today(
    rosa: FlaskClient, world: World
) -> None:
    post(rosa, world, "doses/1/skip", reason="other", note=NOTE)
    assert NOTE in read(rosa, world, "days/2026-11-20")
    assert NOTE not in read(rosa, world)
    post(rosa, world, "doses/1/undo")
    assert NOTE not in read(rosa, world, "days/2026-11-20")


def test_the_calendar_tells_a_dose_left_out(rosa: FlaskClient, world: World) -> None:
    post(rosa, world, "doses/1/skip", reason="ran_out")
    assert "<bdi>Skipped</bdi>" in read(rosa, world, "calendar")


def test_a_reason_is_asked_for_and_what_was_written_is_kept(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    for reason in ("", "because"):
        answer = post(rosa, world, "doses/1/skip", note=NOTE, reason=reason)
        assert answer.status_code == 422
        assert NOTE in answer.text
        assert dose(db).state == "open"


def test_leaving_out_can_be_undone_for_a_day(
    rosa: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    post(rosa, world, "doses/1/skip", reason="unwell")
    pinned.move_to(now + timedelta(hours=23, minutes=59))
    post(rosa, world, "undo", undo="1")
    assert (dose(db).state, dose(db).skip_reason) == ("open", None)


def test_what_is_recorded_already_is_not_left_out(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    post(rosa, world, "doses/1/take")
    assert rosa.get(f"/patients/{world.patient}/doses/1/skip").status_code == 303
    post(rosa, world, "doses/1/skip", reason="unwell")
    assert dose(db).state == "taken"


def test_a_dose_to_come_is_not_left_out_ahead(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    post(rosa, world, "doses/2/skip", reason="unwell")
    with db.reading() as session:
        assert session.get_one(Dose, 2).state == "open"


def test_a_dose_of_a_past_day_is_left_out_from_its_page(
    app: Flask,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    pinned.move_to(now + timedelta(days=2))
    rosa = signed_in(app, world.rosa, now=now)
    answer = post(rosa, world, "doses/1/skip", reason="unwell")
    assert "/days/2026-11-20?said=1" in answer.headers["Location"]
    page = rosa.get(answer.headers["Location"]).text
    assert "Amlodipine 5 mg is recorded as skipped." in page


def test_a_press_says_what_it_recorded_and_undo_stands_beside_it(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    answer = post(rosa, world, "doses/1/take")
    page = rosa.get(answer.headers["Location"]).text
    assert "Amlodipine 5 mg is recorded as taken at 8.05am." in page
    assert 'name="undo" value="1">Undo</button>' in page
    assert page.index("is recorded as taken") < page.index("<h1")
    answer = post(rosa, world, "undo", undo="1")
    assert dose(db).state == "open"
    page = rosa.get(answer.headers["Location"]).text
    assert "Undone. Amlodipine 5 mg has no record now." in page
    assert 'name="undo"' not in page


def test_with_htmx_the_same_is_said(rosa: FlaskClient, world: World) -> None:
    said = "Amlodipine 5 mg is recorded as taken at 8.05am."
    assert said in post(rosa, world, "doses/1/take", htmx=True).text
    assert "Undone." in post(rosa, world, "doses/1/undo", htmx=True).text
    assert said in post(rosa, world, "today", dose=["1"], htmx=True).text
    day = post(rosa, world, "doses/1/undo", day="2026-11-20", htmx=True).text
    assert "Undone. Amlodipine 5 mg has no record now." in day


def test_taking_all_is_undone_by_one_press(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        prescribe(session, patient, "08:00", name="Ramipril", now=now)
        plan(session, patient, now=now)
        listed = session.scalars(
            sa.select(Dose.id).where(
                Dose.patient_id == world.patient, Dose.due_at < now
            )
        ).all()
    answer = post(rosa, world, "today", dose=listed)
    page = rosa.get(answer.headers["Location"]).text
    assert "2 medicines are recorded." in page
    undo = " ".join(map(str, listed))
    assert f'name="undo" value="{undo}"' in page
    answer = post(rosa, world, "undo", undo=undo)
    page = rosa.get(answer.headers["Location"]).text
    assert "Undone. 2 medicines have no record now." in page
    assert "You have 2 medicines to take now." in page


def test_what_a_press_said_of_somebody_else_is_never_shown(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    eve = signed_in(app, world.eve, now=now)
    page = eve.get(f"/patients/{world.other_patient}/today?said=1&said=x").text
    assert "has no record now" not in page
    before = dose(db).state
    token = csrf_of(eve, "/people/new")
    form = {"csrf_token": token, "undo": f"1 x -3 {'9' * 30}"}
    eve.post(f"/patients/{world.other_patient}/undo", data=form)
    assert dose(db).state == before
    nora = signed_in(app, world.nora, now=now)
    assert "has no record" not in read(nora, world, "today?said=1")
