"""Sheets are made, scanned and made void, and a code does no more than it may."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.papers.models import Paper, PaperCode
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from tests.papers.pages import GONE, code, every_dose, make, said
from tests.world import World, csrf_of, daily, plan, prescribe, signed_in


def test_a_sheet_holds_a_box_and_a_code_for_each_time(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    page = rosa.get(make(rosa, world)).text
    assert "Amlodipine" in page
    assert page.count('class="box"') == 14
    assert page.count('class="code"') == 2
    assert "The file to print is being made." in page
    with db.reading() as session:
        assert len(session.scalars(sa.select(PaperCode)).all()) == 2


def test_pressing_twice_makes_one_sheet(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    assert make(rosa, world) == make(rosa, world)
    with db.reading() as session:
        assert len(session.scalars(sa.select(Paper)).all()) == 1


def test_whoever_may_only_look_sees_the_week_and_the_card_without_codes(
    app: Flask, world: World, rosa: FlaskClient, now: datetime
) -> None:
    make(rosa, world)
    nora = signed_in(app, world.nora, now=now)
    for kind in ("week", "card"):
        page = nora.get(f"/patients/{world.patient}/papers/{kind}").text
        assert "Amlodipine" in page
        assert 'class="code"' not in page
        assert "Make " not in page


def test_both_papers_are_reached_from_the_medicines(
    rosa: FlaskClient, world: World
) -> None:
    base = f"/patients/{world.patient}"
    page = rosa.get(f"{base}/medicines").text
    for kind in ("week", "card"):
        assert f'href="{base}/papers/{kind}"' in page
        assert rosa.get(f"{base}/papers/{kind}").status_code == 200


def test_a_day_that_was_not_offered_makes_nothing(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    path = f"/patients/{world.patient}/papers/week"
    for first in ("2031-01-01", "", "tomorrow"):
        data = {"csrf_token": csrf_of(rosa, path), "first": first}
        answer = rosa.post(path, data=data)
        assert answer.status_code == 422
        assert "Which day does it begin?" in answer.text
    with db.reading() as session:
        assert session.scalars(sa.select(Paper)).all() == []


OLD = "The plan was changed after this was made. Please make a new one."


def test_what_was_planned_after_the_sheet_is_not_pressed_on_it(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    path, later = code(db), now + timedelta(minutes=1)
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        prescribe(session, patient, "08:00", name="Ramipril", now=later)
        plan(session, patient, now=later)
    with time_machine.travel(now + timedelta(hours=23, minutes=35), tick=False):
        text = phone.get(path).text
        assert "1 medicine<" in text
        assert OLD in text
        phone.post(path, data=every_dose(db, world))
        assert said(db, world) == [("taken", "paper")]
        text = phone.get(path).text
        assert "Recorded at 7.40am." in text
        assert OLD in text
    with time_machine.travel(later, tick=False):
        make(rosa, world)
    with time_machine.travel(now + timedelta(hours=23, minutes=35), tick=False):
        text = phone.get(code(db)).text
        assert "1 medicine of this time is recorded already." in text
        assert OLD not in text


def test_a_sheet_of_which_nothing_holds_says_that_it_is_old(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    path, later = code(db), now + timedelta(minutes=1)
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        line = daily("08:00", start=now.date(), amount="2")
        set_plan(session, medication, lines=[line], author_id=None, now=later)
        plan(session, session.get_one(Patient, world.patient), now=later)
    with time_machine.travel(now + timedelta(hours=23, minutes=35), tick=False):
        text = phone.get(path).text
        assert OLD in text
        assert "<button" not in text
        phone.post(path, data=every_dose(db, world))
    assert said(db, world) == []


def test_made_void_no_code_works_and_no_file_is_left(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database
) -> None:
    made = make(rosa, world)
    path, where = code(db), f"/patients/{world.patient}/papers"
    with db.transaction() as session:
        paper = session.scalars(sa.select(Paper)).one()
        paper.state, paper.pdf = "ready", b"%PDF"
    assert rosa.get(f"{made}.pdf").data == b"%PDF"
    data = {"csrf_token": csrf_of(rosa, f"{where}/week")}
    for _ in range(2):
        assert rosa.post(f"{where}/void", data=data).status_code == 303
    for answer in (phone.get(path), phone.post(path), phone.post(f"{path}/undo")):
        assert answer.status_code == 404
        assert GONE in answer.text
    assert rosa.get(f"{made}.pdf").status_code == 404
    page = rosa.get(made).text
    assert "This sheet is void." in page
    assert 'class="code"' not in page
    make(rosa, world)
    assert phone.get(code(db)).status_code == 200


def test_a_code_ends_after_two_weeks(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    made = make(rosa, world)
    path = code(db)
    assert "too old" not in rosa.get(made).text
    for after, status in ((timedelta(days=14, seconds=-1), 200), (timedelta(14), 404)):
        with time_machine.travel(now + after, tick=False):
            assert phone.get(path).status_code == status
    with time_machine.travel(now + timedelta(days=14), tick=False):
        assert "The codes of this sheet are too old to work." in rosa.get(made).text
    assert phone.get("/p/" + "x" * 43).status_code == 404


def test_old_papers_go_when_a_new_one_is_made(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    with db.transaction() as session:
        session.execute(sa.update(Paper).values(expires_at=now))
    make(rosa, world, kind="card")
    with db.reading() as session:
        assert session.scalars(sa.select(Paper.kind)).all() == ["card"]
        assert session.scalars(sa.select(PaperCode)).all() == []


def test_one_account_makes_sixty_sheets_an_hour(
    app: Flask, rosa: FlaskClient, world: World, now: datetime
) -> None:
    path = f"/patients/{world.patient}/papers/week"

    def post(client: FlaskClient) -> int:
        data = {"csrf_token": csrf_of(client, path), "first": "2026-11-20"}
        return client.post(path, data=data).status_code

    assert [post(rosa) for _ in range(61)] == [303] * 60 + [429]
    assert post(signed_in(app, world.marta, now=now)) == 303


def test_a_name_from_right_to_left_stands_in_its_own_direction(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).name = "فاطمة"
        session.get_one(Medication, world.medication).name = "باراسيتامول"
    rosa.set_cookie("look", "20.light.ar")
    page = rosa.get(make(rosa, world)).text
    assert 'dir="rtl"' in page
    assert "<bdi>&#8296;باراسيتامول&#8297;</bdi>" in page
    with db.reading() as session:
        assert session.scalars(sa.select(Paper.look)).one() == "20.system.ar"


def test_a_paper_is_in_the_language_the_patient_reads(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).language = "km"
    make(rosa, world)
    with db.reading() as session:
        assert session.scalars(sa.select(Paper.look)).one() == "20.system.km"
