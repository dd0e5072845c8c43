"""How it looks: one press, kept in this browser and for the account."""

import re
from datetime import datetime
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.base.i18n import LANGUAGES
from pillweb.base.look import SIZES, THEMES, Look, read_look
from tests.house.rows import all_rows, changed
from tests.world import PASSWORD, World, csrf_of, signed_in

EMAIL = "ann@family.example"
SHEETS = re.compile(r'href="/static/(\w+)\.css[^"]*"(?: media="([^"]+)")?')


def choose(client: FlaskClient, path: str = "/look", **pressed: str) -> TestResponse:
    token = csrf_of(client, "/look")
    return client.post(path, data={"csrf_token": token, **pressed})


@pytest.fixture
def stranger(app: Flask, world: World, pinned: object) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_a_look_is_read_as_it_was_written(size: str, theme: str) -> None:
    look = Look(size=size, theme=theme)
    assert read_look(look.written) == look
    assert len(look.written) <= 20


def test_a_press_changes_every_page_and_keeps_the_other_answer(
    stranger: FlaskClient,
) -> None:
    assert choose(stranger, theme="dark").status_code == 303
    assert choose(stranger, size="30").status_code == 303
    page = stranger.get("/help").text
    assert 'data-size="30"' in page
    assert ("dark", "screen") in SHEETS.findall(page)


@pytest.mark.parametrize(
    ("theme", "sheets"),
    [
        ("system", [("app", ""), ("dark", "screen and (prefers-color-scheme: dark)")]),
        ("light", [("app", "")]),
        ("dark", [("app", ""), ("dark", "screen")]),
        ("contrast", [("app", ""), ("contrast", "screen")]),
    ],
)
def test_each_choice_of_colours_has_its_sheets(
    stranger: FlaskClient, theme: str, sheets: list[tuple[str, str]]
) -> None:
    choose(stranger, theme=theme)
    page = stranger.get("/nowhere").text
    assert SHEETS.findall(page) == sheets


def test_the_chosen_answer_is_said_and_not_only_shown(stranger: FlaskClient) -> None:
    choose(stranger, size="24")
    page = stranger.get("/look").text
    pressed = re.findall(r'value="(\w+)" aria-pressed="true"', page)
    assert pressed == ["en", "24", "system"]
    assert page.count("Chosen") == 3


def test_saved_is_said_once_where_a_screen_reader_begins(stranger: FlaskClient) -> None:
    choose(stranger, size="24")
    first, second = (stranger.get("/look").text for _ in range(2))
    found = re.search(
        r'role="status" tabindex="-1" autofocus><p dir="auto">(.+?)<', first
    )
    assert found
    assert found[1] == "Saved. This is how it looks now."
    assert "Saved." not in second


@pytest.mark.parametrize(
    "pressed", [{"size": "99"}, {"theme": "pink"}, {"size": "24", "theme": '"><q>'}]
)
def test_what_was_never_offered_is_refused(
    stranger: FlaskClient, pressed: dict[str, str]
) -> None:
    answer = choose(stranger, **pressed)
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert "<q>" not in answer.text
    assert stranger.get_cookie("look") is None


@pytest.mark.parametrize("kept", ["", "x", "99.pink", '24."><q>', "24.dark.more", "é"])
def test_a_cookie_somebody_made_up_breaks_no_page(
    stranger: FlaskClient, kept: str
) -> None:
    stranger.set_cookie("look", kept)
    page = stranger.get("/help")
    assert page.status_code == 200
    assert "<q>" not in page.text
    assert re.search(r'data-size="(20|24)"', page.text)


@pytest.mark.parametrize("back", ["/people", "/patients/1/calendar?month=2026-11"])
def test_the_way_back_is_kept(stranger: FlaskClient, back: str) -> None:
    path = f"/look?from={back.replace('?', '%3F').replace('=', '%3D')}"
    answer = choose(stranger, path, size="24")
    page = stranger.get(answer.location)
    assert f'href="{back}">Go back' in page.text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil"])
def test_nobody_is_led_to_another_site(stranger: FlaskClient, back: str) -> None:
    answer = choose(stranger, f"/look?from={back}", size="24")
    assert answer.location == "/look"
    assert "evil" not in stranger.get(f"/look?from={back}").text.split("<footer")[0]


def test_the_foot_of_a_page_leads_here_and_back(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    path = f"/patients/{world.patient}/calendar?month=2026-11"
    found = re.search(r'href="(/look[^"]+)">Language and look', rosa.get(path).text)
    assert found
    assert f'href="{path}">Go back' in rosa.get(found[1]).text


def test_a_secret_address_stays_out_of_the_way_back(
    stranger: FlaskClient, world: World
) -> None:
    page = stranger.get(f"/s/{world.link_token}").text
    assert 'href="/look">Language and look' in page


def test_looking_changes_nothing(stranger: FlaskClient, db: Database) -> None:
    before = all_rows(db)
    for path in ("/look?size=30", "/look?theme=dark", "/design"):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert 'data-size="20"' in answer.text
    assert stranger.get_cookie("look") is None
    assert changed(before, all_rows(db)) == []


def test_the_next_device_of_an_account_looks_the_same(
    app: Flask, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        made = make_account(
            session, name="Ann", email=EMAIL, password=PASSWORD, now=now
        )
        ann = made.id
    choose(signed_in(app, ann, now=now), size="30")
    with db.reading() as session:
        assert session.get_one(Account, ann).look == "30.system.en"
    new, used = app.test_client(), app.test_client()
    choose(used, size="24")
    for client, size in ((new, 30), (used, 24)):
        data = {"csrf_token": csrf_of(client), "email": EMAIL, "password": PASSWORD}
        assert client.post("/sign-in/password", data=data).status_code == 303
        assert f'data-size="{size}"' in client.get("/people").text


def test_one_answer_leaves_the_others_of_an_account(
    app: Flask, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        made = make_account(
            session, name="Ann", email=EMAIL, password=PASSWORD, now=now
        )
        made.look = "20.system.es.24"
        session.flush()
        ann = made.id
    client = signed_in(app, ann, now=now)
    choose(client, size="30")
    with db.reading() as session:
        assert session.get_one(Account, ann).look == "30.system.es.24"


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("zh-TW,en;q=0.1", "zh"),
        ("es-MX,en;q=0.5", "es"),
        ("de,fr;q=0.5,en;q=0.2", "fr"),
        ("pl;q=0,en", "en"),
        ("", "en"),
        ("*;q=x,,;", "en"),
    ],
)
def test_the_first_language_of_the_browser_that_we_know_is_spoken(
    stranger: FlaskClient, asked: str, spoken: str
) -> None:
    page = stranger.get("/look", headers={"Accept-Language": asked}).text
    assert f'<html lang="{spoken}"' in page


def test_a_look_outlives_signing_out(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    choose(rosa, theme="contrast")
    rosa.post("/sign-out", data={"csrf_token": csrf_of(rosa, "/look")})
    assert "contrast.css" in rosa.get("/sign-in").text


def test_the_design_page_shows_every_state_and_nobody(
    stranger: FlaskClient,
) -> None:
    answer = stranger.get("/design")
    assert "noindex" in answer.headers["X-Robots-Tag"]
    states = set(re.findall(r'class="dose (\w+)"', answer.text))
    assert states >= {"due", "to_come", "taken", "part", "skipped", "not_taken"}
    assert states >= {"no_record", "held", "cancelled"}
    for kind in ("info", "good", "warn", "error"):
        assert f'class="notice {kind}' in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
def test_every_language_is_offered_in_its_own_words(
    app: Flask, world: World, pinned: object, path: str
) -> None:
    client = app.test_client()
    page = client.get(path)
    found = re.findall(r'value="(\w\w)" lang="(\w\w)"><bdi>(.+?)</bdi>', page.text)
    others = [code for code in LANGUAGES if code != "en"]
    assert found == [(code, code, LANGUAGES[code]) for code in others]
    action = unescape(re.findall(r'action="(/look[^"]*)"', page.text)[0])
    token = csrf_of(client, path)
    typed = {"csrf_token": token, "language": "ar", "straight": "y"}
    answer = client.post(action, data=typed)
    assert answer.status_code == 303
    assert answer.location in {"/", path}
    assert '<html lang="ar" dir="rtl"' in client.get(path).text


def test_choosing_a_size_keeps_the_language_of_the_browser(
    app: Flask, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        made = make_account(
            session, name="Ann", email=EMAIL, password=PASSWORD, now=now
        )
        ann = made.id
    client = signed_in(app, ann, now=now)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es"
    choose(client, size="24")
    with db.reading() as session:
        assert session.get_one(Account, ann).look == "24.system.es"
    cookie = client.get_cookie("look")
    assert cookie is not None
    assert cookie.value == "24.system"
