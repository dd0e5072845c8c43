"""The pages of what was taken beside the plan: asked first, always kept, told."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.medications.models import Medication
from pillweb.watch.queries import delays
from tests.doses.intake_pages import intakes, rows, send, today
from tests.world import World, csrf_of, signed_in

HTMX = {"HX-Request": "true"}


def test_what_is_taken_as_needed_stands_on_today_every_day(
    rosa: FlaskClient, world: World, paracetamol: int
) -> None:
    page = today(rosa, world)
    assert "Paracetamol" in page
    assert "You can take it now." in page
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    path = f"/patients/{world.patient}/medicines/{paracetamol}/intake"
    for _ in range(5):
        assert send(rosa, path, key=key[1]).status_code == 303
    page = today(rosa, world)
    assert "Last taken 8.05am." in page
    assert "You can take it again from 12.05pm." in page
    assert page.count("Taken at 8.05am") == 1


def test_who_may_only_look_sees_it_without_a_button(
    app: Flask, world: World, now: datetime, paracetamol: int, pinned: object
) -> None:
    page = today(signed_in(app, world.nora, now=now), world)
    assert "You can take it now." in page
    assert "I took it now" not in page


def test_a_link_without_names_shows_nothing_of_it(
    app: Flask, db: Database, world: World, paracetamol: int, pinned: object
) -> None:
    with db.transaction() as session:
        session.execute(sa.text("update share_link set show_names = false"))
    client = app.test_client()
    send_to = f"/s/{world.link_token}"
    client.post(send_to, data={"csrf_token": csrf_of(client)})
    page = client.get(f"/shared/{world.link}/today").text
    assert "Medicine" in page
    assert "Paracetamol" not in page


@pytest.mark.parametrize(
    ("words", "shown"),
    [("1 tablet of Coumadin", False), ("apply Coumadin", False), ("40 mg", True)],
)
def test_a_link_without_names_shows_no_words_that_could_name_it(
    app: Flask, db: Database, world: World, pinned: object, words: str, *, shown: bool
) -> None:
    with db.transaction() as session:
        session.execute(sa.text("update share_link set show_names = false"))
        session.execute(sa.update(Dose).values(dose_text=words))
    client = app.test_client()
    client.post(f"/s/{world.link_token}", data={"csrf_token": csrf_of(client)})
    page = client.get(f"/shared/{world.link}/today").text
    assert "Coumadin" not in page
    assert ("40 mg" in page) == shown


def test_too_soon_is_asked_before_it_is_saved_and_then_kept(
    rosa: FlaskClient, db: Database, world: World, paracetamol: int
) -> None:
    path = f"/patients/{world.patient}/medicines/{paracetamol}/intake"
    send(rosa, path, key="one")
    asked = send(rosa, path, key="two")
    assert asked.status_code == 200
    assert "You already recorded this at 8.05am. Do not take it again" in asked.text
    assert len(intakes(db)) == 1
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    fields.pop("csrf_token")
    kept = send(rosa, path, why="It hurt", **fields)
    assert kept.location.endswith(f"/medicines/{paracetamol}/too-much")
    assert [(row.was_asked, row.why) for row in intakes(db)] == [
        (False, None),
        (True, "It hurt"),
    ]
    page = rosa.get(kept.location).text
    assert "Call 999" in page
    assert "Call 111" in page
    assert "Get medical help now" not in page


def test_earlier_today_and_another_amount(
    rosa: FlaskClient, db: Database, world: World, paracetamol: int
) -> None:
    path = f"/patients/{world.patient}/medicines/{paracetamol}/intake"
    assert "How many tablets" in rosa.get(path).text
    ended = send(rosa, path, key="a", when="today", at="6.30am", amount="1")
    assert ended.status_code == 303
    ended = send(rosa, path, key="b", when="yesterday", at="9pm", amount="½")
    assert ended.status_code == 303
    assert [(row.taken_at.hour, row.amount, row.dose_text) for row in intakes(db)] == [
        (6, Decimal(1), "1 tablets"),
        (21, Decimal("0.5"), "0.5 tablets"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"when": "today", "at": "11pm"}, "This time is still to come."),
        ({"when": "today", "at": "tea"}, "Write a time such as"),
        ({"when": "today"}, "Write a time such as"),
        ({"amount": "some"}, "Write a number"),
        ({"when": "never"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said(
    rosa: FlaskClient,
    world: World,
    paracetamol: int,
    data: dict[str, Any],
    words: str,
) -> None:
    path = f"/patients/{world.patient}/medicines/{paracetamol}/intake"
    answer = send(rosa, path, key="a", **data)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Last taken" not in today(rosa, world)


def test_an_old_page_within_minutes_says_who_recorded_it(
    app: Flask,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    path = f"/patients/{world.patient}/doses/1/take"
    rosa = signed_in(app, world.rosa, now=now)
    send(signed_in(app, world.marta, now=now), path)
    pinned.move_to(now + timedelta(minutes=2))
    again = send(rosa, path)
    words = "Already recorded at 8.05am by Marta."
    assert words in rosa.get(again.location.partition("#")[0]).text
    assert words in send(rosa, path, headers=HTMX).text
    assert len(rows(db, DoseEvent)) == 1


def test_one_more_stands_on_today_and_the_day_with_undo(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    base = f"/patients/{world.patient}"
    send(rosa, f"{base}/doses/1/take")
    send(rosa, f"{base}/doses/1/again", key="a")
    assert "One more taken at 8.05am" in today(rosa, world)
    day = rosa.get(f"{base}/days/2026-11-20").text
    assert "One more taken at 8.05am" in day
    back = send(rosa, f"{base}/intakes/1/undo", day="2026-11-20")
    assert back.location.endswith("/days/2026-11-20")
    assert "One more taken" not in today(rosa, world)
    (row,) = intakes(db)
    assert row.undone_by_id == world.rosa


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        ("0.5", ("part", "Part taken at 8.05am")),
        ("1", ("taken", "Taken at 8.05am")),
    ],
)
def test_a_different_amount_leaves_the_plan_alone(
    rosa: FlaskClient, db: Database, world: World, amount: str, outcome: tuple[str, str]
) -> None:
    state, words = outcome
    path = f"/patients/{world.patient}/doses/1/amount"
    assert "I took a different amount" in today(rosa, world)
    assert "The plan says" in rosa.get(path).text
    assert send(rosa, path, amount="").status_code == 422
    assert send(rosa, path, amount=amount).status_code == 303
    with db.reading() as session:
        dose = session.get_one(Dose, 1)
        assert (dose.state, dose.taken_amount) == (state, Decimal(amount))
        assert dose.amount == Decimal(1)
    assert words in today(rosa, world)


def test_more_than_the_plan_is_asked_and_then_kept(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    path = f"/patients/{world.patient}/doses/1/amount"
    asked = send(rosa, path, amount="2")
    assert "Do not take more." in asked.text
    assert rows(db, DoseEvent) == []
    kept = send(rosa, path, amount="2", was_asked="y", why="I mixed them up")
    assert kept.location.endswith("/too-much")
    with db.reading() as session:
        assert session.get_one(Dose, 1).taken_amount == Decimal(2)
        assert session.get_one(DoseEvent, 1).note == "I mixed them up"


@pytest.mark.parametrize(
    ("planned", "words"),
    [("40 mg", "I took 45 mg"), ("1 tablet", "I took 45 tablets")],
)
def test_what_is_confirmed_is_in_the_unit_of_the_plan(
    rosa: FlaskClient, db: Database, world: World, planned: str, words: str
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Dose).values(dose_text=planned))
    asked = send(rosa, f"/patients/{world.patient}/doses/1/amount", amount="45")
    assert f">{words}</button>" in asked.text


def test_a_dose_without_a_record_leads_to_what_may_be_said(
    rosa: FlaskClient,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    path = f"/patients/{world.patient}/doses/1/missed"
    assert path not in today(rosa, world)
    pinned.move_to(now + timedelta(hours=2))
    page = today(rosa, world)
    assert path in page
    page = rosa.get(path).text
    assert "You have no record for your 8am <bdi>Amlodipine</bdi>." in page
    assert "Take it as soon as you remember." in page
    assert "you missed" not in page.casefold()
    pinned.move_to(now + timedelta(hours=13))
    assert "leave out the missed one" in rosa.get(path).text
    assert "Take it as soon as" not in rosa.get(path).text
    with db.transaction() as session:
        session.get_one(Medication, world.medication).missed_text = "Skip it."
    page = rosa.get(path).text
    assert "Skip it." in page
    assert "Check the leaflet or ask your pharmacist." in page


def test_what_is_taken_as_needed_asks_no_question_more(
    rosa: FlaskClient, db: Database, world: World, paracetamol: int
) -> None:
    send(rosa, f"/patients/{world.patient}/medicines/{paracetamol}/intake", key="a")
    # Asked once in 15 s by each process, whatever the page.
    delays.since()
    asked: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    assert "Last taken" in today(rosa, world)
    assert len([one for one in asked if not one.startswith("BEGIN")]) <= 3, asked


def test_a_patch_that_comes_off_is_done_and_not_taken(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Dose).values(action="remove", dose_text="1 patch"))
    page = today(rosa, world)
    assert "remove 1 patch" in page
    assert "I have done it" in page
    send(rosa, f"/patients/{world.patient}/doses/1/take")
    page = today(rosa, world)
    assert "Done at 8.05am" in page
    assert "I took another one" not in page
