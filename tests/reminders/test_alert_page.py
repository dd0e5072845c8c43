"""The page behind an alert: looking changes nothing, a press tells everybody."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.sharing.models import Grant
from tests.press import NO_PRESS, a_press
from tests.reminders.steps import after
from tests.world import World, csrf_of, signed_in


def grant(db: Database, world: World, account: int, **facts: object) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(Grant)
            .where(Grant.account_id == account, Grant.patient_id == world.patient)
            .values(**facts)
        )


@pytest.fixture
def path(db: Database, world: World, now: datetime, pinned: object) -> str:
    """The path of the link in Luis's alert about Rosa's 8 o'clock medicine."""
    grant(db, world, world.luis, ladder_place=1)
    with db.transaction() as session:
        session.execute(sa.text("update medication set category = 'time_critical'"))
    with db.transaction() as session:
        fire_reminders(session, now=after(now, 30), limit=10)
        wanted = sa.select(Delivery).where(Delivery.kind == "dose_alert")
        context = session.scalars(wanted).one().context
    link: str = json.loads(context or "")["link"]
    return link.removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def phone(app: Flask) -> FlaskClient:
    """A browser that knows nobody."""
    return app.test_client(use_cookies=False)


def facts(db: Database, world: World) -> tuple[int | None, str]:
    with db.reading() as session:
        seen = sa.select(Reminder.acknowledged_by).where(
            Reminder.patient_id == world.patient
        )
        state = sa.select(Dose.state).where(Dose.patient_id == world.patient)
        return (
            session.scalars(seen.order_by(Reminder.due_at)).first(),
            session.scalars(state.order_by(Dose.due_at)).first() or "",
        )


def test_looking_changes_nothing(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert phone.open(path, method=method).status_code == 200
    text = phone.get(path).text
    assert "There is no record for the <bdi>8am</bdi> medicines." in text
    assert "Rosa" not in text
    assert "Amlodipine" not in text
    assert facts(db, world) == (None, "open")


def test_whoever_presses_sees_to_it_and_the_first_one_stands(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    assert phone.post(path).status_code == 303
    assert phone.post(path).status_code == 303
    assert facts(db, world) == (world.luis, "open")
    assert "Luis is seeing to it, 8.05am." in phone.get(path).text


@pytest.mark.parametrize("deed", ["", "/taken"])
@pytest.mark.parametrize("machine", ["no button", "at once", "no page"])
def test_what_may_be_a_machine_does_nothing_and_is_asked_to_press_again(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    *,
    deed: str,
    machine: str,
) -> None:
    sent = {
        "no button": a_press(path, by_button=False),
        "at once": a_press(path, after_s=2.9),
        "no page": {**NO_PRESS, "press": "yes"},
    }[machine]
    answer = phone.post(f"{path}{deed}", data=sent)
    assert answer.status_code == 303
    page = phone.get(answer.headers["Location"]).text
    assert "Please press once more, so that we know it was you." in page
    assert facts(db, world) == (None, "open")


def test_who_may_record_can_say_that_it_is_taken(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    assert "They are taken" in phone.get(path).text
    assert phone.post(f"{path}/taken").status_code == 303
    assert facts(db, world)[1] == "taken"
    assert "Recorded at 8.05am by Luis." in phone.get(path).text
    assert "I am seeing to it" not in phone.get(path).text


def test_who_may_only_look_cannot(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    grant(db, world, world.luis, level=1)
    assert "They are taken" not in phone.get(path).text
    assert phone.post(f"{path}/taken").status_code == 404
    assert facts(db, world) == (None, "open")


def test_who_no_longer_helps_sees_nothing(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    grant(db, world, world.luis, status="ended")
    assert phone.get(path).status_code == 404
    assert phone.post(path).status_code == 404
    assert facts(db, world) == (None, "open")


def test_a_link_of_a_patient_is_none_of_a_helper_s(
    phone: FlaskClient, path: str
) -> None:
    assert phone.get(path.replace("/h/", "/t/")).status_code == 404
    assert phone.get("/h/made-up-made-up").status_code == 404


def test_everybody_sees_on_today_who_sees_to_it(
    app: Flask,
    path: str,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    phone = app.test_client(use_cookies=False)
    said = "Luis is seeing to it, 8.36am."
    pinned.move_to(after(now, 31))
    marta = signed_in(app, world.marta, now=now)
    today = f"/patients/{world.patient}/today"
    assert said not in marta.get(today).text
    phone.post(path)
    assert said in marta.get(today).text
    shared = app.test_client()
    token = csrf_of(shared)
    shared.post(f"/s/{world.link_token}", data={"csrf_token": token})
    assert said not in shared.get(f"/shared/{world.link}/today").text
    phone.post(f"{path}/taken")
    assert said not in marta.get(today).text


def test_what_is_recorded_of_a_past_day_keeps_no_time(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    *,
    pinned: time_machine.Traveller,
) -> None:
    pinned.shift(timedelta(hours=23))
    phone.post(f"{path}/taken")
    with db.reading() as session:
        mine = sa.select(Dose.state, Dose.taken_at, Dose.recorded_at)
        wanted = mine.where(Dose.patient_id == world.patient).order_by(Dose.due_at)
        state, taken_at, recorded_at = session.execute(wanted).first() or ("",) * 3
    assert (state, taken_at) == ("taken", None)
    assert recorded_at
