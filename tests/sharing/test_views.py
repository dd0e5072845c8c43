"""Shared links: made, shown once, opened in one browser, stopped."""

import contextlib
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
from pillweb.base.errors import LinkGoneError
from pillweb.base.tokens import token_hash
from pillweb.doses.models import Dose
from pillweb.sharing.actions.linking import try_pin
from pillweb.sharing.models import ShareLink
from tests.at_once import at_once
from tests.world import World, csrf_of, signed_in

SECOND = timedelta(seconds=1)
PRIVATE = ("Amlodipine", "5 mg", "blood pressure", "With water")


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def guest(app: Flask, world: World, pinned: object) -> FlaskClient:
    """Somebody without an account."""
    return app.test_client()


def make(rosa: FlaskClient, world: World, **typed: object) -> TestResponse:
    token = csrf_of(rosa, "/people/new")
    data = {
        "csrf_token": token,
        "label": "Ann",
        "days": "7",
        "pages": ["today", "calendar"],
        **typed,
    }
    return rosa.post(f"/patients/{world.patient}/sharing/links", data=data)


def secret_of(answer: TestResponse) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/s/[\w-]+)<", answer.text)
    assert found
    return found[1]


def press(guest: FlaskClient, path: str, **typed: str) -> TestResponse:
    return guest.post(path, data={"csrf_token": csrf_of(guest), **typed})


def link(db: Database, link_id: int) -> ShareLink:
    with db.reading() as session:
        return session.get_one(ShareLink, link_id)


def test_a_new_link_is_shown_once_and_then_listed(
    rosa: FlaskClient, world: World
) -> None:
    answer = make(rosa, world, label="Ann \u05d0")
    path = secret_of(answer)
    assert "Works until Friday 27 November" in answer.text
    page = rosa.get(f"/patients/{world.patient}/sharing").text
    assert "<bdi>Ann \u05d0</bdi>" in page
    assert "Never opened" in page
    assert path not in page


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"label": ""}, "label", "Write who the link is for."),
        ({"label": " \n "}, "label", "Write who the link is for."),
        ({"label": "x" * 201}, "label", "Use at most 200 characters."),
        ({"days": "365"}, "days", "Not a valid choice."),
        ({"days": "x"}, "days", ""),
        ({"pages": []}, "pages", "Choose one page at least."),
        ({"pages": "medicines"}, "pages", ""),
    ],
)
def test_a_link_is_refused_in_plain_words(
    rosa: FlaskClient, world: World, typed: dict[str, object], field: str, sentence: str
) -> None:
    answer = make(rosa, world, **typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"><b>Error:</b> {sentence}' in unescape(answer.text)
    page = rosa.get(f"/patients/{world.patient}/sharing").text
    assert page.count(">Stop this link<") == 1


def test_looking_at_a_link_opens_nothing_until_the_button_is_pressed(
    rosa: FlaskClient, guest: FlaskClient, world: World, db: Database
) -> None:
    path = f"/s/{world.link_token}"
    assert "Open it" in guest.get(path).text
    assert guest.get(f"/shared/{world.link}/today").status_code == 404
    assert link(db, world.link).times_used == 0
    opened = press(guest, path)
    assert opened.headers["Location"] == f"/shared/{world.link}/today"
    assert guest.get(f"/shared/{world.link}/today").status_code == 200
    assert guest.get(f"/shared/{world.link}/calendar").status_code == 200
    press(guest, path)
    assert link(db, world.link).times_used == 2
    page = rosa.get(f"/patients/{world.patient}/sharing").text
    assert "Last opened Friday 20 November" in page


def test_what_one_browser_opened_is_closed_in_another(
    app: Flask, guest: FlaskClient, world: World
) -> None:
    press(guest, f"/s/{world.link_token}")
    assert app.test_client().get(f"/shared/{world.link}/today").status_code == 404
    assert guest.get(f"/shared/{world.other_link}/today").status_code == 404


@pytest.mark.parametrize(("chosen", "shown"), [("y", True), (None, False)])
def test_names_are_shown_only_where_they_were_chosen(
    rosa: FlaskClient,
    guest: FlaskClient,
    world: World,
    chosen: str | None,
    *,
    shown: bool,
) -> None:
    typed = {"show_names": chosen} if chosen else {}
    opened = press(guest, secret_of(make(rosa, world, **typed)))
    today = guest.get(opened.headers["Location"]).text
    calendar = guest.get(opened.headers["Location"].replace("today", "calendar")).text
    assert "1 tablet" in today
    assert "Rosa has 1 medicine to take now." in today
    for word in PRIVATE:
        assert (word in today) is shown
        assert word not in calendar


def test_a_shared_page_has_nothing_to_press_and_cannot_mark(
    guest: FlaskClient, world: World, db: Database
) -> None:
    press(guest, f"/s/{world.link_token}")
    page = guest.get(f"/shared/{world.link}/today").text
    assert "<button" not in page
    assert f"/patients/{world.patient}" not in page
    for path in (
        f"/shared/{world.link}/today",
        f"/shared/{world.link}/doses/1/take",
        f"/patients/{world.patient}/doses/1/take",
        f"/patients/{world.patient}/today",
    ):
        assert press(guest, path).status_code in {303, 404, 405}
    with db.reading() as session:
        assert session.get_one(Dose, 1).state == "open"


def test_a_link_ends_to_the_second(
    guest: FlaskClient, world: World, pinned: time_machine.Traveller, now: datetime
) -> None:
    path = f"/s/{world.link_token}"
    pinned.move_to(now + timedelta(days=30) - SECOND)
    press(guest, path)
    assert guest.get(f"/shared/{world.link}/today").status_code == 200
    pinned.move_to(now + timedelta(days=30))
    for where in (path, f"/shared/{world.link}/today"):
        assert guest.get(where).status_code == 404
    assert press(guest, path).status_code == 404


def test_a_stopped_link_closes_at_once_also_where_it_is_open(
    rosa: FlaskClient, guest: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    press(guest, f"/s/{world.link_token}")
    where = f"/patients/{world.patient}/sharing/{world.link}/revoke"
    data = {"csrf_token": csrf_of(rosa, "/people/new")}
    for _ in range(2):
        assert rosa.post(where, data=data).status_code == 303
    assert link(db, world.link).revoked_at == now
    assert guest.get(f"/shared/{world.link}/today").status_code == 404
    assert press(guest, f"/s/{world.link_token}").status_code == 404
    page = rosa.get(f"/patients/{world.patient}/sharing").text
    assert "Does not work any more" in page


def test_wrong_expired_and_stopped_links_look_the_same(
    rosa: FlaskClient,
    guest: FlaskClient,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    expired = secret_of(make(rosa, world))
    data = {"csrf_token": csrf_of(rosa, "/people/new")}
    where = f"/patients/{world.patient}/sharing/{world.link}/revoke"
    rosa.post(where, data=data)
    csrf_of(guest)
    pinned.shift(timedelta(days=8))
    paths = ["/s/wrong", "/s/" + "x" * 43, expired, f"/s/{world.link_token}"]
    looked = [guest.get(path) for path in paths]
    pressed = [press(guest, path) for path in paths]
    for answers in (looked, pressed):
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.data for answer in answers}) == 1
        heads = {
            str([pair for pair in answer.headers if "RateLimit" not in pair[0]])
            for answer in answers
        }
        assert len(heads) == 1


def test_a_link_of_somebody_else_cannot_be_stopped(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    data = {"csrf_token": csrf_of(rosa, "/people/new")}
    where = f"/patients/{world.patient}/sharing/{world.other_link}/revoke"
    assert rosa.post(where, data=data).status_code == 404
    assert link(db, world.other_link).revoked_at is None


def test_a_link_opens_only_the_pages_it_was_made_for(
    rosa: FlaskClient, guest: FlaskClient, world: World
) -> None:
    """A link is bound to its pages (checklist 46)."""
    opened = press(guest, secret_of(make(rosa, world, pages="calendar")))
    assert opened.headers["Location"].endswith("/calendar")
    page = guest.get(opened.headers["Location"])
    assert page.status_code == 200
    assert "/today" not in page.text
    today = opened.headers["Location"].replace("calendar", "today")
    assert guest.get(today).status_code == 404


def pin_of(answer: TestResponse) -> str:
    found = re.search(r">(\d{6})</b>", answer.text)
    assert found
    return found[1]


def test_a_pin_is_asked_for_and_opens(
    rosa: FlaskClient, guest: FlaskClient, world: World, db: Database
) -> None:
    made = make(rosa, world, with_pin="y")
    pin, path = pin_of(made), secret_of(made)
    assert "Six digits" in guest.get(path).text
    wrong = press(guest, path, pin="000000" if pin != "000000" else "1")
    assert wrong.headers["Location"] == path
    assert "4 tries are left" in guest.get(path).text
    opened = press(guest, path, pin=f"{pin[:3]} {pin[3:]}")
    assert guest.get(opened.headers["Location"]).status_code == 200
    with db.reading() as session:
        row = session.scalars(
            sa.select(ShareLink).order_by(ShareLink.id.desc())
        ).first()
        assert row is not None
        assert row.wrong_pins == 0
        assert pin not in (row.pin_hash or pin)


def test_five_wrong_pins_close_a_link_for_everybody(
    rosa: FlaskClient, guest: FlaskClient, app: Flask, world: World
) -> None:
    """Tries are counted and few (checklist 35, 46)."""
    made = make(rosa, world, with_pin="y")
    pin, path = pin_of(made), secret_of(made)
    friend = app.test_client()
    opened = press(friend, path, pin=pin).headers["Location"]
    for _ in range(5):
        press(guest, path, pin="x")
    for who, where in ((guest, path), (friend, path), (friend, opened)):
        assert who.get(where).status_code == 404
    assert press(guest, path, pin=pin).status_code == 404
    page = rosa.get(f"/patients/{world.patient}/sharing").text
    assert "Closed: the PIN was wrong five times." in page


def test_many_tries_at_once_are_five(
    rosa: FlaskClient, app: Flask, world: World, db: Database
) -> None:
    made = make(rosa, world, with_pin="y")
    token = secret_of(made).rpartition("/")[2]

    def guess(_number: int) -> bool:
        with db.transaction() as session:
            row = session.scalars(
                sa.select(ShareLink).where(ShareLink.token_hash == token_hash(token))
            ).one()
            with contextlib.suppress(LinkGoneError):
                try_pin(session, row, "x")
                return True
            return False

    assert sum(at_once(8, guess)) == 5


def test_openings_are_told_without_addresses(
    rosa: FlaskClient, guest: FlaskClient, world: World
) -> None:
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Safari/5"}
    data = {"csrf_token": csrf_of(guest)}
    for _ in range(22):
        guest.post(f"/s/{world.link_token}", data=data, headers=agent)
    page = rosa.get(f"/patients/{world.patient}/sharing/links/{world.link}").text
    assert page.count("Chrome on Android") == 20
    assert "Friday 20 November at" in page
    assert "127.0.0.1" not in page


def test_all_links_stop_at_once(
    rosa: FlaskClient, guest: FlaskClient, world: World, db: Database
) -> None:
    paths = [f"/s/{world.link_token}", secret_of(make(rosa, world))]
    data = {"csrf_token": csrf_of(rosa, "/people/new")}
    rosa.post(f"/patients/{world.patient}/sharing/links/stop", data=data)
    assert [guest.get(path).status_code for path in paths] == [404, 404]
    assert link(db, world.other_link).revoked_at is None
    page = rosa.get(f"/patients/{world.patient}/sharing").text
    assert "Stop all links" not in page
