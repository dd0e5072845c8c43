"""Looking records nothing, whoever looks, and a mail scanner uses nothing up."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from pillweb.base.db import Database
from pillweb.web.security import limiter
from tests.house.cast import CAST, COOKIE, LINK, NOBODY, Cast
from tests.house.policy import POLICY
from tests.house.rows import all_rows, changed

ARGUMENT = re.compile(r"<(?:int:)?(\w+)>")
LOOKS = ("GET", "HEAD", "OPTIONS")
RULES = [route.split()[1] for route in POLICY if route.startswith("GET ")]
POSTED = [route.split()[1] for route in POLICY if route.startswith("POST ")]
PASSWORD = "correct horse battery 7"


def test_looking_at_any_page_as_anybody_changes_no_row(
    app: Flask, db: Database, cast: Cast
) -> None:
    before = all_rows(db)
    for rule in dict.fromkeys([*RULES, *POSTED]):
        path = cast.url(rule, dict.fromkeys(ARGUMENT.findall(rule), "rosa"))
        for person in CAST:
            browser = cast.browser(app, person)
            for method in LOOKS:
                limiter.reset()
                # With all that is done after the answer: who looked is written.
                answer = browser.open(path, method=method, buffered=True)
                assert answer.status_code < 500, f"{person} {method} {path}"
        assert changed(before, all_rows(db)) == [], rule


@pytest.mark.parametrize("kind", ["t", "p", "u"])
def test_the_page_behind_a_message_or_a_code_sets_no_cookie(
    app: Flask, cast: Cast, kind: str
) -> None:
    path = f"/{kind}/{cast.tokens[kind]}"
    browser = app.test_client()
    for method in (*LOOKS, "POST"):
        answer = browser.open(path, method=method)
        assert answer.status_code < 400
        assert "Set-Cookie" not in answer.headers


@pytest.fixture
def scan(app: Flask, db: Database, cast: Cast) -> Callable[[str], str]:
    """Let a mail scanner follow a link; give the link's path."""

    def visit(kind: str) -> str:
        path = f"/{kind}/{cast.tokens[kind]}"
        before = all_rows(db)
        scanner = app.test_client()
        for method in ("HEAD", *["GET"] * 5):
            assert scanner.open(path, method=method).status_code == 200
        assert changed(before, all_rows(db)) == []
        return path

    return visit


def test_a_scanned_reminder_is_answered_by_the_first_press_alone(
    app: Flask, db: Database, cast: Cast, scan: Callable[[str], str]
) -> None:
    path = scan("t")
    events = len(all_rows(db)["dose_event"])
    after_each = []
    for _ in range(3):
        assert cast.open(app, NOBODY, "POST", path).status_code == 303
        after_each.append(len(all_rows(db)["dose_event"]) - events)
    assert after_each == [1, 1, 1]


def test_a_scanner_opens_no_shared_page(
    app: Flask, cast: Cast, world_link: int, scan: Callable[[str], str]
) -> None:
    path = scan("s")
    scanner = app.test_client()
    scanner.get(path)
    shared = f"/shared/{world_link}/today"
    assert scanner.get(shared).status_code == 404
    assert cast.browser(app, LINK).get(shared).status_code == 200


@pytest.fixture
def world_link(cast: Cast) -> int:
    return int(str(cast.values["link_id"]["rosa"]))


def test_a_scanned_link_of_an_account_works_exactly_once(
    app: Flask, db: Database, cast: Cast, scan: Callable[[str], str]
) -> None:
    path = scan("a")
    data = {"password": PASSWORD}
    assert cast.open(app, NOBODY, "POST", path, data).status_code == 303
    after = all_rows(db)
    assert cast.open(app, NOBODY, "POST", path, data).status_code == 404
    assert cast.browser(app, NOBODY).get(path).status_code == 404
    assert changed(after, all_rows(db)) == []


def test_looking_signs_nobody_in(app: Flask, cast: Cast) -> None:
    for kind, token in cast.tokens.items():
        browser = app.test_client()
        browser.get(f"/{kind}/{token}")
        with browser.session_transaction() as kept:
            assert set(kept) <= {"csrf_token"}, (kind, COOKIE)
