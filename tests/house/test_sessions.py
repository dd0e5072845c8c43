"""Cookies and sessions: who holds one, for how long, and when it is worth nothing."""

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.accounts.actions.joining import make_account
from pillweb.base.db import Database
from pillweb.web.security import limiter
from tests.house.cast import COOKIE, Cast
from tests.house.conftest import PUBLIC, MakeApp
from tests.house.rows import all_rows
from tests.world import PASSWORD, csrf_of

EMAIL = "ann@family.example"
SITE = "https://pills.example"


@pytest.fixture
def ann(app: Flask, db: Database, now: datetime, pinned: object) -> FlaskClient:
    """A browser of somebody who has a password and is not signed in."""
    with db.transaction() as session:
        make_account(session, name="Ann", email=EMAIL, password=PASSWORD, now=now)
    return app.test_client()


def sign_in(client: FlaskClient, *, next_path: str = "") -> TestResponse:
    data = {"csrf_token": csrf_of(client), "email": EMAIL, "password": PASSWORD}
    query = {"next": next_path} if next_path else None
    answer = client.post("/sign-in/password", data=data, query_string=query)
    assert answer.status_code == 303, answer.text
    return answer


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def holding(app: Flask, cookie: str) -> FlaskClient:
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    return client


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def test_a_cookie_is_for_the_server_alone(ann: FlaskClient) -> None:
    said = sign_in(ann).headers.getlist("Set-Cookie")
    assert len(said) == 1
    parts = said[0].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
    assert not [part for part in parts if part.startswith("Domain")]


def test_over_https_a_cookie_is_bound_to_host_and_https(
    make_app: MakeApp, pinned: object
) -> None:
    answer = make_app(**PUBLIC).test_client().get("/sign-up", base_url=SITE)
    (said,) = answer.headers.getlist("Set-Cookie")
    assert said.startswith("__Host-pillweb=")
    parts = set(said.split("; "))
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert "domain" not in said.lower()


def test_over_https_the_chosen_look_is_bound_to_them_too(
    make_app: MakeApp, pinned: object
) -> None:
    client = make_app(**PUBLIC).test_client()
    page = client.get("/look", base_url=SITE).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    answer = client.post(
        "/look",
        data={"csrf_token": found[1], "size": "24"},
        base_url=SITE,
        headers={"Referer": SITE},
    )
    kept = [one for one in answer.headers.getlist("Set-Cookie") if "look=" in one]
    assert len(kept) == 1
    assert kept[0].startswith("__Host-look=24.system;")
    parts = set(kept[0].split("; "))
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts


def test_a_cookie_stolen_before_sign_out_is_dead_after_it(
    app: Flask, ann: FlaskClient
) -> None:
    sign_in(ann)
    thief = holding(app, cookie_of(ann))
    assert is_in(thief)
    ann.post("/sign-out", data={"csrf_token": csrf_of(ann)})
    assert not is_in(ann)
    assert not is_in(thief)


def test_a_new_password_ends_every_other_session(app: Flask, cast: Cast) -> None:
    rosa = cast.browser(app, "rosa")
    assert is_in(rosa)
    data = {"password": "another good horse 9"}
    answer = cast.open(app, "nobody", "POST", f"/a/{cast.tokens['a']}", data)
    assert answer.status_code == 303
    assert not is_in(rosa)


def test_signing_in_gives_a_new_session_and_forgets_the_old_token(
    ann: FlaskClient,
) -> None:
    before = csrf_of(ann)
    sign_in(ann)
    with ann.session_transaction() as kept:
        first = kept["_user_id"]
    assert ann.post("/sign-out", data={"csrf_token": before}).status_code == 400
    sign_in(ann)
    with ann.session_transaction() as kept:
        assert kept["_user_id"] != first


def test_a_session_somebody_else_prepared_is_not_taken_over(
    app: Flask, ann: FlaskClient
) -> None:
    with ann.session_transaction() as kept:
        kept["_user_id"] = "chosen by somebody else"
    sign_in(ann)
    planted = app.test_client()
    with planted.session_transaction() as kept:
        kept["_user_id"] = "chosen by somebody else"
    assert not is_in(planted)


def test_signing_in_anew_ends_the_session_before(app: Flask, ann: FlaskClient) -> None:
    sign_in(ann)
    earlier = holding(app, cookie_of(ann))
    sign_in(ann)
    assert is_in(ann)
    assert not is_in(earlier)


def test_a_changed_cookie_is_nobody_s(app: Flask, ann: FlaskClient) -> None:
    sign_in(ann)
    good = cookie_of(ann)
    head, rest = good.split(".", 1)
    for bad in (f"{head[:-2]}AA.{rest}", good[:-3], "", "garbage", head):
        assert not is_in(holding(app, bad))


def test_the_cookie_s_secret_is_kept_as_a_hash(ann: FlaskClient, db: Database) -> None:
    sign_in(ann)
    with ann.session_transaction() as kept:
        secret = kept["_user_id"]
    assert secret not in str(all_rows(db))


HOSTILE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "//localhost@evil.example",
    "//evil.example/%2f..",
    "",
]
ENCODED = [
    "/%2f/evil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/日本",
    "/\x00",
]


def sent_to(client: FlaskClient, path: str, *, htmx: bool) -> str:
    """Sign in with this `next`, and say where the browser is sent."""
    limiter.reset()
    data = {"csrf_token": csrf_of(client), "email": EMAIL, "password": PASSWORD}
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.post(
        "/sign-in/password",
        data=data,
        query_string={"next": path},
        headers=headers,
    )
    assert answer.status_code < 400, path
    return answer.headers["HX-Redirect" if htmx else "Location"]


@pytest.mark.parametrize("htmx", [False, True])
def test_after_signing_in_nobody_is_sent_to_another_site(
    ann: FlaskClient, *, htmx: bool
) -> None:
    for path in HOSTILE:
        assert sent_to(ann, path, htmx=htmx) == "/", path


@pytest.mark.parametrize("htmx", [False, True])
def test_an_odd_path_of_ours_stays_one_of_ours(ann: FlaskClient, *, htmx: bool) -> None:
    for path in ENCODED:
        to = sent_to(ann, path, htmx=htmx)
        assert to.startswith("/")
        assert to.isascii()
        assert not to.startswith(("//", "/\\"))


def test_the_way_back_after_signing_in_is_kept_whole(ann: FlaskClient) -> None:
    wanted = "/patients/1/calendar?month=2026-11&more=a%26b"
    asked = ann.get(wanted)
    assert asked.location.startswith("/sign-in?next=/patients/1/calendar")
    data = {"csrf_token": csrf_of(ann), "email": EMAIL, "password": PASSWORD}
    there = asked.location.replace("/sign-in", "/sign-in/password")
    assert ann.post(there, data=data).location == wanted
