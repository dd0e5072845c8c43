"""What a connected tablet may do, and that it is dead when it is stopped."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.audit.models import AuditEntry
from pillweb.base.db import Database
from pillweb.channels.live import LiveNote, device_index
from pillweb.devices.models import DevicePlace
from pillweb.devices.rules import SEEN_EVERY
from pillweb.doses.models import Dose, DoseEvent
from pillweb.sync.models import Replay
from tests.house.rows import all_rows, changed
from tests.tablets import COOKIE, browser_of, connected
from tests.world import World, csrf_of, signed_in

SECOND = timedelta(seconds=1)
START = datetime.fromisoformat("2026-11-20T08:05:00+00:00")


@pytest.fixture
def secret(db: Database, world: World, now: datetime) -> str:
    with db.transaction() as session:
        return connected(session, world.patient, world.marta, now=now)[0]


@pytest.fixture
def tablet(app: Flask, secret: str, pinned: object) -> FlaskClient:
    return browser_of(app, secret)


@pytest.fixture
def dose(db: Database, world: World) -> int:
    """Rosa's dose of 8am."""
    with db.reading() as session:
        found = session.scalars(
            sa.select(Dose.id)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at)
        )
        return found.first() or pytest.fail("no dose")


def events(db: Database) -> list[tuple[str, str, int | None]]:
    with db.reading() as session:
        found = sa.select(DoseEvent).order_by(DoseEvent.id)
        return [
            (one.what, one.channel, one.account_id) for one in session.scalars(found)
        ]


def test_a_dose_is_recorded_as_the_patient_s_by_the_tablet(
    tablet: FlaskClient, db: Database, world: World, dose: int
) -> None:
    base = f"/patients/{world.patient}"
    token = csrf_of(tablet, f"{base}/today")
    for deed in ("take", "undo"):
        path = f"{base}/doses/{dose}/{deed}"
        assert tablet.post(path, data={"csrf_token": token}).status_code == 303
    assert events(db) == [("taken", "tablet", None), ("undone", "tablet", None)]
    with db.reading() as session:
        entries = session.scalars(
            sa.select(AuditEntry).where(
                AuditEntry.patient_id == world.patient, AuditEntry.by == "tablet"
            )
        ).all()
    assert [one.act for one in entries] == ["doses.post_take", "doses.post_undo"]


def test_the_record_names_the_tablet(
    app: Flask, tablet: FlaskClient, world: World, dose: int, now: datetime
) -> None:
    base = f"/patients/{world.patient}"
    data = {"csrf_token": csrf_of(tablet, f"{base}/today")}
    tablet.post(f"{base}/doses/{dose}/take", data=data)
    told = signed_in(app, world.marta, now=now).get(f"{base}/access").text
    assert "Rosa on the tablet “Kitchen” recorded a dose." in told


def test_its_pages_lead_nowhere_it_may_not_go(
    tablet: FlaskClient, world: World
) -> None:
    base = f"/patients/{world.patient}"
    today = tablet.get(f"{base}/today").text
    for path in ("/people", "/sign-out", f"{base}/medicines", f"{base}/messages"):
        assert path not in today
    assert f"{base}/calendar" in today
    for path in ("/people", "/account/sessions", f"{base}/medicines"):
        assert tablet.get(path).location.startswith("/sign-in")
    other = f"/patients/{world.other_patient}"
    assert tablet.get(f"{other}/today").status_code == 404


def test_a_stopped_tablet_is_dead_at_once_and_a_press_says_so_aloud(
    app: Flask, tablet: FlaskClient, secret: str, db: Database, world: World
) -> None:
    """Checklist 39: also a stolen copy of its cookie."""
    base = f"/patients/{world.patient}"
    data = {"csrf_token": csrf_of(tablet, f"{base}/today")}
    marta = signed_in(app, world.marta, now=START)
    with db.reading() as session:
        place_id = session.scalars(sa.select(DevicePlace.id)).one()
        dose = session.scalars(sa.select(sa.func.min(Dose.id))).one()
    there = f"{base}/tablets"
    assert "Kitchen" in marta.get(there).text
    stop = {"csrf_token": csrf_of(marta, there)}
    assert marta.post(f"{there}/{place_id}/end", data=stop).status_code == 303
    before = all_rows(db)
    path = f"{base}/doses/{dose}/take"
    for headers in ({}, {"HX-Request": "true"}):
        answer = tablet.post(path, data=data, headers=headers)
        assert answer.status_code == 401
        assert "Nothing was recorded." in answer.text
    for browser in (tablet, browser_of(app, secret)):
        assert browser.get(f"{base}/today").location == "/tablet"
        shown = browser.get("/tablet")
        assert "not connected any more" in shown.text
        assert shown.headers["Pillweb-Account"] == "nobody"
    assert changed(before, all_rows(db)) == []
    assert "Kitchen" not in marta.get(there).text


def test_a_helper_signs_in_on_the_tablet_and_out_again(
    app: Flask, secret: str, world: World, now: datetime, pinned: object
) -> None:
    marta = signed_in(app, world.marta, now=now)
    marta.set_cookie(COOKIE, secret)
    assert marta.get("/people").status_code == 200
    marta.post("/sign-out", data={"csrf_token": csrf_of(marta, "/people")})
    assert marta.get("/people").location.startswith("/sign-in")
    assert marta.get("/").location == "/tablet"
    assert marta.get(f"/patients/{world.patient}/today").status_code == 200


def test_its_use_is_noted_and_puts_its_end_off(
    tablet: FlaskClient, db: Database, world: World, pinned: time_machine.Traveller
) -> None:
    today = f"/patients/{world.patient}/today"
    before = all_rows(db)
    pinned.move_to(START + SEEN_EVERY - SECOND)
    tablet.get(today).close()
    assert changed(before, all_rows(db)) == []
    pinned.move_to(START + timedelta(days=390))
    answer = tablet.get(today)
    assert COOKIE in str(answer.headers.getlist("Set-Cookie"))
    answer.close()
    assert changed(before, all_rows(db)) == ["device"]
    pinned.move_to(START + timedelta(days=780))
    assert tablet.get(today).status_code == 200
    pinned.move_to(START + timedelta(days=790, minutes=1))
    assert tablet.get(today).location == "/tablet"


def test_what_it_kept_without_a_connection_is_recorded_once(
    tablet: FlaskClient, db: Database, world: World, dose: int
) -> None:
    base = f"/patients/{world.patient}"
    key = tablet.get("/device/key").json or {}
    assert str(key["account"]).startswith("tablet-")
    data = {"key": "0123456789abcdef", "deed": "take", "ago_ms": "0"}
    for _ in range(2):
        answer = tablet.post(
            f"{base}/doses/{dose}/replay", data=data | {"csrf_token": key["token"]}
        )
        assert answer.json == {"outcome": "recorded"}
    assert events(db) == [("taken", "offline", None)]
    told = tablet.get(f"{base}/sent?key={data['key']}").text
    assert "Taken" in told or "taken" in told
    with db.reading() as session:
        row = session.scalars(sa.select(Replay)).one()
        assert row.account_id is None
        assert row.device_id is not None


def test_its_open_page_says_what_the_patient_is_told_until_it_is_stopped(
    app: Flask, tablet: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    today = tablet.get(f"/patients/{world.patient}/today").text
    key = today.partition('data-open-page="')[2].partition('"')[0]
    assert tablet.get(f"/live/{key}").json == []
    note = LiveNote(
        device_index=device_index(key),
        key="a note",
        delivery_id=0,
        words="It is 8am.",
        link="",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    with db.transaction() as session:
        session.add(note)
    told = tablet.get(f"/live/{key}").json or []
    assert [one["words"] for one in told] == ["It is 8am."]
    marta = signed_in(app, world.marta, now=now)
    there = f"/patients/{world.patient}/tablets"
    assert 'data-open-page=""' in marta.get(f"/patients/{world.patient}/today").text
    data = {"csrf_token": csrf_of(marta, there)}
    assert marta.post(f"{there}/1/end", data=data).status_code == 303
    assert tablet.get(f"/live/{key}").status_code == 404


def test_a_tablet_is_called_something_else(
    app: Flask, secret: str, world: World, now: datetime, pinned: object
) -> None:
    marta = signed_in(app, world.marta, now=now)
    there = f"/patients/{world.patient}/tablets"
    data = {"csrf_token": csrf_of(marta, f"{there}/1"), "name": "Bedroom"}
    assert marta.post(f"{there}/1", data=data).status_code == 303
    assert "Bedroom" in marta.get(there).text
    assert marta.post(f"{there}/1", data=data | {"name": ""}).status_code == 422
