"""A calendar is made once, read by its secret alone, and stopped at once."""

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from werkzeug.test import TestResponse

from tests.world import World, csrf_of, signed_in

ADDRESS = re.compile(r"http://127\.0\.0\.1:8000(/ics/[\w-]{43})</textarea>")
PAGE = "/patients/{}/calendar-feed"


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def made(rosa: FlaskClient, world: World, **more: str) -> TestResponse:
    page = PAGE.format(world.patient)
    data = {"csrf_token": csrf_of(rosa, page), "label": "My phone", **more}
    return rosa.post(page, data=data)


def address(answer: TestResponse) -> str:
    found = ADDRESS.search(answer.text)
    assert found
    return found[1]


def test_its_address_is_shown_once_as_words_code_and_button(
    rosa: FlaskClient, world: World
) -> None:
    answer = made(rosa, world)
    path = address(answer)
    assert f'href="webcal://127.0.0.1:8000{path}"' in answer.text
    assert "<svg" in answer.text
    page = rosa.get(PAGE.format(world.patient)).text
    assert "My phone" in page
    assert path not in page


def test_a_phone_reads_it_signed_in_or_not(
    app: Flask, rosa: FlaskClient, world: World
) -> None:
    path = address(made(rosa, world))
    answer = app.test_client().get(path)
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    found = Calendar.from_ical(answer.data)
    assert isinstance(found, Calendar)
    assert len(found.events) > 100
    assert "Amlodipine" not in answer.text
    named = app.test_client().get(address(made(rosa, world, shows_names="y")))
    assert "Amlodipine" in named.text


def test_a_phone_that_has_it_is_told_so(
    app: Flask, rosa: FlaskClient, world: World
) -> None:
    path = address(made(rosa, world))
    first = app.test_client().get(path)
    again = app.test_client().get(
        path, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    page = f"/patients/{world.patient}/today"
    take = re.search(r'action="([^"]+/take)"', rosa.get(page).text)
    assert take
    rosa.post(take[1], data={"csrf_token": csrf_of(rosa, page)})
    changed = app.test_client().get(
        path, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert changed.status_code == 200


def test_what_was_stopped_tells_nothing(
    app: Flask, rosa: FlaskClient, world: World
) -> None:
    path = address(made(rosa, world))
    page = rosa.get(PAGE.format(world.patient)).text
    stop = re.search(r'action="([^"]+/stop)"', page)
    assert stop
    token = csrf_of(rosa, PAGE.format(world.patient))
    assert rosa.post(stop[1], data={"csrf_token": token}).status_code == 303
    assert app.test_client().get(path).status_code == 404
    assert "My phone" not in rosa.get(PAGE.format(world.patient)).text


def test_a_form_without_a_label_says_so_and_makes_nothing(
    rosa: FlaskClient, world: World
) -> None:
    answer = made(rosa, world, label=" ", shows_names="y")
    assert answer.status_code == 422
    assert "Write whose phone." in answer.text
    assert re.search(r'name="shows_names" value="y" checked', answer.text)
    assert "No phone reads the times now." in answer.text


def test_guesses_are_counted(app: Flask, world: World) -> None:
    client = app.test_client()
    codes = [client.get(f"/ics/{'x' * 43}").status_code for _ in range(32)]
    assert codes[0] == 404
    assert codes[-1] == 429


def test_the_page_of_reminders_leads_there_and_back(
    rosa: FlaskClient, world: World
) -> None:
    here, there = f"/patients/{world.patient}/contacts", PAGE.format(world.patient)
    assert f'href="{there}"' in rosa.get(here).text
    assert f'href="{here}"' in rosa.get(there).text
    assert "calendar-feed" not in rosa.get("/account/contacts").text
