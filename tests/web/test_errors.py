"""A page that fails says so in a whole page, and nothing it did is kept."""

from collections.abc import Callable
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask.testing import FlaskClient
from flask_login import LoginManager
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.web.transaction import keep_anyway, session
from tests.world import World, csrf_of, signed_in

Press = Callable[[FlaskClient], TestResponse]


def fail(*_asked: object) -> str:
    """Change something, mean it, and ask the database what it cannot answer."""
    if request.method == "POST":
        keep_anyway()
        session().execute(sa.update(Account).values(look="dark"))
    session().execute(sa.text("select :nothing"), {"nothing": object()})
    return ""


def look(client: FlaskClient) -> TestResponse:
    client.application.view_functions["home.show_help"] = fail
    return client.get("/help")


def press(client: FlaskClient) -> TestResponse:
    sent = {"csrf_token": csrf_of(client, "/help")}
    client.application.view_functions["entering.post_sign_out"] = fail
    return client.post("/sign-out", data=sent)


def be_known(client: FlaskClient) -> TestResponse:
    login_of(client.application)._user_callback = fail  # noqa: SLF001 - put back below
    return client.get("/help")


def login_of(app: Flask) -> LoginManager:
    manager: LoginManager = vars(app)["login_manager"]
    return manager


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("act", [look, press, be_known])
def test_a_failed_statement_leads_to_the_page_that_says_so(
    app: Flask, db: Database, world: World, now: datetime, act: Press
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "view_functions", dict(app.view_functions))
        login = login_of(app)
        patch.setattr(login, "_user_callback", login._user_callback)  # noqa: SLF001 - as it was
        answer = act(rosa)
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    with db.reading() as reading:
        assert reading.get_one(Account, world.rosa).look is None
