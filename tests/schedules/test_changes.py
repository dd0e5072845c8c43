"""A medicine described, stopped, paused, taken again; and its history."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.models import Plan
from pillweb.schedules.rules.line import Pause
from tests.schedules.pages import (
    count,
    doses,
    fields_of,
    follow,
    lines_of,
    medicine_url,
    medicines_url,
    replan,
    send,
    submit,
    take_as,
)
from tests.world import World, daily, signed_in


def test_changing_only_the_name_leaves_the_plan_alone(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    before = count(db, Plan), doses(db, world)
    assert submit(rosa, medicine_url(world), {"name": "Istin"}).status_code == 303
    assert replan(db, now) == 0
    assert (count(db, Plan), doses(db, world)) == before
    assert "Istin" in rosa.get(f"/patients/{world.patient}/today").text


def test_a_refused_name_keeps_what_was_typed_and_changes_nothing(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    typed = {"name": " ", "reason": "heart"}
    answer = submit(rosa, medicine_url(world), typed)
    assert answer.status_code == 422
    shown = fields_of(answer.text, medicine_url(world))
    assert shown["reason"] == ["heart"]
    with db.reading() as session:
        assert session.get_one(Medication, world.medication).name == "Amlodipine"


def test_an_edit_changes_future_doses_and_no_past_one(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    send(rosa, f"/patients/{world.patient}/doses/1/take")
    pinned.move_to(now + timedelta(days=1))
    check = follow(rosa, send(rosa, f"{medicine_url(world)}/change"))
    typed = {"at_0": "09:00", "amount_0": "2", "amount_1": "2"}
    submit(rosa, f"{check}/0/times", typed)
    submit(rosa, check)
    replan(db, now + timedelta(days=1))
    assert doses(db, world)[:5] == [
        ("20 08:00", "taken", "1"),
        ("20 20:00", "open", "1"),
        ("21 08:00", "open", "1"),
        ("21 20:00", "open", "2"),
        ("22 09:00", "open", "2"),
    ]


def test_stopping_is_asked_and_says_who_and_why(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    stop = f"{medicine_url(world)}/stop"
    assert f'href="{stop}"' in rosa.get(medicine_url(world)).text
    assert "1 tablet at 8am and 8pm" in rosa.get(stop).text
    for why in ("It made me dizzy", "again"):
        assert submit(rosa, stop, {"why": why}).location == medicines_url(world)
    replan(db, now)
    assert doses(db, world) == [("20 08:00", "open", "1")]
    assert "Stopped on 20 November 2026" in rosa.get(medicines_url(world)).text
    assert f'href="{stop}"' not in rosa.get(medicine_url(world)).text
    page = rosa.get(f"{medicine_url(world)}/history").text
    assert "<h2>Stopped</h2>" in page
    assert "Why: <bdi>It made me dizzy</bdi>" in page
    assert "8.05am on 20 November 2026, by <bdi>you</bdi>" in page


def test_the_day_of_stopping_is_the_patients_own(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).zone = "Pacific/Kiritimati"
    pinned.move_to(now.replace(hour=23))
    send(rosa, f"{medicine_url(world)}/stop")
    page = rosa.get(medicines_url(world)).text
    assert "Stopped on 21 November 2026" in page


def test_a_pause_is_a_version_and_ends_when_it_is_taken_again(
    rosa: FlaskClient, world: World, db: Database, pinned: time_machine.Traveller
) -> None:
    pause, before = f"{medicine_url(world)}/pause", count(db, Plan)
    for _ in range(2):
        answer = submit(rosa, pause, {"why": "operation"})
        assert answer.location == medicines_url(world)
    assert count(db, Plan) == before + 1
    today = datetime.fromisoformat("2026-11-20").date()
    (line,) = lines_of(db, world.medication)
    assert line.pauses == (Pause(today, None, "operation"),)
    assert "> <bdi>Paused</bdi>" in rosa.get(medicines_url(world)).text
    pinned.shift(timedelta(days=3))
    for _ in range(2):
        send(rosa, f"{medicine_url(world)}/resume")
    (line,) = lines_of(db, world.medication)
    assert line.pauses == (Pause(today, today + timedelta(days=2), "operation"),)
    assert count(db, Plan) == before + 2
    page = rosa.get(f"{medicine_url(world)}/history").text
    assert "Paused from 20 November 2026 until further notice." in page
    assert "Paused from 20 November 2026 to 22 November 2026." in page


def test_a_pause_of_today_taken_back_today_leaves_no_trace_in_the_plan(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    submit(rosa, f"{medicine_url(world)}/pause")
    send(rosa, f"{medicine_url(world)}/resume")
    assert lines_of(db, world.medication)[0].pauses == ()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"start_on": ""}, "Choose the first day."),
        ({"end_on": "2026-11-19"}, "The last day is before the first day."),
    ],
)
def test_an_impossible_pause_is_refused(
    rosa: FlaskClient, world: World, db: Database, typed: dict[str, str], sentence: str
) -> None:
    before = count(db, Plan)
    answer = submit(rosa, f"{medicine_url(world)}/pause", typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert count(db, Plan) == before


def test_pausing_does_not_start_a_stopped_medicine(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    pause = f"{medicine_url(world)}/pause"
    fields = fields_of(rosa.get(pause).text, pause)
    send(rosa, f"{medicine_url(world)}/stop")
    assert rosa.post(pause, data=fields).status_code == 303
    assert "Stopped on" in rosa.get(medicines_url(world)).text


def test_whoever_may_look_sees_every_version_and_who_made_it(
    app: Flask, rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    check = follow(rosa, send(rosa, f"{medicine_url(world)}/change"))
    submit(rosa, f"{check}/0/times", {"at_1": "9pm"})
    submit(rosa, check)
    take_as(db, world, daily("09:00", start=now.date()), now=now)
    nora = signed_in(app, world.nora, now=now)
    page = nora.get(f"{medicine_url(world)}/history").text
    newest, middle, oldest = page.split("<li>\n<div>")[-3:]
    assert "Was 1 tablet at 8am and 9pm, now 1 tablet at 9am." in newest
    assert "Was 1 tablet at 8am and 8pm, now 1 tablet at 8am and 9pm." in middle
    assert "by <bdi>Rosa</bdi>" in middle
    assert "1 tablet at 8am and 8pm, every day." in oldest
    assert f"{medicine_url(world)}/history" in nora.get(medicines_url(world)).text
