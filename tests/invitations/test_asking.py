"""A doctor asks by a code; the patient's side decides."""

import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs import look_after_access
from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.invitations.actions.asking import make_code
from pillweb.invitations.queries import code_of_patient, patient_by_code
from pillweb.outbox.models import Delivery
from pillweb.sharing.models import Grant
from pillweb.web.security import limiter
from tests.world import World, csrf_of, signed_in

CODE = re.compile(r">([B-Z]{4}\s[B-Z]{4})</b>")


@pytest.fixture(autouse=True)
def no_limits_yet(app: Flask) -> None:
    del app
    limiter.reset()


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def eve(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.eve, now=now)


def press(client: FlaskClient, path: str, **typed: object) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client, "/look"), **typed})


def code_of(rosa: FlaskClient, world: World) -> str:
    sharing = f"/patients/{world.patient}/sharing"
    press(rosa, f"{sharing}/code")
    found = CODE.search(rosa.get(sharing).text)
    assert found
    return found[1]


def asked(db: Database, world: World) -> Grant:
    with db.reading() as session:
        mine = sa.select(Grant).where(Grant.account_id == world.eve)
        return session.scalars(mine.where(Grant.patient_id == world.patient)).one()


def test_a_doctor_asks_and_sees_nothing_before_the_answer(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    """Who asked is a stranger until the patient's side says yes (checklist 43)."""
    code = code_of(rosa, world)
    typed = "-".join(code.lower().split())
    assert press(eve, "/ask", code=typed, role="doctor").location == "/people"
    page = eve.get("/people").text
    assert "You asked for access on Friday 20 November. There is no answer yet." in page
    assert "Rosa" not in page
    today = f"/patients/{world.patient}/today"
    assert eve.get(today).status_code == 404
    here = f"/patients/{world.patient}/sharing/requests/{asked(db, world).id}"
    assert "May <bdi>Eve</bdi> look?" in rosa.get(here).text
    answer = press(rosa, here, level="1", sees=["names", "reports"])
    assert answer.status_code == 303
    row = asked(db, world)
    assert (row.status, row.level, row.role) == ("accepted", 1, "doctor")
    assert (row.sees, row.given_by_id) == (["names", "reports"], world.rosa)
    assert eve.get(today).status_code == 200
    assert press(rosa, here, level="3").status_code == 404


def test_no_is_no_and_the_doctor_is_not_told_whose_it_was(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    code = code_of(rosa, world)
    press(eve, "/ask", code=code, role="doctor")
    here = f"/patients/{world.patient}/sharing/requests/{asked(db, world).id}"
    assert press(rosa, f"{here}/decline").status_code == 303
    assert asked(db, world).status == "declined"
    assert eve.get(f"/patients/{world.patient}/today").status_code == 404
    assert "Rosa" not in eve.get("/people").text
    assert press(rosa, here, level="1").status_code == 404


def test_a_code_is_changed_and_stopped(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    first = code_of(rosa, world)
    second = code_of(rosa, world)
    assert first != second
    assert press(eve, "/ask", code=first, role="doctor").status_code == 422
    press(rosa, f"/patients/{world.patient}/sharing/code/stop")
    refused = press(eve, "/ask", code=second, role="doctor")
    assert "Nobody has this code." in refused.text
    with db.reading() as session:
        mine = sa.select(Grant).where(Grant.account_id == world.eve)
        assert len(session.scalars(mine).all()) == 1


def test_guesses_are_few(eve: FlaskClient, world: World) -> None:
    """Ten an hour for an account (checklist 13)."""
    codes = [
        press(eve, "/ask", code="BCDFGHJK", role="doctor").status_code
        for _ in range(11)
    ]
    assert codes == [422] * 10 + [429]


def test_asking_takes_nothing_from_who_has_access(
    rosa: FlaskClient, app: Flask, world: World, db: Database, now: datetime
) -> None:
    code = code_of(rosa, world)
    marta = signed_in(app, world.marta, now=now)
    press(marta, "/ask", code=code, role="doctor")
    press(rosa, "/ask", code=code, role="doctor")
    with db.reading() as session:
        kept = sa.select(Grant.role, Grant.level, Grant.status).where(
            Grant.account_id.in_([world.rosa, world.marta])
        )
        found = {tuple(row) for row in session.execute(kept)}
    assert found == {("self", 3, "accepted"), ("caregiver", 3, "accepted")}


def test_who_manages_hears_of_it_at_once(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    press(eve, "/ask", code=code_of(rosa, world), role="doctor")
    assert look_after_access.run() == 1
    assert look_after_access.run() == 0
    with db.reading() as session:
        told = session.scalars(
            sa.select(Delivery).where(Delivery.kind == "access_asked")
        )
        assert {row.account_id for row in told} == {world.rosa, world.marta}


def test_a_code_is_nowhere_in_clear(db: Database, world: World, now: datetime) -> None:
    with db.transaction() as session:
        make_code(session, world.patient, now=now)
    with db.reading() as session:
        code = code_of_patient(session, world.patient)
        kept = session.execute(
            sa.text("select code, code_index from asking_code")
        ).one()
        assert code.encode() not in bytes(kept[0]) + bytes(kept[1])
        assert patient_by_code(session, code) == world.patient
        assert patient_by_code(session, "") is None


def test_a_name_is_not_all_that_is_said_of_who_asks(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    """Eve calls herself "Dr Chen"; the address she proved is hers."""
    with db.transaction() as session:
        session.get_one(Account, world.eve).name = "Dr Chen"
    press(eve, "/ask", code=code_of(rosa, world), role="doctor")
    sharing = f"/patients/{world.patient}/sharing"
    here = f"{sharing}/requests/{asked(db, world).id}"
    who = "<bdi>Dr Chen</bdi>, who signs in as <bdi>eve@family.example</bdi>"
    assert who in rosa.get(here).text
    assert "Signs in as <bdi>eve@family.example</bdi>" in rosa.get(sharing).text


def test_all_is_as_it_was_also_for_who_asked_meanwhile(
    rosa: FlaskClient, app: Flask, world: World, now: datetime
) -> None:
    luis = signed_in(app, world.luis, now=now)
    stopping = f"/patients/{world.patient}/sharing/for-now"
    assert press(rosa, stopping).status_code == 303
    asked_for = press(luis, "/ask", code=code_of(rosa, world), role="caregiver")
    assert asked_for.location == "/people"
    assert press(rosa, f"{stopping}/end").status_code == 303
    assert luis.get(f"/patients/{world.patient}/today").status_code == 200
