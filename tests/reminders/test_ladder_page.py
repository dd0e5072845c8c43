"""The page on which a ladder is read, changed and put back."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from tests.world import World, csrf_of, signed_in


@pytest.fixture
def page(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def here(world: World) -> str:
    return f"/patients/{world.patient}/medicines/{world.medication}/ladder"


def kept(db: Database, world: World) -> object:
    with db.reading() as session:
        return session.get_one(Medication, world.medication).ladder


def save(page: FlaskClient, world: World, **picked: str) -> TestResponse:
    data = {"csrf_token": csrf_of(page, "/people/new"), **picked}
    return page.post(here(world), data=data)


def test_the_usual_ladder_is_told_in_sentences(page: FlaskClient, world: World) -> None:
    text = page.get(here(world)).text
    assert "When it is due, we send a quiet message." in text
    assert "If there is no record after 15 minutes, we remind again." in text
    assert "After 45 minutes we use every way there is, also the phone." in text
    assert "We tell the first helper when two in a row, or a day, have no rec" in text
    assert "Back to the usual" not in text
    medicine = page.get(here(world).removesuffix("/ladder")).text
    assert f'href="{here(world)}"' in medicine


def test_what_is_chosen_is_kept_told_and_taken_back(
    page: FlaskClient, world: World, db: Database
) -> None:
    assert save(page, world, again="10", last="0", helpers="60").status_code == 303
    assert kept(db, world) == [
        {"after": 0, "to": "patient", "loudest": 0},
        {"after": 10, "to": "patient", "loudest": 2},
        {"after": 60, "to": "helper1", "loudest": 1},
        {"after": 90, "to": "helper2", "loudest": 2},
    ]
    text = page.get(here(world)).text
    assert "After 60 minutes without a record we tell the first helper." in text
    assert "we tell the second helper" in text
    data = {"csrf_token": csrf_of(page, "/people/new")}
    assert page.post(f"{here(world)}/usual", data=data).status_code == 303
    assert kept(db, world) is None


@pytest.mark.parametrize(
    ("picked", "said"),
    [
        ({"again": "30", "last": "20", "helpers": "0"}, "than for the reminder before"),
        ({"again": "30", "last": "45", "helpers": "30"}, "than for the last reminder"),
        ({"again": "7", "last": "45", "helpers": "0"}, "Not a valid choice"),
        ({"again": "x", "last": "y", "helpers": "z"}, "Not a valid choice"),
        ({}, "Please look at"),
    ],
)
def test_what_does_not_climb_is_asked_again(
    page: FlaskClient,
    world: World,
    db: Database,
    picked: dict[str, str],
    said: str,
) -> None:
    answer = save(page, world, **picked)
    assert answer.status_code == 422
    assert said in answer.text
    assert kept(db, world) is None
