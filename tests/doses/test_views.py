"""Today: what is shown, what a tap does, and what it cannot do."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.patients.models import Patient
from pillweb.watch.queries import delays
from tests.world import World, csrf_of, plan, prescribe, signed_in

HTMX = {"HX-Request": "true"}
STATEMENTS_ON_A_HOT_PAGE = 3
# Four of them are for the record of who changed what.
STATEMENTS_ON_A_MARK = 9


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def states(db: Database) -> list[str]:
    with db.reading() as session:
        rows = session.scalars(sa.select(Dose.state).order_by(Dose.patient_id, Dose.id))
        return list(rows)


def events(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(DoseEvent.what).order_by(DoseEvent.id)))


def due_now(world: World, now: datetime) -> sa.Select[int]:
    return sa.select(Dose.id).where(
        Dose.patient_id == world.patient, Dose.due_at <= now
    )


def press(
    client: FlaskClient,
    path: str,
    *,
    dose: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> TestResponse:
    data = {"csrf_token": csrf_of(client, "/people/new"), "dose": list(dose)}
    return client.post(path, data=data, headers=headers)


def test_today_says_what_to_take_now(rosa: FlaskClient, world: World) -> None:
    page = rosa.get(f"/patients/{world.patient}/today")
    assert page.status_code == 200
    assert "You have 1 medicine to take now." in page.text
    assert "Amlodipine" in page.text
    assert "Friday 20 November, morning" in page.text
    assert "Later, at 8pm" in page.text


def test_a_helper_reads_the_name(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    page = signed_in(app, world.marta, now=now)
    text = page.get(f"/patients/{world.patient}/today").text
    assert "Rosa has 1 medicine to take now." in text


def test_who_may_only_look_gets_no_buttons(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    text = signed_in(app, world.nora, now=now).get(f"/patients/{world.patient}/today")
    assert "I have taken" not in text.text


def test_pressing_five_times_is_one_dose(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    for _ in range(5):
        answer = press(rosa, f"/patients/{world.patient}/doses/1/take")
        assert answer.status_code == 303
    assert events(db) == ["taken"]
    page = rosa.get(f"/patients/{world.patient}/today").text
    assert "Taken at 8.05am" in page
    assert "All done for now. Next: 8pm." in page


def test_undo_takes_it_back_and_keeps_the_events(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    press(rosa, f"/patients/{world.patient}/doses/1/take")
    press(rosa, f"/patients/{world.patient}/doses/1/undo")
    press(rosa, f"/patients/{world.patient}/doses/1/undo")
    assert states(db)[0] == "open"
    assert events(db) == ["taken", "undone"]


def test_undo_ends_after_a_day(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    press(rosa, f"/patients/{world.patient}/doses/1/take")
    pinned.move_to(now + timedelta(hours=24))
    press(rosa, f"/patients/{world.patient}/doses/1/undo")
    assert states(db)[0] == "taken"


def test_take_all_records_only_what_the_page_listed(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    before = states(db)
    press(rosa, f"/patients/{world.patient}/today", dose=["1", "999", "x"])
    assert states(db) == ["taken", *before[1:]]


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("headers", [None, HTMX])
def test_take_all_offers_to_undo_only_what_this_press_recorded(
    app: Flask,
    world: World,
    db: Database,
    now: datetime,
    headers: Mapping[str, str] | None,
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        prescribe(session, patient, "08:00", now=now, name="Ramipril")
        plan(session, patient, now=now)
        listed = [*session.scalars(due_now(world, now).order_by(Dose.id))]
    luis, marta = (signed_in(app, who, now=now) for who in (world.luis, world.marta))
    base = f"/patients/{world.patient}"
    press(marta, f"{base}/doses/{listed[0]}/take")
    both = [str(dose) for dose in listed]
    answer = press(luis, f"{base}/today", dose=both, headers=headers)
    page = answer if headers else luis.get(answer.headers["Location"])
    assert f'name="undo" value="{listed[1]}"' in page.text
    again = press(luis, f"{base}/today", dose=both, headers=headers)
    assert again.headers.get("Location") in (None, f"{base}/today")
    assert 'name="undo"' not in again.text


def test_a_tap_with_htmx_answers_the_one_card(rosa: FlaskClient, world: World) -> None:
    answer = press(rosa, f"/patients/{world.patient}/doses/1/take", headers=HTMX)
    assert answer.status_code == 200
    assert len(answer.data) <= 3000
    assert 'id="dose-1"' in answer.text
    assert "hx-swap-oob" in answer.text
    assert "<html" not in answer.text


def test_a_dose_of_somebody_else_cannot_be_marked_by_its_number(
    app: Flask, world: World, now: datetime, db: Database, pinned: object
) -> None:
    eve = signed_in(app, world.eve, now=now)
    before = states(db)
    answer = press(eve, f"/patients/{world.other_patient}/doses/1/take")
    assert answer.status_code == 404
    assert states(db) == before


def test_a_dose_of_another_day_cannot_be_taken_ahead(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    with db.reading() as session:
        last = session.scalars(
            sa.select(Dose.id)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at.desc())
        ).first()
    before = states(db)
    press(rosa, f"/patients/{world.patient}/today", dose=[str(last)])
    assert states(db) == before


def test_hot_page_and_mark_ask_few_questions(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    # Asked once in 15 s by each process, whatever the page.
    delays.since()
    asked: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT")):
            asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    rosa.get(f"/patients/{world.patient}/today")
    assert len(asked) <= STATEMENTS_ON_A_HOT_PAGE, asked
    token = csrf_of(rosa, "/people/new")
    asked.clear()
    path = f"/patients/{world.patient}/doses/1/take"
    rosa.post(path, headers={**HTMX, "X-CSRFToken": token})
    assert len(asked) <= STATEMENTS_ON_A_MARK, asked


def test_an_amount_keeps_the_unit_of_the_plan(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        prescribe(
            session, patient, "12:00", name="Folic acid", amount="400 mg", now=now
        )
        plan(session, patient, now=now)
    page = rosa.get(f"/patients/{world.patient}/today").text
    assert "400 mg" in page
    assert "400 tablets" not in page
