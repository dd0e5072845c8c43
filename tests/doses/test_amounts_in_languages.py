"""An amount is the same in every language: shown, sent back and kept."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.base.i18n import LANGUAGES, Speech, speaking
from pillweb.doses.forms import plain_amount
from pillweb.doses.models import Dose, Intake
from pillweb.schedules.forms.reading import read_amount
from tests.world import World, csrf_of, signed_in

ALL = [*LANGUAGES, "ar..arab"]
AMOUNTS = ["0.5", "2.5", "0.125", "1", "1000", "1500.25", "9999"]


@pytest.fixture(params=ALL)
def rosa(
    request: pytest.FixtureRequest,
    app: Flask,
    world: World,
    now: datetime,
    pinned: object,
) -> FlaskClient:
    client = signed_in(app, world.rosa, now=now)
    client.set_cookie("look", f"20.system.{request.param}")
    return client


def send(client: FlaskClient, path: str, **data: str) -> str:
    token = csrf_of(client, "/people/new")
    answer = client.post(path, data={"csrf_token": token, **data})
    assert answer.status_code in {200, 303}, answer.text
    return answer.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("amount", AMOUNTS)
def test_what_a_field_suggests_is_read_as_the_same_amount(
    language: str, amount: str
) -> None:
    with speaking(Speech(language)):
        assert read_amount(plain_amount(Decimal(amount))) == Decimal(amount)


def test_one_more_half_is_a_half(
    rosa: FlaskClient, db: Database, world: World, pinned: time_machine.Traveller
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Dose).values(amount=Decimal("0.5"), dose_text=None))
    path = f"/patients/{world.patient}/doses/1"
    send(rosa, f"{path}/take")
    pinned.shift(timedelta(minutes=6))
    send(rosa, f"{path}/again", key="k")
    with db.reading() as session:
        assert session.scalars(sa.select(Intake.amount)).one() == Decimal("0.5")


@pytest.mark.parametrize("much", ["1000", "2.5"])
def test_more_than_the_plan_is_kept_as_it_was_typed(
    rosa: FlaskClient, db: Database, world: World, much: str
) -> None:
    path = f"/patients/{world.patient}/doses/1/amount"
    asked = send(rosa, path, amount=much)
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked))
    send(rosa, path, amount=kept["amount"], was_asked=kept["was_asked"])
    with db.reading() as session:
        assert session.get_one(Dose, 1).taken_amount == Decimal(much)
