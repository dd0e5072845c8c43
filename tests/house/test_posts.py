"""A change is made only by a person who pressed a button on our own page."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.web.security import FROM_ANYWHERE, csrf
from tests.house.cast import Cast
from tests.house.good_forms import FORMS
from tests.house.policy import PERSON, POLICY
from tests.house.rows import all_rows, changed

ROUTE = f"POST {PERSON}/today"
EXEMPT = {"alerts", "answers", "direct_answers", "codes", "stops", "hooks"}
POSTS = [
    route
    for route in POLICY
    if route.startswith("POST ")
    and not {"t", "h", "p", "u", "hooks"} & set(route.split("/"))
]


@pytest.fixture
def path(cast: Cast) -> str:
    return cast.url(f"{PERSON}/today", {"patient_id": "rosa"})


@pytest.fixture
def rosa(app: Flask, cast: Cast) -> FlaskClient:
    return cast.browser(app, "rosa")


def test_only_pages_behind_messages_and_printed_codes_need_no_token() -> None:
    found = {blueprint.name for blueprint in csrf._exempt_blueprints}  # noqa: SLF001
    assert found == EXEMPT
    assert csrf._exempt_views == set()  # noqa: SLF001


def test_a_post_without_a_good_token_changes_nothing(
    app: Flask, db: Database, cast: Cast
) -> None:
    before = all_rows(db)
    for route in POSTS:
        rule = route.split()[1]
        arguments = [one for one in cast.values if f"{one}>" in rule]
        path = cast.url(rule, dict.fromkeys(arguments, "rosa"))
        for token in (None, "", "garbage", cast.people["marta"].csrf):
            data = dict(FORMS.get(route, {}))
            if token is not None:
                data["csrf_token"] = token
            answer = cast.browser(app, "rosa").post(path, data=data)
            assert answer.status_code == 400, path
            assert "Please press the button once more" in answer.text
        assert changed(before, all_rows(db)) == [], path


def test_a_token_in_the_header_is_as_good(
    rosa: FlaskClient, cast: Cast, path: str
) -> None:
    headers = {"X-CSRFToken": cast.people["rosa"].csrf, "HX-Request": "true"}
    assert rosa.post(path, headers=headers).status_code == 200
    headers["X-CSRFToken"] = cast.people["marta"].csrf
    answer = rosa.post(path, headers=headers)
    assert answer.status_code == 400
    assert "<html" not in answer.text


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost@evil.example"},
    {"Origin": "http://localhost:8001"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
]


def test_a_post_from_another_site_is_refused(
    rosa: FlaskClient, cast: Cast, db: Database, path: str
) -> None:
    before = all_rows(db)
    data = {"csrf_token": cast.people["rosa"].csrf, "dose": "1"}
    for headers in FOREIGN:
        for where in (path, f"/t/{cast.tokens['t']}", f"/p/{cast.tokens['p']}"):
            answer = rosa.post(where, data=data, headers=headers)
            assert answer.status_code == 403, headers
            assert "This is not allowed from here" in answer.text
    assert changed(before, all_rows(db)) == []


def test_pages_of_other_sites_may_press_the_buttons_of_notifications_alone() -> None:
    assert {"direct_answers"} == FROM_ANYWHERE
    assert FROM_ANYWHERE < EXEMPT


def test_only_there_a_browser_hears_that_it_may_post_from_another_site(
    app: Flask,
) -> None:
    headers = {"Origin": "https://ntfy.sh", "Access-Control-Request-Method": "POST"}
    heard: dict[str, dict[str, str]] = {}
    for rule in {route.split()[1] for route in POLICY}:
        path = re.sub("<[^>]+>", "1", rule)
        answer = app.test_client().options(path, headers=headers)
        told = {name: words for name, words in answer.headers if "-Control-A" in name}
        heard |= {rule: told} if told else {}
    assert heard == {
        "/t/<token>/direct/<verb>": {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "POST",
        }
    }


def test_a_post_from_our_own_page_is_accepted(
    rosa: FlaskClient, cast: Cast, path: str
) -> None:
    data = {"csrf_token": cast.people["rosa"].csrf}
    for headers in OWN:
        answer = rosa.post(path, data=data, headers=headers)
        assert answer.status_code == 303, headers


def test_looking_from_another_site_is_allowed(rosa: FlaskClient, path: str) -> None:
    answer = rosa.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
