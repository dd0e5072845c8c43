"""The link that stops messages: looked at, pressed, and pressed by a mail program."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.posting import stop_tokens
from pillweb.contacts.models import ContactPoint
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Unreachable
from pillweb.reminders.actions.firing import fire_reminders
from tests.world import World

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def path(db: Database, world: World, now: datetime, pinned: object) -> str:
    """The link in the messages to Rosa's address, which works."""
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="active", proven_at=now))
        mine = sa.select(ContactPoint.id).where(
            ContactPoint.patient_id == world.patient
        )
        contact = session.scalars(mine).one()
        return f"/u/{stop_tokens(session, [contact])[contact]}"


@pytest.fixture
def phone(app: Flask) -> FlaskClient:
    """A browser, or a mail program, that knows nobody."""
    return app.test_client(use_cookies=False)


def state(db: Database, world: World) -> str:
    with db.reading() as session:
        mine = sa.select(ContactPoint.state)
        return session.scalars(
            mine.where(ContactPoint.patient_id == world.patient)
        ).one()


def alarms(db: Database) -> int:
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Unreachable.patient_id))) in (
            0,
            1,
        )
        kind = sa.select(sa.func.count()).where(Delivery.kind == "unreachable")
        return session.scalar(kind) or 0


def test_looking_stops_nothing(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    for method in ("GET", "HEAD", "GET"):
        answer = phone.open(path, method=method)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    page = phone.get(path).text
    assert "You then get no more reminders this way: E-mail." in page
    assert "It is the only way that works." in page
    assert "Rosa" not in page
    assert state(db, world) == "active"


def test_a_press_stops_and_a_second_starts_again(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    for _ in range(2):
        answer = phone.post(path)
        assert (answer.status_code, answer.location) == (303, path)
        assert state(db, world) == "stopped"
    assert alarms(db) == 1
    page = phone.get(path).text
    assert "The messages are stopped" in page
    assert "No reminder reaches you now." in page
    assert phone.post(f"{path}/start").status_code == 303
    assert state(db, world) == "active"
    with db.reading() as session:
        assert session.get(Unreachable, world.patient) is None


def test_a_mail_program_stops_it_by_one_post(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    for _ in range(2):
        answer = phone.post(path, data=ONE_CLICK)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert state(db, world) == "stopped"


def test_only_this_way_of_this_person_stops(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        for owner in ({"patient_id": world.patient}, {"account_id": world.rosa}):
            add_contact(
                session,
                channel="email",
                address="two@family.example",
                is_proven=True,
                now=now,
                **owner,
            )
    assert "It is the only way that works." not in phone.get(path).text
    phone.post(path)
    with db.reading() as session:
        stopped = sa.select(ContactPoint.address).where(ContactPoint.state == "stopped")
        assert session.scalars(stopped).all() == ["rosa@family.example"]
    assert alarms(db) == 0


def test_no_reminder_goes_to_a_stopped_address(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    phone.post(path)
    with db.transaction() as session:
        fire_reminders(session, now=now, limit=10)
        kinds = sa.select(Delivery.recipient).where(Delivery.kind == "dose_due")
        assert "rosa@family.example" not in session.scalars(kinds).all()


def test_a_made_up_link_is_gone(phone: FlaskClient, path: str) -> None:
    for wrong in (f"{path}x", "/u/" + "x" * 43, "/u/1"):
        assert phone.get(wrong).status_code == 404
        assert phone.post(wrong, data=ONE_CLICK).status_code == 404
        assert phone.post(f"{wrong}/start").status_code == 404


def test_another_sites_page_cannot_press_it(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert phone.post(path, data=ONE_CLICK, headers=headers).status_code == 403
    assert state(db, world) == "active"
