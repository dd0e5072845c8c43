"""Sheets are made, scanned and made void, and a code does no more than it may."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose, DoseEvent
from pillweb.medications.models import Medication
from pillweb.papers.models import Paper, PaperCode
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from tests.at_once import at_once
from tests.world import World, csrf_of, daily, plan, prescribe, signed_in

GONE = "This link does not work"


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def phone(app: Flask) -> FlaskClient:
    """A browser that knows nobody."""
    return app.test_client(use_cookies=False)


def make(client: FlaskClient, world: World, kind: str = "week", **more: str) -> str:
    """Press the button; return the path of what was made."""
    path = f"/patients/{world.patient}/papers/{kind}"
    data = {"csrf_token": csrf_of(client, path), "first": "2026-11-20", **more}
    answer = client.post(path, data=data)
    assert answer.status_code == 303
    return str(answer.location)


def code(db: Database, clock: str = "08:00") -> str:
    """Return the path behind the newest code of a time of day."""
    wanted = sa.select(PaperCode.token).where(PaperCode.clock == clock)
    with db.reading() as session:
        token = session.scalars(wanted.order_by(PaperCode.id.desc())).first()
    return f"/p/{token}"


def listed(page: str) -> dict[str, list[str]]:
    """Return what the forms of a page send along."""
    return {"dose": re.findall(r'name="dose" value="(\d+)"', page)}


def press(phone: FlaskClient, path: str, *, undo: bool = False) -> TestResponse:
    """Look at a code, and press the button that is there."""
    data = listed(phone.get(path).text)
    return phone.post(f"{path}/undo" if undo else path, data=data)


def said(db: Database, world: World) -> list[tuple[str, str]]:
    wanted = sa.select(DoseEvent.what, DoseEvent.channel).order_by(DoseEvent.id)
    with db.reading() as session:
        mine = wanted.where(DoseEvent.patient_id == world.patient)
        return [(what, by) for what, by in session.execute(mine)]


def states(db: Database, world: World) -> list[str]:
    wanted = sa.select(Dose.state).where(Dose.patient_id == world.patient)
    with db.reading() as session:
        return list(session.scalars(wanted.order_by(Dose.due_at)))


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


def every_dose(db: Database, world: World) -> dict[str, list[int]]:
    wanted = sa.select(Dose.id).where(Dose.patient_id == world.patient)
    with db.reading() as session:
        return {"dose": [*session.scalars(wanted)]}


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
        session.execute(sa.update(Paper).values(state="ready", pdf=b"%PDF"))
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
