"""Adding, changing, stopping and restarting a medicine, and every bad input."""

import re
from datetime import datetime, timedelta
from html import unescape
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.queries.days import patients_to_plan
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from pillweb.schedules.models import Line, Plan
from pillweb.schedules.rules.line import Line as Rule
from pillweb.schedules.rules.line_json import line_from_json
from tests.world import World, csrf_of, plan, signed_in

HTMX = {"HX-Request": "true"}
EMOJI = "Pill \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f48a"
ARABIC = "\u0628\u0627\u0631\u0627\u0633\u064a\u062a\u0627\u0645\u0648\u0644"
GOOD = {
    "name": "Ramipril",
    "strength": "2.5 mg",
    "form": "capsule",
    "reason": "heart",
    "amount": "1",
    "time_1": "8am",
    "days": "every",
    "start_on": "2026-11-20",
    "instruction": "With water",
}
Typed = dict[str, str | list[str]]


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def send(
    client: FlaskClient, path: str, typed: Typed, *, htmx: bool = False
) -> TestResponse:
    data = {"csrf_token": csrf_of(client, "/people/new"), **typed}
    return client.post(path, data=data, headers=HTMX if htmx else None)


def new_url(world: World) -> str:
    return f"/patients/{world.patient}/medicines/new"


def edit_url(world: World) -> str:
    return f"/patients/{world.patient}/medicines/{world.medication}"


def newest(db: Database) -> tuple[Medication, Rule]:
    with db.reading() as session:
        row = session.scalars(sa.select(Medication).order_by(-Medication.id)).first()
        assert row is not None
        rule = session.scalars(
            sa.select(Line.rule)
            .join(Plan)
            .where(Plan.medication_id == row.id)
            .order_by(-Plan.version)
        ).first()
        assert rule is not None
        return row, line_from_json(rule)


def count(db: Database, row: type[Medication | Plan | Dose]) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(row)) or 0


def revision(db: Database, world: World) -> int:
    with db.reading() as session:
        return session.get_one(Patient, world.patient).plan_revision


def doses(db: Database, world: World) -> list[tuple[str, str, str]]:
    """Return (day and time, state, amount) of each dose, cancelled ones left out."""
    with db.reading() as session:
        rows = session.scalars(
            sa.select(Dose)
            .where(Dose.medication_id == world.medication, Dose.state != "cancelled")
            .order_by(Dose.due_at, Dose.id)
        )
        return [(f"{row.due_at:%d %H:%M}", row.state, str(row.amount)) for row in rows]


def replan(db: Database, now: datetime) -> int:
    """Plan whoever waits for it, as the job does; return how many people that was."""
    with db.transaction() as session:
        found = patients_to_plan(session, now=now, limit=9)
        for patient_id, _ in found:
            plan(session, session.get_one(Patient, patient_id), now=now)
        return len(found)


def values(page: str) -> dict[str, str]:
    """Return what stands in the text fields of a page."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag and 'type="radio"' not in tag:
            found[name[1]] = unescape(value[1]) if value else ""
    return found


def ticked(page: str) -> set[str]:
    return {
        f"{name}={value}"
        for name, value in re.findall(r'name="(\w+)" value="(\w+)" checked', page)
    }


def test_a_new_medicine_stands_on_the_list_in_words(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    typed: Typed = {**GOOD, "time_2": "8.30 pm", "end_on": "2026-12-24"}
    answer = send(rosa, new_url(world), typed)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/patients/{world.patient}/medicines"
    page = rosa.get(answer.headers["Location"]).text
    assert "1 capsule at 8am and 8.30pm, every day, until 24 December 2026" in page
    row, _ = newest(db)
    assert (row.name, row.strength, row.form) == ("Ramipril", "2.5 mg", "capsule")


def test_htmx_is_sent_on_after_saving(rosa: FlaskClient, world: World) -> None:
    answer = send(rosa, new_url(world), {**GOOD}, htmx=True)
    assert answer.headers["HX-Redirect"] == f"/patients/{world.patient}/medicines"


def test_times_out_of_order_are_put_in_order(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    send(rosa, new_url(world), {**GOOD, "time_1": "8pm", "time_3": "8am"})
    clocks = [f"{entry.at:%H:%M}" for entry in newest(db)[1].times if entry.at]
    assert clocks == ["08:00", "20:00"]


def test_all_seven_weekdays_are_every_day(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    week = [str(number) for number in range(7)]
    send(rosa, new_url(world), {**GOOD, "days": "some", "weekdays": week})
    assert "every day" in rosa.get(f"/patients/{world.patient}/medicines").text


def test_chosen_weekdays_are_kept(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    send(rosa, new_url(world), {**GOOD, "days": "some", "weekdays": ["3", "0"]})
    page = rosa.get(f"/patients/{world.patient}/medicines").text
    assert "1 capsule at 8am, on Mondays and Thursdays" in page


def test_pressing_save_twice_adds_one_medicine(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    before = count(db, Medication)
    for _ in range(3):
        assert send(rosa, new_url(world), {**GOOD}).status_code == 303
    assert count(db, Medication) == before + 1


def test_the_same_medicine_at_another_time_is_another_line(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    before = count(db, Medication)
    send(rosa, new_url(world), {**GOOD})
    send(rosa, new_url(world), {**GOOD, "time_1": "8pm", "amount": "2"})
    assert count(db, Medication) == before + 2


def test_two_presses_at_one_moment_add_one_medicine(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    before = count(db, Medication)
    clients = [signed_in(app, world.rosa, now=now) for _ in range(2)]
    tokens = [csrf_of(client, "/people/new") for client in clients]
    together = Barrier(2)
    codes: list[int] = []

    def press(client: FlaskClient, token: str) -> None:
        together.wait()
        data = {**GOOD, "csrf_token": token}
        codes.append(client.post(new_url(world), data=data).status_code)

    threads = [
        Thread(target=press, args=pair) for pair in zip(clients, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [303, 303]
    assert count(db, Medication) == before + 1


DAY = "Choose a day from 1900 to 2099."
NO_DAY = "There is no such day. Please check it."
REFUSED: list[tuple[Typed, str, str]] = [
    ({"name": ""}, "name", "Write the medicine's name."),
    ({"name": "   "}, "name", "Write the medicine's name."),
    ({"name": "\u200b\u200f\x00"}, "name", "Write the medicine's name."),
    ({"name": "x" * 201}, "name", "Use at most 200 characters."),
    ({"strength": "x" * 61}, "strength", "Use at most 60 characters."),
    ({"amount": ""}, "amount", "Write how much is taken each time."),
    ({"amount": " "}, "amount", "Write how much is taken each time."),
    ({"amount": "0"}, "amount", "The amount must be more than 0."),
    ({"amount": "1.000"}, "amount", "This can be read in two ways. Write 1, or 1000."),
    ({"amount": "two"}, "amount", "Write a number, such as 1 or 0.5."),
    ({"time_1": ""}, "time_1", "Write at least one time."),
    ({"time_1": "25:00"}, "time_1", "Write a time such as 8:00 or 8pm."),
    ({"time_2": "soon"}, "time_2", "Write a time such as 8:00 or 8pm."),
    ({"time_3": "08:00"}, "time_3", "This time is there already."),
    ({"days": "some"}, "weekdays", "Choose at least one day of the week."),
    (
        {"weekdays": ["0"]},
        "weekdays",
        "You chose every day, and single days too. Choose one of the two.",
    ),
    ({"start_on": ""}, "start_on", "Choose the first day."),
    ({"start_on": "2027-02-31"}, "start_on", NO_DAY),
    ({"start_on": "soon"}, "start_on", NO_DAY),
    ({"start_on": "0001-01-01"}, "start_on", DAY),
    ({"start_on": "9999-12-31"}, "start_on", DAY),
    ({"end_on": "9999-12-31"}, "end_on", DAY),
    ({"end_on": "2027-02-29"}, "end_on", NO_DAY),
    ({"end_on": "2026-11-19"}, "end_on", "The last day is before the first day."),
]


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    "case",
    REFUSED,
    ids=[f"{field}-{number}" for number, (_, field, _) in enumerate(REFUSED)],
)
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    rosa: FlaskClient,
    world: World,
    db: Database,
    case: tuple[Typed, str, str],
    *,
    htmx: bool,
) -> None:
    wrong, field, sentence = case
    before = count(db, Medication), count(db, Plan), revision(db, world)
    typed: Typed = {**GOOD, **wrong}
    answer = send(rosa, new_url(world), typed, htmx=htmx)
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert f'id="{field}-error"><b>Error:</b> {sentence}</p>' in page
    assert f'<a href="#{field}">{sentence}</a>' in page
    assert page.count("<b>Error:</b>") == 1
    assert "<title>Error: Add a medicine" in page
    shown = values(answer.text)
    for name, value in typed.items():
        if name in shown and isinstance(value, str) and value.isprintable():
            assert shown[name].strip() == value.strip()
    assert f"days={typed['days']}" in ticked(answer.text)
    assert (count(db, Medication), count(db, Plan), revision(db, world)) == before


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("x" * 200, "x" * 200),
        ("  Aspirin  ", "Aspirin"),
        ("Aspirin\t75\r\nmg", "Aspirin 75 mg"),
        ("As\x00pi\x07rin", "Aspirin"),
        ("\u202e50 mg\u202c", "50 mg"),
        ("\u2067Aspirin\u2069", "Aspirin"),
        ("A\u200bspirin\ufeff", "Aspirin"),
        ("Cafe\u0301", "Caf\u00e9"),
        (EMOJI, EMOJI),
        (ARABIC, ARABIC),
        ("\u0645\u06cc\u200c\u062e\u0648\u0631\u0645",) * 2,
        ("<script>alert(1)</script>",) * 2,
        ("{{ 7 * 7 }}",) * 2,
    ],
)
def test_a_name_of_any_script_is_kept_without_what_cannot_be_seen(
    rosa: FlaskClient, world: World, db: Database, typed: str, kept: str
) -> None:
    typed_all: Typed = {**GOOD, "name": typed, "reason": typed, "instruction": typed}
    assert send(rosa, new_url(world), typed_all).status_code == 303
    row, _ = newest(db)
    assert (row.name, row.reason, row.instruction) == (kept, kept, kept)
    page = rosa.get(f"/patients/{world.patient}/medicines").text
    assert f"<bdi>{kept}</bdi>" in unescape(page)
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("field", "value"), [("form", "bomb\x00"), ("days", "x\x00"), ("weekdays", "9\x00")]
)
def test_a_choice_that_was_never_offered_is_refused(
    rosa: FlaskClient, world: World, db: Database, field: str, value: str
) -> None:
    before = count(db, Medication)
    answer = send(rosa, new_url(world), {**GOOD, "days": "some", field: value})
    assert answer.status_code == 422
    assert count(db, Medication) == before


def test_nothing_typed_at_all_is_refused_with_every_reason(
    rosa: FlaskClient, world: World
) -> None:
    answer = send(rosa, new_url(world), {})
    assert answer.status_code == 422
    assert "Please look at" in answer.text
    assert "Write the medicine" in answer.text


def test_a_start_far_ahead_is_told_on_the_list(rosa: FlaskClient, world: World) -> None:
    send(rosa, new_url(world), {**GOOD, "start_on": "2062-01-01"})
    page = rosa.get(f"/patients/{world.patient}/medicines").text
    assert "Starts on 1 January 2062" in page


def unchanged(page: str) -> Typed:
    shown = values(page)
    data: Typed = {key: value for key, value in shown.items() if key != "csrf_token"}
    data |= {"form": "tablet", "days": "every"}
    return data


def test_the_form_shows_how_it_is_taken_now(rosa: FlaskClient, world: World) -> None:
    page = rosa.get(edit_url(world)).text
    shown = values(page)
    assert (shown["name"], shown["amount"]) == ("Amlodipine", "1")
    assert (shown["time_1"], shown["time_2"]) == ("08:00", "20:00")
    assert shown["start_on"] == "2026-11-20"
    assert "days=every" in ticked(page)


def test_changing_only_the_name_leaves_the_plan_alone(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    before = count(db, Plan), revision(db, world), doses(db, world)
    typed = {**unchanged(rosa.get(edit_url(world)).text), "name": "Istin"}
    assert send(rosa, edit_url(world), typed).status_code == 303
    assert replan(db, now) == 0
    assert (count(db, Plan), revision(db, world), doses(db, world)) == before
    assert "Istin" in rosa.get(f"/patients/{world.patient}/today").text


def test_saving_what_an_earlier_change_made_leaves_the_plan_alone(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    typed = {**unchanged(rosa.get(edit_url(world)).text), "time_2": "21:00"}
    send(rosa, edit_url(world), typed)
    before = count(db, Plan)
    again = unchanged(rosa.get(edit_url(world)).text)
    assert again["time_2"] == "21:00"
    send(rosa, edit_url(world), {**again, "amount": "1.0"})
    assert count(db, Plan) == before


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "2"},
        {"time_2": "21:00"},
        {"time_2": ""},
        {"time_3": "12:00"},
        {"end_on": "2026-11-22"},
        {"start_on": "2026-11-22"},
        {"days": "some", "weekdays": ["0"]},
    ],
)
def test_changing_the_plan_makes_one_new_version(
    rosa: FlaskClient, world: World, db: Database, change: Typed
) -> None:
    before = count(db, Plan), revision(db, world)
    typed = {**unchanged(rosa.get(edit_url(world)).text), **change}
    for _ in range(2):
        assert send(rosa, edit_url(world), typed).status_code == 303
    assert (count(db, Plan), revision(db, world)) == (before[0] + 1, before[1] + 1)


def test_an_edit_changes_future_doses_and_no_past_one(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    token = csrf_of(rosa, "/people/new")
    take = f"/patients/{world.patient}/doses/1/take"
    rosa.post(take, data={"csrf_token": token})
    pinned.move_to(now + timedelta(days=1))
    typed = {**unchanged(rosa.get(edit_url(world)).text), "amount": "2"}
    send(rosa, edit_url(world), {**typed, "time_1": "09:00"})
    replan(db, now + timedelta(days=1))
    found = doses(db, world)
    assert found[:3] == [
        ("20 08:00", "taken", "1"),
        ("20 20:00", "open", "1"),
        ("21 08:00", "open", "1"),
    ]
    assert found[3:5] == [("21 20:00", "open", "2"), ("22 09:00", "open", "2")]
    with db.reading() as session:
        assert session.scalars(sa.select(DoseEvent.what)).all() == ["taken"]


def test_a_refused_change_keeps_what_was_typed_and_changes_nothing(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    typed = {**unchanged(rosa.get(edit_url(world)).text), "name": "Istin"}
    answer = send(rosa, edit_url(world), {**typed, "amount": "0"})
    assert answer.status_code == 422
    assert values(answer.text)["name"] == "Istin"
    with db.reading() as session:
        assert session.get_one(Medication, world.medication).name == "Amlodipine"


def test_a_stopped_medicine_asks_for_nothing_and_can_be_started_again(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    typed = unchanged(rosa.get(edit_url(world)).text)
    for _ in range(2):
        assert send(rosa, f"{edit_url(world)}/stop", {}).status_code == 303
    replan(db, now)
    assert doses(db, world) == [("20 08:00", "open", "1")]
    page = rosa.get(f"/patients/{world.patient}/medicines").text
    assert "Stopped on 20 November 2026" in page
    assert "Take it again" in page
    edit = rosa.get(edit_url(world)).text
    assert "Saving it starts it again." in edit
    assert f"{edit_url(world)}/stop" not in edit
    pinned.move_to(now + timedelta(days=2))
    assert send(rosa, edit_url(world), typed).status_code == 303
    replan(db, now + timedelta(days=2))
    assert doses(db, world)[:2] == [
        ("20 08:00", "open", "1"),
        ("22 20:00", "open", "1"),
    ]
    assert "Stopped on" not in rosa.get(f"/patients/{world.patient}/medicines").text


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
    send(rosa, f"{edit_url(world)}/stop", {})
    page = rosa.get(f"/patients/{world.patient}/medicines").text
    assert "Stopped on 21 November 2026" in page


@pytest.fixture
def rich(db: Database, world: World, now: datetime) -> None:
    """Let Rosa's medicine be taken every 8 hours, day and night."""
    rule = {"kind": "interval", "first": "2026-11-20T08:00", "interval_hours": 8}
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        line = line_from_json({**rule, "dose": "1"})
        set_plan(session, medication, lines=[line], author_id=None, now=now)


def test_a_plan_the_form_cannot_show_is_told_in_words(
    rosa: FlaskClient, world: World, rich: None
) -> None:
    page = rosa.get(edit_url(world)).text
    assert "1 tablet every 8 hours, day and night" in page
    assert "It stays as it is." in page
    assert 'name="amount"' not in page
    assert 'name="time_1"' not in page


def test_a_plan_the_form_cannot_show_is_never_overwritten(
    rosa: FlaskClient, world: World, db: Database, rich: None
) -> None:
    before = count(db, Plan)
    assert send(rosa, edit_url(world), {**GOOD, "name": "Istin"}).status_code == 303
    assert count(db, Plan) == before
    with db.reading() as session:
        assert session.get_one(Medication, world.medication).name == "Istin"
        kinds = session.scalars(
            sa.select(Line.rule)
            .join(Plan)
            .where(Plan.medication_id == world.medication, Plan.valid_to.is_(None))
        ).all()
    assert [kind["kind"] for kind in kinds] == ["interval"]
    assert send(rosa, edit_url(world), {"name": " "}).status_code == 422


def test_a_plan_the_form_cannot_show_is_started_again_as_it_was(
    rosa: FlaskClient,
    world: World,
    db: Database,
    rich: None,
) -> None:
    send(rosa, f"{edit_url(world)}/stop", {})
    page = rosa.get(edit_url(world)).text
    assert "Start this medicine again" in page
    send(rosa, edit_url(world), {**GOOD})
    page = rosa.get(f"/patients/{world.patient}/medicines").text
    assert "every 8 hours" in page


def test_two_changes_at_one_moment_are_two_versions(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    clients = [signed_in(app, world.rosa, now=now) for _ in range(2)]
    forms = [unchanged(client.get(edit_url(world)).text) for client in clients]
    tokens = [csrf_of(client, "/people/new") for client in clients]
    together = Barrier(2)
    codes: list[int] = []

    def press(number: int) -> None:
        together.wait()
        data = {
            **forms[number],
            "amount": str(number + 2),
            "csrf_token": tokens[number],
        }
        codes.append(clients[number].post(edit_url(world), data=data).status_code)

    threads = [Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [303, 303]
    with db.reading() as session:
        versions = session.scalars(
            sa.select(Plan.version)
            .where(Plan.medication_id == world.medication)
            .order_by(Plan.version)
        ).all()
        standing = session.scalars(
            sa.select(Plan.version).where(
                Plan.medication_id == world.medication, Plan.valid_to.is_(None)
            )
        ).all()
    assert versions == [1, 2, 3]
    assert standing == [3]
