"""A code does no more than it may, and is told when it does nothing."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from tests.at_once import at_once
from tests.papers.pages import code, every_dose, listed, make, press, said, states
from tests.world import World, daily, plan, prescribe


def test_looking_at_a_code_records_nothing_and_names_no_medicine(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database
) -> None:
    make(rosa, world)
    for method in ("GET", "HEAD", "GET"):
        assert phone.open(code(db), method=method).status_code == 200
    text = phone.get(code(db)).text
    assert "It is time for your <bdi>8am</bdi> medicines." in text
    assert "1 medicine" in text
    assert "I have taken it" in text
    assert "Amlodipine" not in text
    assert "Rosa" not in text
    assert said(db, world) == []


def test_names_are_shown_where_that_was_chosen(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database
) -> None:
    make(rosa, world, show_names="y")
    text = phone.get(code(db)).text
    assert "Amlodipine" in text
    assert "1 tablet" in text


def test_a_press_records_the_doses_of_that_time_once(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database
) -> None:
    make(rosa, world)
    path = code(db)
    data = listed(phone.get(path).text)
    for _ in range(5):
        answer = phone.post(path, data=data)
        assert answer.status_code == 303
        assert "Set-Cookie" not in answer.headers
    assert said(db, world) == [("taken", "paper")]
    assert states(db, world).count("taken") == 1
    assert "Recorded at 8.05am." in phone.get(path).text


def test_twenty_presses_at_once_are_one_dose(
    app: Flask, rosa: FlaskClient, world: World, db: Database
) -> None:
    make(rosa, world)
    path = code(db)

    data = listed(rosa.get(path).text)

    def post(_: int) -> int:
        return app.test_client(use_cookies=False).post(path, data=data).status_code

    assert set(at_once(20, post)) == {303}
    assert said(db, world) == [("taken", "paper")]


def test_a_code_of_the_evening_records_nothing_in_the_morning(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database
) -> None:
    make(rosa, world)
    path = code(db, "20:00")
    page = phone.get(path).text
    assert "It is not time for your 8pm medicines yet." in page
    assert "from 7.30pm on" in page
    assert "<button" not in page
    assert phone.post(path).status_code == 303
    assert said(db, world) == []


def test_a_code_of_the_evening_is_not_pressed_in_the_morning_by_hand_either(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database
) -> None:
    make(rosa, world)
    phone.post(code(db, "20:00"), data=every_dose(db, world))
    assert said(db, world) == []


def test_a_page_of_yesterday_records_nothing_of_today(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    path = code(db)
    yesterday = listed(phone.get(path).text)
    assert len(yesterday["dose"]) == 1
    htmx = {"HX-Request": "true"}
    with time_machine.travel(now + timedelta(hours=23, minutes=35), tick=False):
        answer = phone.post(path, data=yesterday, headers=htmx)
        assert said(db, world) == []
        assert "It is time for your <bdi>8am</bdi> medicines." in answer.text
        press(phone, path)
        assert said(db, world) == [("taken", "paper")]
        phone.post(f"{path}/undo", data=yesterday)
        assert said(db, world) == [("taken", "paper")]


def test_a_press_records_nothing_that_its_page_did_not_list(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    morning = now - timedelta(minutes=25)
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        prescribe(session, patient, "08:00", name="Ramipril", now=morning)
        plan(session, patient, now=morning)
    make(rosa, world)
    path = code(db)
    both = listed(phone.get(path).text)
    assert len(both["dose"]) == 2
    phone.post(path, data={"dose": both["dose"][0]})
    phone.post(path)
    phone.post(f"{path}/undo", data={"dose": both["dose"][1]})
    assert said(db, world) == [("taken", "paper")]
    phone.post(f"{path}/undo", data=both)
    assert states(db, world).count("taken") == 0
    phone.post(path, data={"dose": both["dose"][1]})
    assert states(db, world).count("taken") == 1


def test_when_the_window_is_over_a_code_records_nothing(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    path = code(db)
    with time_machine.travel(now + timedelta(hours=3), tick=False):
        page = phone.get(path).text
        assert "Did you take your <bdi>8am</bdi> medicines?" in page
        assert "Never take two doses together" in page
    with time_machine.travel(now + timedelta(hours=13), tick=False):
        assert "It is too late to record" in phone.get(path).text
        phone.post(path, data=every_dose(db, world))
    assert said(db, world) == []


def test_a_code_takes_back_what_a_code_recorded_and_nothing_else(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    path = code(db)
    press(phone, path)
    page = phone.get(path).text
    assert "Undo" in page
    assert press(phone, path, undo=True).status_code == 303
    assert said(db, world) == [("taken", "paper"), ("undone", "paper")]
    with db.transaction() as session:
        first = sa.select(Dose.id).where(Dose.patient_id == world.patient)
        mark_taken(
            session,
            [session.scalars(first.order_by(Dose.due_at)).first() or 0],
            patient_id=world.patient,
            account_id=world.marta,
            channel="page",
            now=now,
        )
    assert "Undo" not in phone.get(path).text
    phone.post(f"{path}/undo", data=listed(page))
    assert states(db, world)[0] == "taken"


def test_a_plan_without_that_time_is_told_in_words(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    made = make(rosa, world)
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        line = daily("09:00", start=now.date())
        set_plan(session, medication, lines=[line], author_id=None, now=now)
        session.execute(sa.delete(Dose).where(Dose.patient_id == world.patient))
    assert "Nothing is planned for 8am today." in phone.get(code(db)).text
    assert phone.post(code(db)).status_code == 303
    assert "The plan was changed after this was made." in rosa.get(made).text


def test_guessing_codes_is_slow(phone: FlaskClient, db: Database) -> None:
    answers = [phone.get(f"/p/{'y' * 40}{n:03}").status_code for n in range(32)]
    assert answers == [404] * 30 + [429] * 2


def test_one_code_is_pressed_sixty_times_an_hour_from_anywhere(
    rosa: FlaskClient, phone: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    make(rosa, world)
    path, data = code(db), every_dose(db, world)
    answers = [
        phone.post(
            f"{path}/undo" if n % 2 else path,
            data=data,
            environ_base={"REMOTE_ADDR": f"10.0.0.{n}"},
        ).status_code
        for n in range(62)
    ]
    assert answers == [303] * 60 + [429] * 2
    assert len(said(db, world)) == 60
    assert phone.get(path).status_code == 200
    assert phone.post(code(db, "20:00")).status_code == 303
    with time_machine.travel(now + timedelta(hours=2), tick=False):
        assert phone.post(path).status_code == 303
