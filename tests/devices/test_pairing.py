"""A tablet is connected by six digits or by its camera: once, and only for a while."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.devices.actions.pairing import (
    connect_tablet,
    forget_offers,
    offer_tablet,
    try_code,
)
from pillweb.devices.models import DevicePairing, DevicePlace, DeviceTry
from pillweb.devices.queries import is_tried_too_often, oldest_offer, tablet_of
from pillweb.devices.rules import TRIES_OF_ALL, TRIES_PER_CLIENT
from pillweb.sharing.models import Grant
from tests.at_once import at_once
from tests.house.rows import all_rows, changed
from tests.tablets import COOKIE, browser_of
from tests.world import World, csrf_of, signed_in

SECOND, TEN_MINUTES = timedelta(seconds=1), timedelta(minutes=10)
CODE = re.compile(r'<p class="digits" dir="ltr">(\d{3} \d{3})</p>')
HERE = "10.0.0.1"


def offer(session: Session, world: World, now: datetime) -> tuple[DevicePairing, str]:
    row, _token, code = offer_tablet(
        session, patient_id=world.patient, made_by_id=world.marta, now=now
    )
    return row, code


def other(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_is_six_digits_for_ten_minutes_and_kept_as_a_hash(
    session: Session, world: World, now: datetime
) -> None:
    """Checklist 35."""
    row, code = offer(session, world, now)
    assert re.fullmatch(r"\d{6}", code)
    assert code.encode() not in row.code_index
    last = now + TEN_MINUTES
    assert try_code(session, code, client=HERE, now=last - SECOND) == row
    assert try_code(session, code, client=HERE, now=last) is None


def test_a_code_connects_one_tablet(
    session: Session, world: World, now: datetime
) -> None:
    row, code = offer(session, world, now)
    assert connect_tablet(session, row, tablet=None, name="A", now=now)
    assert connect_tablet(session, row, tablet=None, name="B", now=now) is None
    assert try_code(session, code, client=HERE, now=now) is None
    assert len(session.scalars(sa.select(DevicePlace)).all()) == 1


def test_a_newer_code_ends_the_one_before(
    session: Session, world: World, now: datetime
) -> None:
    first, code = offer(session, world, now)
    second, newer = offer(session, world, now)
    assert try_code(session, newer, client=HERE, now=now) == second
    if code != newer:
        assert try_code(session, code, client=HERE, now=now) is None
    assert connect_tablet(session, first, tablet=None, name="A", now=now) is None


def test_five_wrong_codes_of_a_visitor_are_enough(
    session: Session, world: World, now: datetime
) -> None:
    """Checklist 13 and 35: they are rows, so an empty Redis forgets none."""
    _, code = offer(session, world, now)
    for _ in range(TRIES_PER_CLIENT):
        assert not is_tried_too_often(session, client=HERE, now=now)
        assert try_code(session, other(code), client=HERE, now=now) is None
    assert is_tried_too_often(session, client=HERE, now=now)
    assert try_code(session, code, client=HERE, now=now) is None
    assert try_code(session, code, client="10.0.0.2", now=now)
    assert not is_tried_too_often(session, client=HERE, now=now + TEN_MINUTES)


def test_fifty_wrong_codes_of_all_close_it_for_everybody(
    session: Session, world: World, now: datetime
) -> None:
    _, code = offer(session, world, now)
    for number in range(TRIES_OF_ALL):
        try_code(session, other(code), client=f"10.0.1.{number}", now=now)
    assert try_code(session, code, client=HERE, now=now) is None
    assert is_tried_too_often(session, client=HERE, now=now)


def test_who_manages_no_longer_offered_nothing(
    session: Session, world: World, now: datetime
) -> None:
    row, _ = offer(session, world, now)
    session.execute(sa.delete(Grant).where(Grant.account_id == world.marta))
    assert connect_tablet(session, row, tablet=None, name="A", now=now) is None
    assert session.scalars(sa.select(DevicePlace)).all() == []


def test_of_two_tablets_with_one_code_one_wins(
    db: Database, world: World, now: datetime
) -> None:
    """Checklist 12."""
    with db.transaction() as session:
        _, code = offer(session, world, now)

    def connect(number: int) -> str | None:
        with db.transaction() as mine:
            row = try_code(mine, code, client=f"10.0.0.{number}", now=now)
            name = f"tablet {number}"
            if row is None:
                return None
            return connect_tablet(mine, row, tablet=None, name=name, now=now)

    assert len([one for one in at_once(4, connect) if one]) == 1
    with db.reading() as session:
        assert len(session.scalars(sa.select(DevicePlace)).all()) == 1


def test_codes_and_wrong_tries_are_forgotten_a_day_later(
    session: Session, world: World, now: datetime
) -> None:
    _, code = offer(session, world, now)
    try_code(session, other(code), client=HERE, now=now)
    day = timedelta(days=1)
    assert oldest_offer(session, now=now + day - SECOND) is None
    assert oldest_offer(session, now=now + day) == now + day
    assert forget_offers(session, now=now + day, limit=5) == 1
    assert forget_offers(session, now=now + day + TEN_MINUTES, limit=5) == 1
    assert session.scalars(sa.select(DeviceTry)).all() == []


def offered(app: Flask, world: World, now: datetime) -> tuple[FlaskClient, str]:
    """Return Marta's browser, and the page on which she sees the code."""
    marta = signed_in(app, world.marta, now=now)
    there = f"/patients/{world.patient}/tablets"
    data = {"csrf_token": csrf_of(marta, there)}
    answer = marta.post(there, data=data)
    assert answer.status_code == 200
    return marta, answer.text


def found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[match.lastindex or 0] if match else pytest.fail(pattern.pattern)


def type_code(browser: FlaskClient, code: str) -> int:
    data = {"csrf_token": csrf_of(browser, "/pair"), "code": code}
    return browser.post("/pair", data=data).status_code


def test_a_tablet_is_connected_by_what_a_helper_sees(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    marta, shown = offered(app, world, now)
    offer_id = found(re.compile(r"/offers/(\d+)"), shown)
    tablet, second = app.test_client(), app.test_client()
    code = found(CODE, shown)
    assert type_code(tablet, code) == 303
    assert tablet.get("/").location == "/tablet"
    assert tablet.get("/tablet").location == f"/patients/{world.patient}/today"
    assert "Amlodipine" in tablet.get(f"/patients/{world.patient}/today").text
    assert type_code(second, code) == 422
    asks = f"/patients/{world.patient}/tablets/offers/{offer_id}"
    waiting = marta.get(asks, headers={"HX-Request": "true"}).text
    assert "The tablet is connected." in waiting
    assert "hx-get" not in waiting
    page = marta.get(f"/patients/{world.patient}/tablets").text
    assert "Used in the last hour" in page


def test_a_camera_opens_a_button_and_no_machine_presses_it(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    """Checklist 34: fetched, prefetched and sent at once, it still works after that."""
    with db.transaction() as session:
        _, token, _ = offer_tablet(
            session, patient_id=world.patient, made_by_id=world.marta, now=now
        )
    path = f"/d/{token}"
    machine = app.test_client()
    before = all_rows(db)
    for _ in range(3):
        assert machine.get(path).status_code == 200
    machine.head(path)
    data = {"csrf_token": csrf_of(machine, path), "shown": ""}
    assert machine.post(path, data=data).status_code == 303
    assert machine.get_cookie(COOKIE) is None
    assert changed(before, all_rows(db)) == []
    tablet = app.test_client()
    answer = tablet.post(path, data={"csrf_token": csrf_of(tablet, path)})
    assert answer.location == "/tablet"
    cookie = tablet.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.max_age == timedelta(days=400).total_seconds()
    assert tablet.get(f"/patients/{world.patient}/today").status_code == 200
    assert machine.get(path).status_code == 404


def test_the_helper_s_own_device_is_signed_out_when_it_is_connected(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    marta, shown = offered(app, world, now)
    assert "signs you out here" in marta.get("/pair").text
    assert type_code(marta, found(CODE, shown)) == 303
    assert marta.get("/people").location.startswith("/sign-in")
    assert marta.get(f"/patients/{world.patient}/today").status_code == 200


def test_wrong_digits_say_so_and_are_counted(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    _, shown = offered(app, world, now)
    code = found(CODE, shown).replace(" ", "")
    tablet = app.test_client()
    for _ in range(TRIES_PER_CLIENT):
        assert type_code(tablet, "12") == 422
        assert type_code(tablet, other(code)) == 422
    data = {"csrf_token": csrf_of(tablet, "/pair"), "code": code}
    answer = tablet.post("/pair", data=data)
    assert answer.status_code == 422
    assert "Wait ten minutes" in answer.text
    with db.reading() as session:
        tries = session.scalars(sa.select(DeviceTry)).all()
    assert len(tries) == TRIES_PER_CLIENT


def test_a_tablet_is_offered_only_by_who_has_just_shown_who_they_are(
    app: Flask, db: Database, world: World, pinned: time_machine.Traveller
) -> None:
    """Checklist 42."""
    now = datetime.fromisoformat("2026-11-20T08:05:00+00:00")
    marta = signed_in(app, world.marta, now=now)
    there = f"/patients/{world.patient}/tablets"
    data = {"csrf_token": csrf_of(marta, there)}
    pinned.move_to(now + TEN_MINUTES + SECOND)
    assert marta.post(there, data=data).status_code == 401
    with db.reading() as session:
        assert session.scalars(sa.select(DevicePairing)).all() == []


def test_a_browser_is_a_tablet_while_its_row_says_so(
    session: Session, world: World, now: datetime
) -> None:
    row, _ = offer(session, world, now)
    secret = connect_tablet(session, row, tablet=None, name="A", now=now) or ""
    tablet = tablet_of(session, secret, now=now + timedelta(days=400) - SECOND)
    assert tablet is not None
    assert tablet.patient_id == world.patient
    assert tablet_of(session, secret, now=now + timedelta(days=400)) is None
    assert tablet_of(session, "made up", now=now) is None


def test_a_made_up_cookie_opens_nothing(
    app: Flask, world: World, pinned: object
) -> None:
    stranger = browser_of(app, "made up")
    assert stranger.get(f"/patients/{world.patient}/today").location == "/tablet"
    assert "not connected any more" in stranger.get("/tablet").text
