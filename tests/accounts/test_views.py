"""Signing up, in and out, in a browser."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs import account_requests, deliver
from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.models import Account
from pillweb.base.config import settings
from pillweb.base.db import Database
from pillweb.channels.mailbox import kept_mails
from pillweb.web.security import limiter
from tests.jobs.conftest import Moment, moment
from tests.tokens import newest_token
from tests.world import World, csrf_of, signed_in

__all__ = ["moment"]

PASSWORD = "three unrelated words"
WRONG = "The e-mail address or the password is not right."
EMAIL = "Rosalind@Family.example"
LINK_GONE = "This link does not work"


@pytest.fixture
def rosa(db: Database, now: datetime, pinned: object) -> int:
    """Rosa's account, with a password."""
    with db.transaction() as session:
        made = make_account(
            session, name="Rosa", email=EMAIL, password=PASSWORD, now=now
        )
        return made.id


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    token = csrf_of(client, "/forgotten")
    return client.post(path, data={"csrf_token": token, **typed})


def enter(
    client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, where: str = ""
) -> TestResponse:
    return send(client, f"/sign-in/password{where}", email=email, password=password)


def is_in(client: FlaskClient) -> bool:
    return client.get("/people").status_code == 200


def steady(page: str) -> str:
    """Return a page without what differs from request to request."""
    return re.sub(r"[\w.-]{60,}", "", page)


@pytest.mark.parametrize("typed", [EMAIL, EMAIL.lower(), EMAIL.upper(), f" {EMAIL} "])
def test_signing_in_opens_home_whatever_the_case(
    app: Flask, rosa: int, typed: str
) -> None:
    client = app.test_client()
    answer = enter(client, email=typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert is_in(client)


def test_a_wrong_password_and_an_unknown_address_answer_the_same(
    app: Flask, rosa: int
) -> None:
    client = app.test_client()
    wrong = enter(client, password="not this one")
    unknown = enter(client, email="Nobody@Family.example", password="not this one")
    assert wrong.status_code == unknown.status_code == 422
    assert WRONG in unescape(wrong.text)
    same = steady(unknown.text).replace("Nobody@Family.example", EMAIL)
    assert steady(wrong.text) == same
    assert "not this one" not in wrong.text
    assert f'value="{EMAIL}"' in wrong.text
    assert not is_in(client)


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("", PASSWORD, "Write your e-mail address."),
        (" ", PASSWORD, "Write your e-mail address."),
        (EMAIL, "", "Write your password."),
        (EMAIL, PASSWORD.upper(), WRONG),
        (EMAIL, f" {PASSWORD}", WRONG),
        (EMAIL, "x" * 100_000, WRONG),
        ("a\x00@b.example", "\x00", WRONG),
    ],
)
def test_a_failed_sign_in_is_told_in_plain_words(
    app: Flask, rosa: int, email: str, password: str, sentence: str
) -> None:
    client = app.test_client()
    answer = enter(client, email=email, password=password)
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert not is_in(client)


def test_a_page_that_was_asked_for_opens_after_a_failed_and_a_right_try(
    app: Flask, world: World, rosa: int
) -> None:
    client = app.test_client()
    path = f"/patients/{world.patient}/calendar?month=2026-10"
    asked = client.get(path)
    where = asked.headers["Location"].removeprefix("/sign-in")
    page = enter(client, password="wrong words here", where=where)
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert action
    again = unescape(action[1]).removeprefix("/sign-in/password")
    assert enter(client, where=again).headers["Location"] == path


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/sign-in"]
)
def test_no_other_site_opens_after_signing_in(
    app: Flask, rosa: int, place: str
) -> None:
    answer = enter(app.test_client(), where=f"?next={place}")
    assert answer.headers["Location"] == "/"


def test_guessing_is_slowed_down(app: Flask, rosa: int) -> None:
    client = app.test_client()
    token = csrf_of(client, "/forgotten")
    typed = {"csrf_token": token, "email": EMAIL, "password": "wrong"}
    codes = [client.post("/sign-in/password", data=typed).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_signing_out_ends_the_cookie_for_good(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    client = signed_in(app, world.rosa, now=now)
    with client.session_transaction() as cookie:
        before = dict(cookie)
    assert send_out(client).headers["Location"] == "/sign-in"
    assert not is_in(client)
    with client.session_transaction() as cookie:
        cookie.update(before)
    assert not is_in(client)


def send_out(client: FlaskClient) -> TestResponse:
    token = csrf_of(client, "/people/new")
    return client.post("/sign-out", data={"csrf_token": token})


def test_signing_up_goes_by_mail_from_wish_to_being_signed_in(
    app: Flask, world: World, own_mailbox: object, pinned: object, moment: Moment
) -> None:
    client = app.test_client()
    answer = send(client, "/sign-up", name="Ida", email="Ida@Family.example")
    assert "Please look at your e-mail" in answer.text
    assert not is_in(client)
    account_requests.run()
    deliver.run()
    _, mail = kept_mails()[0]
    body = mail.get_body(("plain",))
    assert body
    found = re.search(rf"{settings().public_url}(/a/\S+)", body.get_content())
    assert found
    assert "Choose a password" in client.get(found[1]).text
    refused = send(client, found[1], password="password")
    assert refused.status_code == 422
    assert "easy to guess" in refused.text
    opened = send(client, found[1], password=PASSWORD)
    assert opened.headers["Location"] == "/"
    assert is_in(client)
    assert enter(app.test_client(), email="ida@family.example").status_code == 303
    for answer in (client.get(found[1]), send(client, found[1], password=PASSWORD)):
        assert answer.status_code == 404
        assert LINK_GONE in answer.text


@pytest.mark.parametrize("path", ["/sign-up", "/forgotten"])
def test_a_known_and_an_unknown_address_get_the_same_answer(
    app: Flask, rosa: int, path: str
) -> None:
    client = app.test_client()
    known = send(client, path, name="Rosa", email="rosalind@family.example")
    unknown = send(client, path, name="Rosa", email="nobodyxx@family.example")
    assert known.status_code == unknown.status_code == 200
    same = steady(unknown.text).replace("nobodyxx@", "rosalind@")
    assert steady(known.text) == same


@pytest.mark.parametrize("path", ["/sign-up", "/forgotten"])
@pytest.mark.parametrize(
    "typed", ["", "rosa", "a@b@c.example", "x" * 400 + "@a.example"]
)
def test_what_is_no_address_is_refused_and_kept(
    app: Flask, rosa: int, path: str, typed: str
) -> None:
    answer = send(app.test_client(), path, name="Ida", email=typed)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert f'value="{typed}"' in answer.text


def test_sign_up_can_be_closed(
    app: Flask, rosa: int, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    with monkeypatch.context() as patch:
        patch.setenv("SIGN_UP", "false")
        settings.cache_clear()
        codes = [client.get("/sign-up").status_code]
        answer = send(client, "/sign-up", name="Ida", email="ida@family.example")
        codes.append(answer.status_code)
        assert "I have no account yet" not in client.get("/sign-in").text
    settings.cache_clear()
    assert codes == [404, 404]
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 1


def test_a_reset_signs_other_browsers_out_and_this_one_in(
    app: Flask, rosa: int, db: Database, now: datetime, moment: Moment
) -> None:
    other = signed_in(app, rosa, now=now)
    assert is_in(other)
    client = app.test_client()
    send(client, "/forgotten", email=EMAIL)
    account_requests.run()
    with db.reading() as session:
        token = newest_token(session)
    assert (
        send(client, f"/a/{token}", password="kettle violet ocean").status_code == 303
    )
    assert is_in(client)
    assert not is_in(other)
    assert enter(app.test_client()).status_code == 422
    fresh = enter(app.test_client(), password="kettle violet ocean")
    assert fresh.status_code == 303


@pytest.mark.usefixtures("moment")
@pytest.mark.parametrize("how", ["wrong", "expired", "cut"])
def test_a_link_that_does_not_work_says_so_and_nothing_else(
    app: Flask,
    rosa: int,
    db: Database,
    pinned: time_machine.Traveller,
    how: str,
) -> None:
    client = app.test_client()
    send(client, "/forgotten", email=EMAIL)
    account_requests.run()
    with db.reading() as session:
        token = newest_token(session)
    if how == "expired":
        pinned.shift(timedelta(hours=1))
    token = {"wrong": "x" * 43, "cut": token[:-1]}.get(how, token)
    for answer in (
        client.get(f"/a/{token}"),
        send(client, f"/a/{token}", password=PASSWORD),
    ):
        assert answer.status_code == 404
        assert LINK_GONE in answer.text
    assert enter(client).status_code == 303


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("kettle violet ocean " * 6 + "zebra 12", 303),
        ("kettle violet ocean " * 6 + "zebra 123", 422),
        (" p\u00e4ssw\u00f6rter \u00fcberall ", 303),
        (EMAIL, 422),
    ],
)
def test_a_first_password_is_kept_as_it_was_typed(
    app: Flask, db: Database, pinned: object, password: str, code: int
) -> None:
    client = app.test_client()
    token = csrf_of(client, "/welcome")
    typed = {"name": "Rosa", "email": EMAIL, "password": password}
    answer = client.post("/welcome", data={"csrf_token": token, **typed})
    assert answer.status_code == code
    if code == 303:
        assert enter(app.test_client(), password=password).status_code == 303
        other = enter(app.test_client(), password=password.strip() + ".")
        assert other.status_code == 422


def test_passwords_are_counted_in_rows_whatever_is_flushed(
    app: Flask, rosa: int
) -> None:
    answers = []
    for n in range(11):
        limiter.reset()
        answers.append(enter(app.test_client(), password=f"wrong {n}").status_code)
    assert answers == [422] * 10 + [429]


def test_a_stranger_s_wrong_passwords_do_not_shut_out_a_browser_that_was_in(
    app: Flask, rosa: int
) -> None:
    hers = app.test_client()
    for _ in range(11):
        limiter.reset()
        assert enter(hers).status_code == 303
    far = {"REMOTE_ADDR": "203.0.113.9"}
    stranger = app.test_client()
    stranger.environ_base |= far
    answers = []
    for n in range(11):
        limiter.reset()
        answers.append(enter(stranger, password=f"wrong {n}").status_code)
    assert answers == [422] * 10 + [429]
    limiter.reset()
    assert enter(hers).status_code == 303
