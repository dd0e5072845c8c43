"""Limits hold by class of what is asked for, and say how long to wait."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from flask_limiter.util import get_qualified_name

from pillweb.web import limits
from pillweb.web.limits import READ, SECRET, WRITE, class_of
from pillweb.web.security import limiter
from tests.house.conftest import MakeApp, make_app  # noqa: F401 - a fixture
from tests.services import Valkey
from tests.world import World, csrf_of, signed_in

# As people have it; the other tests press faster.
RATES = {
    "read": "100 per minute",
    "write": "30 per minute",
    "export": "30 per 10 minutes",
    "upload": "60 per hour",
}


@pytest.fixture(autouse=True)
def real_rates(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, rate in RATES.items():
        monkeypatch.setitem(limits.RATES, kind, rate)


@pytest.fixture
def marta(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.marta, now=now)


def posted(client: FlaskClient, path: str, times: int, **typed: str) -> list[int]:
    form = {"csrf_token": csrf_of(client, "/look"), **typed}
    return [client.post(path, data=form).status_code for _ in range(times)]


def test_asking_for_mail_too_often_is_refused(app: Flask, now: datetime) -> None:
    client = signed_in(app, None, now=now)
    sent = {
        "email": "nobody@family.example",
        "csrf_token": csrf_of(client, "/forgotten"),
    }
    codes = [client.post("/forgotten", data=sent).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_a_page_without_a_limit_counts_nothing(app: Flask, now: datetime) -> None:
    client = signed_in(app, None, now=now)
    answers = [client.get("/help") for _ in range(140)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[-1].headers


def test_an_account_looks_at_a_hundred_pages_a_minute(
    app: Flask,
    world: World,
    marta: FlaskClient,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    """(13)"""
    # All pages and all browsers of one account count together, and nobody else's.
    other, eve = (signed_in(app, who, now=now) for who in (world.marta, world.eve))
    paths = ["/people", f"/patients/{world.patient}/medicines"]
    codes = [marta.get(paths[n % 2]).status_code for n in range(101)]
    assert codes == [200] * 100 + [429]
    assert other.get("/people").status_code == 429
    assert eve.get("/people").status_code == 200
    pinned.shift(timedelta(minutes=2))
    assert marta.get("/people").status_code == 200


def test_an_account_changes_thirty_things_a_minute(marta: FlaskClient) -> None:
    """(13)"""
    assert posted(marta, "/look", 32, size="24") == [303] * 30 + [429] * 2


def test_that_a_dose_was_taken_is_never_refused(
    world: World, marta: FlaskClient
) -> None:
    """(13)"""
    assert posted(marta, "/look", 31, size="24")[-1] == 429
    today = f"/patients/{world.patient}/today"
    assert set(posted(marta, today, 120)) <= {200, 303, 422}


def test_who_must_wait_is_told_how_long_and_loses_nothing(marta: FlaskClient) -> None:
    """(13)"""
    posted(marta, "/look", 30, size="24")
    form = {"csrf_token": csrf_of(marta, "/help?look"), "size": '20"><b>'}
    whole = marta.post("/look", data=form)
    assert whole.status_code == 429
    assert 0 < int(whole.headers["Retry-After"]) <= 120
    assert re.search(
        r"Please wait (one minute|2 minutes), then press again", whole.text
    )
    assert 'name="size" value="20&#34;&gt;&lt;b&gt;"' in whole.text
    part = marta.post("/look", data=form, headers={"HX-Request": "true"})
    assert part.status_code == 429
    assert "<html" not in part.text
    assert "Please wait" in part.text


def test_a_secret_is_not_written_into_the_page_that_says_wait(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    client = signed_in(app, None, now=now)
    form = {"csrf_token": csrf_of(client), "email": "a@b.example", "password": "s3cr"}
    answers = [client.post("/sign-in/password", data=form) for _ in range(8)]
    assert answers[-1].status_code == 429
    assert "s3cr" not in answers[-1].text


def test_limits_of_classes_hold_when_redis_dies(
    make_app: MakeApp,  # noqa: F811 - the fixture
    world: World,
    now: datetime,
    pinned: object,
    valkey: Valkey,
) -> None:
    """(66)"""
    client = signed_in(make_app(REDIS_URL=valkey.url), world.marta, now=now)
    assert posted(client, "/look", 10, size="24") == [303] * 10
    valkey.kill()
    found = posted(client, "/look", 40, size="24")
    assert set(found) == {303, 429}
    assert found[-1] == 429


def test_every_endpoint_has_a_class_and_its_limit(app: Flask) -> None:
    """(13)"""
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    listed = limits.EXPORTS | limits.UPLOADS | limits.SIGN_INS | limits.NEVER
    assert listed <= known
    named = limiter.limit_manager._decorated_limits  # noqa: SLF001 - no other way
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        kind, name = class_of(rule), get_qualified_name(view)
        if kind in limits.RATES:
            assert getattr(view, "limited_as", "") == kind, rule
        elif kind != limits.FREE:
            assert named.get(name), f"{rule} has no limit at its view"
        if kind == SECRET:
            assert any(one.deduct_when for one in named[name]), rule


def test_nothing_that_records_a_dose_is_of_a_limited_class(app: Flask) -> None:
    """(13)"""
    recording = ("/doses/", "/intake", "/today", "/undo", "/later")
    for rule in app.url_map.iter_rules():
        is_post = "POST" in (rule.methods or set())
        is_about_a_dose = any(word in rule.rule for word in recording)
        is_about_a_dose &= not rule.rule.startswith("/account/")
        if is_post and is_about_a_dose and "token" not in rule.arguments:
            assert class_of(rule) == limits.FREE, rule


def test_the_rates_are_those_that_were_promised() -> None:
    """(13)"""
    assert RATES[READ].startswith("100 ")
    assert RATES[WRITE].startswith("30 ")
