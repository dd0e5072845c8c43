"""Limits hold at the views that name them."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask

from pillweb.web.security import limiter
from tests.world import csrf_of, signed_in


@pytest.fixture(autouse=True)
def nothing_counted(app: Flask) -> Iterator[None]:
    with app.app_context():
        limiter.reset()
        yield
        limiter.reset()


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
    answers = [client.get("/help") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[-1].headers
