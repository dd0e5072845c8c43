"""The pages of where somebody is reached: a patient, or oneself for others."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.contacts.models import ContactPoint, ContactTest
from pillweb.contacts.rules import MOST_POINTS
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.web.security import limiter
from tests.contacts.conftest import REFUSED
from tests.tokens import newest_token
from tests.world import World, csrf_of, signed_in

OWN = "/account/contacts"


@pytest.fixture
def marta(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.marta, now=now)


@pytest.fixture
def here(world: World) -> str:
    return f"/patients/{world.patient}/contacts"


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client, "/help"), **typed})


def text(answer: TestResponse) -> str:
    """Return what a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def points(db: Database, **owner: int) -> list[ContactPoint]:
    with db.reading() as session:
        wanted = sa.select(ContactPoint).filter_by(**owner)
        return list(
            session.scalars(wanted.order_by(ContactPoint.rank, ContactPoint.id))
        )


def test_a_new_way_works_only_when_its_test_was_answered(
    app: Flask, marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    assert "Not tested yet" in marta.get(here).text
    answer = send(marta, f"{here}/new/email", address="Rosa2@Family.example")
    assert (answer.status_code, answer.location) == (303, here)
    page = text(marta.get(here))
    assert "A test is on its way." in page
    assert "Rosa2@family.example No answer yet" in page
    assert "A test left at 8.05am on Friday 20 November. No answer yet." in page
    with db.reading() as session:
        token = newest_token(session)
    stranger = app.test_client()
    stranger.post(f"/m/{token}", data={"csrf_token": csrf_of(stranger)})
    page = text(marta.get(here))
    assert "Rosa2@family.example Works" in page
    assert "A message last went through at 8.05am on Friday 20 November." in page


@pytest.mark.usefixtures("all_channels")
@pytest.mark.parametrize(
    "wrong",
    [
        ("email", "mum@", "Write a full e-mail address, such as name@example.org."),
        ("email", "", "Write a full e-mail address, such as name@example.org."),
        ("sms", "07700 <b>900123", REFUSED),
        ("sms", "+" + "4" * 2001, "Use at most 2,000 characters."),
    ],
)
def test_a_wrong_address_is_asked_again_with_what_was_typed(
    marta: FlaskClient,
    here: str,
    db: Database,
    world: World,
    wrong: tuple[str, str, str],
) -> None:
    channel, typed, sentence = wrong
    answer = send(marta, f"{here}/new/{channel}", address=typed)
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert f'value="{typed}"' in unescape(answer.text)
    assert "<b>900123" not in answer.text
    assert len(points(db, patient_id=world.patient)) == 1


@pytest.mark.usefixtures("all_channels")
def test_every_channel_that_is_ready_is_offered(marta: FlaskClient, here: str) -> None:
    for where in (here, OWN):
        page = marta.get(f"{where}/new").text
        for name in ("email", "sms", "webpush", "live"):
            assert f'href="{where}/new/{name}"' in page
    assert marta.get(f"{here}/new/pigeon").status_code == 404
    assert send(marta, f"{here}/new/pigeon", address="x").status_code == 404


@pytest.mark.usefixtures("all_channels")
def test_a_browser_is_kept_by_its_subscription_and_never_shown(
    marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    page = marta.get(f"{here}/new/webpush").text
    assert 'data-key="BPublicKey"' in page
    assert "This browser cannot do it, or scripts are off." in page
    kept = '{"endpoint": "https://push.example/secret"}'
    assert send(marta, f"{here}/new/webpush", address=kept).status_code == 303
    assert points(db, patient_id=world.patient)[-1].address == kept
    page = marta.get(here).text
    assert "Added at 8.05am on Friday 20 November." in page
    assert "push.example" not in page


def test_the_same_address_twice_is_one(
    marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    for spelled in ("two@family.example", "TWO@family.example"):
        send(marta, f"{here}/new/email", address=spelled)
    assert len(points(db, patient_id=world.patient)) == 2
    assert "two@family.example" in marta.get(here).text


def test_there_is_an_end_to_ways(
    marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    for number in range(MOST_POINTS):
        limiter.reset()
        send(marta, f"{here}/new/email", address=f"{number}@family.example")
    assert len(points(db, patient_id=world.patient)) == MOST_POINTS
    limiter.reset()
    answer = send(marta, f"{here}/new/email", address="more@family.example")
    assert answer.status_code == 422
    assert "Please remove one first." in answer.text


def test_tests_cannot_be_sent_without_end(marta: FlaskClient, here: str) -> None:
    codes = [
        send(marta, f"{here}/new/email", address=f"{number}@family.example").status_code
        for number in range(12)
    ]
    assert codes == [303] * 10 + [429] * 2


def test_the_order_is_the_persons(
    marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    for name in ("b", "c"):
        send(marta, f"{here}/new/email", address=f"{name}@family.example")
    newest = points(db, patient_id=world.patient)[-1]
    assert send(marta, f"{here}/{newest.id}/first").status_code == 303
    found = [one.address[0] for one in points(db, patient_id=world.patient)]
    assert found == ["c", "r", "b"]


def test_the_last_way_that_works_warns_before_it_goes(
    marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="active"))
    (only,) = points(db, patient_id=world.patient)
    warning = "It is the only way that works."
    assert warning in marta.get(f"{here}/{only.id}/remove").text
    assert send(marta, f"{here}/{only.id}/remove").status_code == 303
    page = marta.get(here).text
    assert "There is no way yet." in page
    for path in (here, here.replace("contacts", "today")):
        assert "No reminder reaches Rosa now." in marta.get(path).text


def test_every_page_of_the_patient_says_it_and_says_it_to_her_as_you(
    app: Flask, marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    here = f"/patients/{world.patient}/contacts"
    today = here.replace("contacts", "today")
    rosa, nora, link = (
        signed_in(app, who, now=now) for who in (world.rosa, world.nora, None)
    )
    link.post(f"/s/{world.link_token}", data={"csrf_token": csrf_of(link)})
    for client in (rosa, nora):
        assert "No reminder reaches" not in client.get(today).text
    (only,) = points(db, patient_id=world.patient)
    send(marta, f"{here}/{only.id}/remove")
    assert "No reminder reaches you now." in rosa.get(today).text
    assert f'href="{here}">See what to do' in rosa.get(today).text
    assert "No reminder reaches Rosa now." in nora.get(today).text
    assert "See what to do" not in nora.get(today).text
    shared = link.get(f"/shared/{world.link}/today")
    assert shared.status_code == 200
    assert "No reminder reaches" not in shared.text


def test_ones_own_way_is_where_one_signs_in(
    marta: FlaskClient, db: Database, world: World
) -> None:
    words = "Messages go to <bdi>marta@family.example</bdi>, where you sign in."
    assert words in marta.get(OWN).text
    assert 'value="marta@family.example"' in marta.get(f"{OWN}/new/email").text
    send(marta, f"{OWN}/new/email", address="marta@family.example")
    (mine,) = points(db, account_id=world.marta)
    assert mine.state == "unproven"
    with db.reading() as session:
        row = session.scalars(
            sa.select(Delivery).where(Delivery.account_id == world.marta)
        ).one()
        assert "Messages about those you help will come here." in (
            compose_message(row).text
        )


def test_nobody_touches_what_is_another_accounts(
    app: Flask, marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    send(marta, f"{OWN}/new/email", address="marta@family.example")
    (mine,) = points(db, account_id=world.marta)
    rosa = signed_in(app, world.rosa, now=now)
    for deed in ("test", "first", "remove"):
        for path in (OWN, f"/patients/{world.patient}/contacts"):
            assert send(rosa, f"{path}/{mine.id}/{deed}").status_code == 404
    assert [one.id for one in points(db, account_id=world.marta)] == [mine.id]


def test_what_was_stopped_starts_again_by_a_test(
    marta: FlaskClient, here: str, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="stopped"))
    (only,) = points(db, patient_id=world.patient)
    page = marta.get(here).text
    assert "Stopped" in page
    assert "Start again" in page
    send(marta, f"{here}/{only.id}/test")
    assert points(db, patient_id=world.patient)[0].state == "unproven"
    with db.reading() as session:
        assert session.scalars(sa.select(ContactTest.contact_id)).all() == [only.id]


def test_a_test_nobody_answered_in_time_stays_unanswered(
    marta: FlaskClient, here: str, pinned: time_machine.Traveller
) -> None:
    send(marta, f"{here}/new/email", address="two@family.example")
    pinned.shift(timedelta(days=3))
    page = text(marta.get(here))
    assert "A test left at 8.05am on Friday 20 November. No answer yet." in page
