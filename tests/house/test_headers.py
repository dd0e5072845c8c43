"""What every answer says to the browser, and what no page holds."""

import re
from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from pillweb.web.security import HEADERS, SANDBOXED
from tests.house.cast import CAST, Cast
from tests.house.conftest import PUBLIC, MakeApp
from tests.house.policy import EVERYBODY, POLICY
from tests.house.things import MARKUP
from tools.lint import RULES

INLINE = RULES[0].pattern


def guess(client: FlaskClient) -> TestResponse:
    for _ in range(40):
        answer = client.get("/t/made-up-made-up")
        if answer.status_code == 429:
            break
    return answer


def broken(client: FlaskClient) -> TestResponse:
    app = client.application

    def fail() -> str:
        raise RuntimeError("planned")

    view = app.view_functions["home.show_help"]
    app.view_functions["home.show_help"] = fail
    try:
        return client.get("/help")
    finally:
        app.view_functions["home.show_help"] = view


def unreadable(client: FlaskClient) -> TestResponse:
    page = client.get("/sign-in").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return client.post("/sign-in", data={"csrf_token": found[1]})


ANSWERS: Mapping[int | str, Callable[[FlaskClient], TestResponse]] = {
    200: lambda client: client.get("/help"),
    303: lambda client: client.get("/people"),
    404: lambda client: client.get("/nowhere"),
    405: lambda client: client.post("/help"),
    400: lambda client: client.post("/sign-in"),
    403: lambda client: client.post("/t/x", headers={"Sec-Fetch-Site": "cross-site"}),
    422: unreadable,
    429: guess,
    500: broken,
    "static": lambda client: client.get("/static/icon.svg", buffered=True),
    "bad host": lambda client: client.get("/help", headers={"Host": "evil.example"}),
    "json": lambda client: client.get("/healthz"),
}


def is_guarded(answer: TestResponse) -> None:
    is_file = answer.mimetype in {"image/jpeg", "application/zip"}
    guards = HEADERS | ({"Content-Security-Policy": SANDBOXED} if is_file else {})
    for name, value in guards.items():
        assert answer.headers.getlist(name) == [value], name
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "*" not in policy
    assert policy.startswith("default-src 'none';")
    assert not [name for name in answer.headers if "access-control" in name[0].lower()]
    assert "Server" not in answer.headers


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer_is_guarded(
    kind: int | str, app: Flask, cast: Cast
) -> None:
    answer = ANSWERS[kind](app.test_client())
    is_guarded(answer)
    wanted = {"static": 200, "json": 200, "bad host": 400}.get(str(kind), kind)
    assert answer.status_code == wanted
    if kind == "static":
        assert "max-age=31536000" in answer.headers["Cache-Control"]
    else:
        assert answer.headers["Cache-Control"] == "no-store"
        assert "evil.example" not in answer.text


@pytest.mark.parametrize("name", ["app.css", "app.js"])
def test_a_part_of_a_page_is_told_only_what_it_heeds(
    name: str, make_app: MakeApp
) -> None:
    client = make_app(**PUBLIC).test_client()
    answer = client.get(
        f"/static/{name}", base_url="https://pills.example", buffered=True
    )
    guards = {name for name, _ in answer.headers if name in HEADERS}
    assert guards == {"X-Content-Type-Options", "Cross-Origin-Resource-Policy"}
    assert "Strict-Transport-Security" in answer.headers
    missing = client.get("/static/none.css", base_url="https://pills.example")
    is_guarded(missing)


def test_every_page_of_everybody_is_guarded_and_holds_nothing_inline(
    app: Flask, cast: Cast
) -> None:
    escaped = 0
    for route in (one for one in POLICY if one.startswith("GET ")):
        rule = route.split()[1]
        names = re.findall(r"<(?:int:)?(\w+)>", rule)
        path = cast.url(rule, dict.fromkeys(names, "rosa"))
        for person in CAST:
            answer = cast.open(app, person, "GET", path)
            is_guarded(answer)
            if answer.mimetype == "text/html":
                assert INLINE.findall(answer.text) == [], path
                assert "<q>" not in answer.text, path
                escaped += answer.text.count(str(escape(MARKUP)))
                assert "charset=utf-8" in answer.headers["Content-Type"]
    assert escaped > len(CAST)


def test_every_page_of_everybody_who_is_in_lets_them_out(
    app: Flask, cast: Cast
) -> None:
    """ASVS 5.0, 7.4.4; of a file or a part of a page there is nothing to leave by."""
    for route in (one for one in POLICY if one.startswith("GET ")):
        rule = route.split()[1]
        names = re.findall(r"<(?:int:)?(\w+)>", rule)
        path = cast.url(rule, dict.fromkeys(names, "rosa"))
        answer = cast.open(app, "rosa", "GET", path)
        if "</html>" in answer.text and "rosa" in POLICY[route] != EVERYBODY:
            assert 'action="/sign-out"' in answer.text, path


def test_https_is_remembered_for_a_year(make_app: MakeApp) -> None:
    client = make_app(**PUBLIC).test_client()
    for path in ("/help", "/static/icon.svg", "/nowhere"):
        answer = client.get(path, base_url="https://pills.example", buffered=True)
        is_guarded(answer)
        hsts = answer.headers["Strict-Transport-Security"]
        assert hsts == "max-age=31536000; includeSubDomains"


def test_the_host_is_the_one_that_was_set(make_app: MakeApp) -> None:
    client = make_app(**PUBLIC).test_client()
    for host in ("evil.example", "localhost", "127.0.0.1", "pills.example.evil.test"):
        answer = client.get("/help", base_url=f"https://{host}")
        assert answer.status_code == 400, host


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "PUT", "DELETE"])
def test_other_methods_are_refused(method: str, app: Flask, cast: Cast) -> None:
    for path in ("/help", "/people", "/static/app.css"):
        answer = cast.browser(app, "rosa").open(
            path, method=method, headers={"X-Mirror": "mirrored"}, buffered=True
        )
        assert answer.status_code in {400, 405}
        assert "mirrored" not in answer.text
