"""Guessing is slow, for whoever guesses, and whatever else is broken."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.accounts.actions.joining import make_account
from pillweb.base.db import Database
from tests.house.cast import Cast
from tests.house.conftest import MakeApp
from tests.house.rows import all_rows
from tests.services import Valkey
from tests.world import PASSWORD, csrf_of

EMAIL = "ann@family.example"
# The one address, as the form reads it.
SPELLINGS = [
    EMAIL,
    "ANN@family.example",
    " ann@family.example ",
    "ann@FAMILY.Example",
    "a\x01nn@family.example",
    "ann\x00@family.example",
    "ann@family.example\r\n",
]


@pytest.fixture
def ann(db: Database, now: datetime, pinned: object) -> None:
    """Somebody who has a password."""
    with db.transaction() as session:
        make_account(session, name="Ann", email=EMAIL, password=PASSWORD, now=now)


def guesses(
    client: FlaskClient,
    *,
    emails: list[str],
    times: int,
    ip: str = "",
    path: str = "/sign-in/password",
    headers: dict[str, str] | None = None,
) -> list[int]:
    """Return the answers to so many wrong passwords; `ip` may hold {} for a number."""
    token = csrf_of(client, "/sign-up")
    return [
        client.post(
            path,
            data={"csrf_token": token, "email": emails[n % len(emails)], "password": n},
            environ_base={"REMOTE_ADDR": ip.format(n) or "127.0.0.1"},
            headers=headers,
        ).status_code
        for n in range(times)
    ]


def test_an_address_is_guessed_five_times_in_15_minutes_from_anywhere(
    app: Flask, ann: None
) -> None:
    found = guesses(app.test_client(), emails=[EMAIL], times=7, ip="10.0.0.{}")
    assert found == [422] * 5 + [429] * 2


def test_an_address_is_guessed_ten_times_an_hour(
    app: Flask, ann: None, pinned: time_machine.Traveller
) -> None:
    found = []
    for _quarter in range(4):
        found += guesses(app.test_client(), emails=[EMAIL], times=5, ip="10.0.1.{}")
        pinned.shift(timedelta(minutes=14, seconds=50))
    assert found.count(422) <= 12


@pytest.mark.parametrize("path", ["/sign-in/password", "/forgotten"])
def test_another_spelling_is_not_another_address(
    path: str, app: Flask, ann: None
) -> None:
    found = guesses(
        app.test_client(), emails=SPELLINGS, times=14, ip="10.0.0.{}", path=path
    )
    assert found[10:] == [429] * 4


def test_one_visitor_guesses_twenty_times_an_hour(app: Flask, ann: None) -> None:
    emails = [f"{n}@family.example" for n in range(22)]
    found = guesses(app.test_client(), emails=emails, times=22)
    assert found == [422] * 20 + [429] * 2


def test_a_network_of_ipv6_addresses_is_one_visitor(app: Flask, ann: None) -> None:
    emails = [f"{n}@family.example" for n in range(22)]
    found = guesses(app.test_client(), emails=emails, times=22, ip="2001:db8::{}")
    assert found[20:] == [429] * 2


def test_a_forged_forwarding_header_makes_no_other_visitor(
    app: Flask, ann: None
) -> None:
    client = app.test_client()
    emails = [f"{n}@family.example" for n in range(24)]
    found = []
    for n, email in enumerate(emails):
        forged = {
            "X-Forwarded-For": f"10.1.0.{n}",
            "X-Real-IP": f"10.1.0.{n}",
            "Forwarded": f"for=10.1.0.{n}",
        }
        found += guesses(client, emails=[email], times=1, headers=forged)
    assert found == [422] * 20 + [429] * 4


def test_a_forged_header_tells_nothing_about_the_inside(app: Flask, cast: Cast) -> None:
    inside = {"REMOTE_ADDR": "10.0.0.9"}
    forged = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    answer = app.test_client().get("/readyz", environ_base=inside, headers=forged)
    assert set(answer.json or {}) == {"status"}


def test_behind_one_proxy_its_last_word_counts(make_app: MakeApp, ann: None) -> None:
    client = make_app(PROXY_HOPS="1").test_client()
    emails = [f"{n}@family.example" for n in range(22)]
    found = []
    for n, email in enumerate(emails):
        said = {"X-Forwarded-For": f"10.1.0.{n}, 198.51.100.7"}
        found += guesses(client, emails=[email], times=1, headers=said)
    assert found[20:] == [429] * 2


def test_too_many_tries_are_told_kindly_and_when_to_come_back(
    app: Flask, ann: None
) -> None:
    client = app.test_client()
    guesses(client, emails=[EMAIL], times=10)
    data = {"csrf_token": csrf_of(client), "email": EMAIL, "password": PASSWORD}
    answer = client.post("/sign-in/password", data=data)
    assert answer.status_code == 429
    assert "minutes, then press again. Nothing is lost." in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_guessed_links_are_few(app: Flask, cast: Cast) -> None:
    for kind in ("t", "s", "a", "e"):
        client = app.test_client()
        found = [client.get(f"/{kind}/guess-{n}").status_code for n in range(31)]
        assert found[0] == 404
        assert found[-1] == 429, kind


def test_limits_hold_when_redis_dies(
    make_app: MakeApp, ann: None, valkey: Valkey
) -> None:
    client = make_app(REDIS_URL=valkey.url).test_client()
    assert guesses(client, emails=[EMAIL], times=4) == [422] * 4
    valkey.kill()
    found = guesses(client, emails=[EMAIL], times=12)
    assert set(found) <= {422, 429}
    assert found[-1] == 429


def test_a_dead_redis_stops_nobody(
    make_app: MakeApp, ann: None, valkey: Valkey
) -> None:
    client = make_app(REDIS_URL=valkey.url).test_client()
    valkey.kill()
    data = {"csrf_token": csrf_of(client), "email": EMAIL, "password": PASSWORD}
    assert client.post("/sign-in/password", data=data).status_code == 303
    assert client.get("/people").status_code == 200


def test_asking_for_mails_again_and_again_posts_few(
    app: Flask, db: Database, ann: None
) -> None:
    client = app.test_client()
    token = csrf_of(client, "/sign-up")
    for n in range(12):
        client.post(
            "/sign-up",
            data={"csrf_token": token, "name": "Bo", "email": "bo@family.example"},
            environ_base={"REMOTE_ADDR": f"10.0.0.{n}"},
        )
    assert len(all_rows(db)["account_request"]) == 5
