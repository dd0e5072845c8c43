"""Nobody learns from an answer whether somebody has an account."""

import re
from datetime import datetime
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from pillweb.accounts.actions.joining import make_account
from pillweb.base import passwords
from pillweb.base.db import Database
from pillweb.base.web_db import web_database
from pillweb.web.security import limiter
from tests.world import PASSWORD, csrf_of

# As long as each other, for the page repeats what was typed.
KNOWN, UNKNOWN, UNCONFIRMED = (
    f"{name}@family.example" for name in ("ann", "eva", "ida")
)
FORMS = {
    "/sign-up": {"name": "Ann"},
    "/forgotten": {},
    "/sign-in": {},
    "/sign-in/password": {"password": "a wrong horse battery 7"},
    "/sign-in/printed-code": {"code": "3 0000 0000 0000 0000"},
    "/sign-in/helped": {"code": "0000 0000"},
}
CHANGING = {"Set-Cookie", "X-RateLimit-Reset", "Date"}


@pytest.fixture
def accounts(app: Flask, db: Database, now: datetime, pinned: object) -> None:
    with db.transaction() as session:
        make_account(session, name="Ann", email=KNOWN, password=PASSWORD, now=now)
        make_account(session, name="Ida", email=UNCONFIRMED, now=now)


def asked(app: Flask, path: str, email: str) -> TestResponse:
    limiter.reset()
    client = app.test_client()
    data = {"csrf_token": csrf_of(client), "email": email, **FORMS[path]}
    return client.post(path, data=data)


def said(answer: TestResponse, email: str) -> tuple[object, ...]:
    """Return all of an answer but the address and what is new every time."""
    text = answer.text.replace(email, "(address)")
    text = re.sub(r'(csrf_token" value="|X-CSRFToken": ")[^"]+', r"\1", text)
    headers = sorted(pair for pair in answer.headers if pair[0] not in CHANGING)
    cookies = [len(one) for one in answer.headers.getlist("Set-Cookie")]
    return answer.status_code, answer.location, text, headers, len(cookies)


@pytest.mark.parametrize("path", FORMS)
def test_every_address_gets_the_same_answer(
    path: str, app: Flask, accounts: None
) -> None:
    answers = [
        said(asked(app, path, email), email) for email in (KNOWN, UNKNOWN, UNCONFIRMED)
    ]
    assert answers[0][0] in {200, 422}
    assert answers[0] == answers[1] == answers[2]


def statements(app: Flask, path: str, email: str) -> list[str]:
    """Return what a page asks of the database, in this order."""
    heard: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        heard.append(statement)

    engine = web_database().engine
    sa.event.listen(engine, "before_cursor_execute", note)
    asked(app, path, email)
    sa.event.remove(engine, "before_cursor_execute", note)
    return heard


@pytest.mark.parametrize("path", ["/sign-up", "/forgotten", "/sign-in"])
def test_every_address_costs_the_same_statements(
    path: str, app: Flask, accounts: None
) -> None:
    """What is asked once in a process is asked of the first."""
    statements(app, path, "max@family.example")
    each = [statements(app, path, email) for email in (KNOWN, UNKNOWN, UNCONFIRMED)]
    assert any(one.startswith(("insert", "INSERT")) for one in each[0])
    assert each[0] == each[1] == each[2]


@pytest.mark.parametrize("email", [KNOWN, UNKNOWN, UNCONFIRMED])
def test_every_address_costs_one_hash(email: str, app: Flask, accounts: None) -> None:
    passwords.password_fits("x", None)
    verify = passwords._hasher.verify  # noqa: SLF001
    with patch.object(passwords, "_hasher", wraps=passwords._hasher) as hasher:  # noqa: SLF001
        hasher.verify.side_effect = verify
        asked(app, "/sign-in/password", email)
    assert hasher.verify.call_count == 1
    assert hasher.hash.call_count == 0


def test_a_right_password_is_the_only_way_in(app: Flask, accounts: None) -> None:
    client = app.test_client()
    data = {"csrf_token": csrf_of(client), "email": KNOWN, "password": PASSWORD}
    assert client.post("/sign-in/password", data=data).status_code == 303
