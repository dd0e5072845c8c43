"""An invitation that the wrong account opens: nobody becomes the patient unseen."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs import look_after_access
from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.outbox.models import Delivery
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import Level
from tests.world import (
    World,
    csrf_of,
    make_cast_account,
    make_patient,
    plan,
    prescribe,
    signed_in,
)

TO_HER = {"role": "self", "label": "Mother"}


def press(client: FlaskClient, path: str, **typed: object) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client, "/look"), **typed})


@pytest.fixture
def carmen(db: Database, world: World, now: datetime, pinned: object) -> int:
    """Somebody without an account of their own, for whom Marta manages."""
    with db.transaction() as session:
        row = make_patient(session, name="Carmen", now=now)
        prescribe(session, row, "08:00", now=now, name="Secretol")
        plan(session, row, now=now)
        grant_access(
            session,
            account_id=world.marta,
            patient_id=row.id,
            level=Level.MANAGE,
            role="caregiver",
            now=now,
        )
        return row.id


@pytest.fixture
def marta(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.marta, now=now)


@pytest.fixture
def eve(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.eve, now=now)


def offer(client: FlaskClient, patient: int, **typed: object) -> str:
    facts = {"label": "Luis", "how": "hand", "level": "1", "sees": "names", **typed}
    answer = press(client, f"/patients/{patient}/sharing/invite", **facts)
    found = re.search(r"http://127\.0\.0\.1:8000(/i/[\w-]+)<", answer.text)
    assert found, answer.text
    return found[1]


def accept(client: FlaskClient, path: str) -> TestResponse:
    assert press(client, path).location == "/invitation"
    return press(client, "/invitation/accept")


def grants(db: Database, patient: int) -> dict[int, tuple[str, str, int]]:
    with db.reading() as session:
        rows = session.scalars(sa.select(Grant).where(Grant.patient_id == patient))
        return {row.account_id: (row.role, row.status, row.level) for row in rows}


def request_path(client: FlaskClient, patient: int) -> str:
    page = client.get(f"/patients/{patient}/sharing").text
    found = re.search(rf"/patients/{patient}/sharing/requests/\d+", page)
    assert found
    return found[0]


def test_nobody_is_the_patient_before_who_manages_says_so(
    marta: FlaskClient, eve: FlaskClient, carmen: int, db: Database, world: World
) -> None:
    """The invitation went to a wrong number, or was passed on."""
    path = offer(marta, carmen, **TO_HER)
    press(eve, path)
    told = "Who invited you then says whether it is you."
    assert told in eve.get("/invitation").text
    for _ in range(2):
        answer = press(eve, "/invitation/accept")
        assert answer.location == "/people"
    assert eve.get("/").location != "/invitation"
    assert eve.get(f"/patients/{carmen}/today").status_code == 404
    sharing = marta.get(f"/patients/{carmen}/sharing").text
    assert "Signs in as <bdi>eve@family.example</bdi>" in sharing
    asked = request_path(marta, carmen)
    assert "<bdi>eve@family.example</bdi>" in marta.get(asked).text
    assert press(marta, f"{asked}/decline").status_code == 303
    assert grants(db, carmen)[world.eve][1] == "declined"
    assert eve.get(f"/patients/{carmen}/today").status_code == 404


def test_who_manages_is_told_at_once_that_somebody_says_they_are_the_patient(
    marta: FlaskClient, eve: FlaskClient, carmen: int, db: Database, world: World
) -> None:
    accept(eve, offer(marta, carmen, **TO_HER))
    assert look_after_access.run() == 1
    with db.reading() as session:
        asked = sa.select(Delivery.account_id).where(Delivery.kind == "access_asked")
        assert set(session.scalars(asked)) == {world.marta}


def test_whom_who_manages_knows_is_the_patient_and_stands_on_the_page(
    *,
    marta: FlaskClient,
    eve: FlaskClient,
    app: Flask,
    carmen: int,
    db: Database,
    world: World,
    now: datetime,
) -> None:
    for client in (eve, signed_in(app, world.luis, now=now)):
        accept(client, offer(marta, carmen, **TO_HER))
    asked = request_path(marta, carmen)
    assert "Is this <bdi>Carmen</bdi>?" in marta.get(asked).text
    assert press(marta, asked).status_code == 303
    found = grants(db, carmen)
    assert found[world.eve] == ("self", "accepted", 3)
    assert found[world.luis][:2] == ("self", "declined")
    assert "Secretol" in eve.get(f"/patients/{carmen}/medicines").text
    sharing = marta.get(f"/patients/{carmen}/sharing").text
    assert "<bdi>Eve</bdi>" in sharing
    assert "The one who takes the medicines<br>Signs in as" in sharing
    assert "Since Friday 20 November." in sharing
    with db.reading() as session:
        assert session.get_one(Account, world.eve).is_patient


def test_whoever_waits_is_not_asked_who_takes_medicine(
    app: Flask, marta: FlaskClient, carmen: int, db: Database, now: datetime
) -> None:
    """There would be a second Carmen, with no medicines."""
    with db.transaction() as session:
        account = make_cast_account(session, "Carmen", now=now).id
    client = signed_in(app, account, now=now)
    assert client.get("/").location == "/people/new"
    accept(client, offer(marta, carmen, **TO_HER))
    assert client.get("/").location == "/people"
    assert "There is no answer yet." in client.get("/people").text


def test_who_is_signed_in_stands_on_the_page_and_may_be_somebody_else(
    marta: FlaskClient, eve: FlaskClient, carmen: int
) -> None:
    """A daughter's tablet: the mother opens the link where the daughter is."""
    press(eve, offer(marta, carmen, **TO_HER))
    page = eve.get("/invitation").text
    assert "signed in as <bdi>Eve</bdi> (<bdi>eve@family.example</bdi>)" in page
    assert press(eve, "/invitation/not-me").location == "/invitation"
    assert "Please sign in first" in eve.get("/invitation").text
    assert eve.get("/people").location.startswith("/sign-in")
    assert press(marta, "/invitation/not-me").status_code == 404
    assert marta.get("/people").status_code == 200


def test_who_made_it_sees_what_it_is_and_to_whom_to_send_it(
    marta: FlaskClient, eve: FlaskClient, carmen: int, db: Database, world: World
) -> None:
    path = offer(marta, carmen, **TO_HER)
    before = grants(db, carmen)
    assert accept(marta, path).location == "/invitation"
    page = marta.get("/invitation").text
    assert "Send this to <bdi>Mother</bdi>." in page
    assert "Are you <bdi>Carmen</bdi>?" in page
    assert "/invitation/accept" not in page
    assert grants(db, carmen) == before
    assert marta.get("/").location != "/invitation"
    assert accept(eve, path).location == "/people"


def test_somebody_manages_for_good_whoever_accepts(
    *,
    marta: FlaskClient,
    app: Flask,
    carmen: int,
    db: Database,
    world: World,
    now: datetime,
) -> None:
    """Luis manages too; neither an offer to him nor her own ends what they have."""
    with db.transaction() as session:
        grant_access(
            session,
            account_id=world.luis,
            patient_id=carmen,
            level=Level.MANAGE,
            role="caregiver",
            now=now,
        )
    until = (now + timedelta(days=1)).date().isoformat()
    luis = signed_in(app, world.luis, now=now)
    for client in (marta, luis):
        path = offer(marta, carmen, role="doctor", level="3", until=until)
        assert accept(client, path).location == "/invitation"
    page = luis.get("/invitation").text
    assert "You have access already" in page
    assert f'href="/patients/{carmen}/today"' in page
    assert "/invitation/accept" not in page
    with db.reading() as session:
        kept = session.scalars(sa.select(Grant).where(Grant.patient_id == carmen)).all()
        assert [(row.role, row.ends_at) for row in kept] == [("caregiver", None)] * 2


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        ({"level": "2"}, True),
        ({"sees": ["names", "history"]}, True),
        ({"sees": ["history"]}, False),
        ({"level": "2", "sees": []}, False),
        ({"role": "doctor"}, False),
        ({"level": "3"}, True),
        ({"role": "self"}, False),
        ({"level": "2", "until": "2026-11-21"}, False),
    ],
)
def test_an_offer_is_taken_that_adds_and_takes_nothing_away(
    *,
    change: dict[str, object],
    is_taken: bool,
    marta: FlaskClient,
    eve: FlaskClient,
    carmen: int,
    db: Database,
    world: World,
) -> None:
    accept(eve, offer(marta, carmen, role="caregiver"))
    before = grants(db, carmen)[world.eve]
    assert before == ("caregiver", "accepted", 1)
    path = offer(marta, carmen, **{"role": "caregiver", **change})
    there = f"/patients/{carmen}/today" if is_taken else "/invitation"
    assert accept(eve, path).location == there
    if not is_taken:
        assert grants(db, carmen)[world.eve] == before


def test_what_ends_can_be_made_longer(
    *,
    marta: FlaskClient,
    eve: FlaskClient,
    carmen: int,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    until = (now + timedelta(days=1)).date().isoformat()
    accept(eve, offer(marta, carmen, role="caregiver", level="2", until=until))
    assert accept(eve, offer(marta, carmen, role="caregiver")).location == "/invitation"
    longer = offer(marta, carmen, role="caregiver", level="2")
    assert accept(eve, longer).location == f"/patients/{carmen}/today"
    pinned.move_to(now + timedelta(days=3))
    with db.reading() as session:
        hers = sa.select(Grant).where(Grant.account_id == world.eve)
        grant = session.scalars(hers.where(Grant.patient_id == carmen)).one()
        assert (grant.ends_at, grant.status) == (None, "accepted")
