"""An open page is told what it is to say, once, by the secret that it alone keeps."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.base.tokens import new_token
from pillweb.channels.live import LiveNote, device_index
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.outbox.models import Delivery
from tests.world import World, csrf_of

HOUR = timedelta(hours=1)
Tell = Callable[..., tuple[int, int]]


@pytest.fixture
def device(db: Database, world: World, now: datetime, pinned: object) -> str:
    """The secret of the tablet on Rosa's wall."""
    token = new_token()
    with db.transaction() as session:
        add_contact(
            session, channel="live", address=token, patient_id=world.patient, now=now
        )
    return token


@pytest.fixture
def tell(db: Database, device: str, now: datetime) -> Tell:
    """Let the tablet be told something; return the ids of note and message."""

    def post(
        words: str, *, to: str = device, lasts: timedelta = HOUR
    ) -> tuple[int, int]:
        with db.transaction() as session:
            delivery = Delivery(
                channel="live",
                kind="dose_due",
                dedupe_key=words,
                recipient=to,
                state="accepted",
                created_at=now,
                next_at=now,
                expires_at=now + lasts,
            )
            session.add(delivery)
            session.flush()
            note = LiveNote(
                device_index=device_index(to),
                key=words,
                delivery_id=delivery.id,
                words=words,
                link="",
                created_at=now,
                expires_at=now + lasts,
            )
            session.add(note)
            session.flush()
            return note.id, delivery.id

    return post


@pytest.fixture
def tablet(app: Flask) -> FlaskClient:
    return app.test_client()


def heard(tablet: FlaskClient, device: str) -> list[str]:
    answer = tablet.get(f"/live/{device}")
    assert answer.status_code == 200
    return [note["words"] for note in answer.json or []]


def shown(tablet: FlaskClient, device: str, note_id: int) -> int:
    headers = {"X-CSRFToken": csrf_of(tablet)}
    return tablet.post(f"/live/{device}/{note_id}/shown", headers=headers).status_code


def test_it_hears_what_is_for_it_until_it_was_shown_or_is_too_late(
    db: Database, tablet: FlaskClient, device: str, tell: Tell, now: datetime
) -> None:
    note, delivery = tell("It is 8am.")
    tell("It was 7am.", lasts=-HOUR)
    tell("Not for you.", to=new_token())
    assert heard(tablet, device) == ["It is 8am."]
    assert heard(tablet, device) == ["It is 8am."]
    assert shown(tablet, device, note) == 204
    assert heard(tablet, device) == []
    with db.transaction() as session:
        row = session.get_one(Delivery, delivery)
        assert row.delivered_at == now
        row.delivered_at = now - HOUR
    assert shown(tablet, device, note) == 204
    with db.reading() as session:
        assert session.get_one(Delivery, delivery).delivered_at == now - HOUR


def test_where_nothing_is_new_nothing_is_sent(
    tablet: FlaskClient, device: str, tell: Tell
) -> None:
    first = tablet.get(f"/live/{device}")
    known = {"If-None-Match": first.headers["ETag"]}
    assert tablet.get(f"/live/{device}", headers=known).status_code == 304
    tell("It is 8am.")
    assert tablet.get(f"/live/{device}", headers=known).status_code == 200


def test_another_device_can_neither_hear_nor_answer_for_it(
    db: Database, tablet: FlaskClient, device: str, tell: Tell, world: World
) -> None:
    note, delivery = tell("It is 8am.")
    other = new_token()
    with db.transaction() as session:
        moment = session.get_one(Delivery, delivery).created_at
        add_contact(
            session, channel="live", address=other, account_id=world.eve, now=moment
        )
    assert heard(tablet, other) == []
    assert shown(tablet, other, note) == 404
    assert tablet.get(f"/live/{new_token()}").status_code == 404
    assert heard(tablet, device) == ["It is 8am."]


def test_a_page_that_was_stopped_is_told_so(
    db: Database, tablet: FlaskClient, device: str
) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(ContactPoint)
            .where(ContactPoint.channel == "live")
            .values(state="stopped")
        )
    assert tablet.get(f"/live/{device}").status_code == 404


def test_a_tablet_that_seemed_closed_works_again_when_it_shows_something(
    db: Database, tablet: FlaskClient, device: str, tell: Tell
) -> None:
    note, delivery = tell("It is 8am.")
    with db.transaction() as session:
        wall = session.scalars(
            sa.select(ContactPoint).where(ContactPoint.channel == "live")
        ).one()
        wall.state, wall.last_error = "failing", "unseen"
        session.get_one(Delivery, delivery).contact_id = wall.id
    assert shown(tablet, device, note) == 204
    with db.reading() as session:
        assert session.get_one(ContactPoint, wall.id).state == "active"
