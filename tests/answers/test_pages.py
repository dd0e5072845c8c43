import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.firing import fire_reminders
from tests.at_once import at_once
from tests.world import World

GONE = "This link does not work"


@pytest.fixture
def path(db: Database, world: World, now: datetime, pinned: object) -> str:
    """The path of the link in Rosa's reminder of 8 o'clock."""
    with db.transaction() as session:
        fire_reminders(session, now=now, limit=10)
        wanted = sa.select(Delivery.context).where(Delivery.patient_id == world.patient)
        context = session.scalars(wanted).one()
    link: str = json.loads(context or "")["link"]
    return link.removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def phone(app: Flask) -> FlaskClient:
    """A browser that knows nobody."""
    return app.test_client(use_cookies=False)


def events(db: Database, world: World) -> list[tuple[str, str]]:
    with db.reading() as session:
        wanted = sa.select(DoseEvent.what, DoseEvent.channel)
        mine = wanted.where(DoseEvent.patient_id == world.patient)
        return [(what, by) for what, by in session.execute(mine.order_by(DoseEvent.id))]


def state(db: Database, world: World) -> str:
    with db.reading() as session:
        wanted = sa.select(Dose.state).where(Dose.patient_id == world.patient)
        return session.scalars(wanted.order_by(Dose.due_at)).first() or ""


def test_looking_records_nothing_however_often(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert phone.open(path, method=method).status_code == 200
    text = phone.get(path).text
    assert "It is time for your <bdi>8am</bdi> medicines." in text
    assert "I have taken it" in text
    assert "Amlodipine" not in text
    assert state(db, world) == "open"
    assert events(db, world) == []


def test_the_button_records_once_and_needs_no_cookie(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    answer = phone.post(path)
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    assert phone.post(path).status_code == 303
    shown = phone.get(path)
    assert "Recorded at 8.05am by you." in shown.text
    assert "Set-Cookie" not in shown.headers
    assert events(db, world) == [("taken", "link")]


def test_fifty_presses_at_once_are_one_dose(
    app: Flask, path: str, db: Database, world: World
) -> None:
    def press(_: int) -> int:
        return app.test_client(use_cookies=False).post(path).status_code

    answers = at_once(50, press)
    # A page that found the database busy says so, and nothing is lost by it.
    assert set(answers) <= {303, 503}
    assert 303 in answers
    assert events(db, world) == [("taken", "link")]


def test_undo_by_the_link_takes_it_back_and_it_can_be_recorded_again(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    phone.post(path)
    assert f'action="{path}/undo"' in phone.get(path).text
    assert phone.post(f"{path}/undo").status_code == 303
    assert phone.post(f"{path}/undo").status_code == 303
    assert state(db, world) == "open"
    assert "I have taken it" in phone.get(path).text
    phone.post(path)
    assert [what for what, _ in events(db, world)] == ["taken", "undone", "taken"]


def test_htmx_gets_the_one_piece_that_changed(phone: FlaskClient, path: str) -> None:
    answer = phone.post(path, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Recorded at 8.05am by you." in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("wrong", ["/t/wrong", "/t/{token}x", "/t/-", "/t/%00"])
def test_a_wrong_link_is_the_plain_page(
    phone: FlaskClient, path: str, method: str, wrong: str
) -> None:
    answer = phone.open(wrong.format(token=path[3:]), method=method)
    assert answer.status_code == 404
    assert GONE in answer.text


def test_a_link_ends_a_day_after_the_dose(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    *,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    due = now - timedelta(minutes=5)
    pinned.move_to(due + timedelta(hours=24) - timedelta(seconds=1))
    late = phone.get(path)
    assert "In 10 minutes" not in late.text
    assert "Did you take your <bdi>8am</bdi> medicines?" in late.text
    assert "Never take two doses together" in late.text
    pinned.move_to(due + timedelta(hours=24))
    for answer in (phone.get(path), phone.post(path), phone.post(f"{path}/undo")):
        assert answer.status_code == 404
        assert GONE in answer.text
    assert events(db, world) == []


def test_a_link_records_its_own_patient_and_moment_only(
    phone: FlaskClient, path: str, db: Database
) -> None:
    phone.post(path)
    with db.reading() as session:
        taken = sa.select(sa.func.count()).where(Dose.state == "taken")
        assert session.scalar(taken) == 1


def test_a_link_of_a_dose_that_is_no_longer_in_the_plan_says_so(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    with db.transaction() as session:
        mine = Dose.patient_id == world.patient
        session.execute(sa.update(Dose).where(mine).values(state="cancelled"))
    assert "There is nothing to record" in phone.get(path).text
    phone.post(path)
    assert events(db, world) == []


def test_guessing_links_is_slowed_down(phone: FlaskClient, path: str) -> None:
    answers = [phone.get(f"/t/guess{number}").status_code for number in range(31)]
    assert answers == [404] * 30 + [429]
