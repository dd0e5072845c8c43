"""Meals, journeys and a wrong clock, as a family meets them."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.actions.planning import replan_doses
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient, ZoneChange
from pillweb.schedules.actions import set_plan
from pillweb.schedules.queries import current_plan, lines_of
from pillweb.schedules.rules.line_json import line_from_json
from tests.world import World, csrf_of, signed_in

USUAL = {
    "wake": "7am",
    "breakfast": "9am",
    "lunch": "12.30pm",
    "dinner": "6pm",
    "bedtime": "10pm",
}
TOKYO = {"why": "travel", "zone": "Asia/Tokyo", "when": "now", "decided": "y"}
NEW_YORK = TOKYO | {"zone": "America/New_York"}
HOUR = timedelta(hours=1)


@pytest.fixture
def marta(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    """Marta's browser; it is 8.05 in the morning in London."""
    return signed_in(app, world.marta, now=now)


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    return client.post(
        path, data={"csrf_token": csrf_of(client, "/people/new"), **form}
    )


def replan(db: Database, world: World, now: datetime) -> None:
    with db.transaction() as session:
        replan_doses(session, [world.patient], now=now)


def dues(db: Database, world: World) -> list[datetime]:
    with db.reading() as session:
        return list(
            session.scalars(
                sa.select(Dose.due_at)
                .where(Dose.patient_id == world.patient, Dose.state == "open")
                .order_by(Dose.due_at)
            )
        )


def policies(db: Database, world: World) -> list[str]:
    with db.reading() as session:
        plan = current_plan(session, world.medication)
        assert plan is not None
        rows = lines_of(session, plan.id)
        return [line_from_json(row.rule).zone_policy for row in rows]


def test_meals_are_a_guess_until_somebody_says_so(
    marta: FlaskClient, world: World
) -> None:
    path = f"/patients/{world.patient}/meals"
    page = marta.get(path).text
    assert "our guess" in page
    assert 'value="12.30pm"' in page
    assert post(marta, path, **USUAL).status_code == 303
    page = marta.get(path).text
    assert "our guess" not in page
    assert 'value="9am"' in page


def test_doses_to_come_follow_the_meals_and_the_others_stay(
    marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    rule = {
        "kind": "clock",
        "start_date": "2026-11-20",
        "times": [{"meal": "breakfast", "offset_min": 15}, {"meal": "bedtime"}],
        "dose": "1",
    }
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        lines = [line_from_json(rule)]
        set_plan(session, medication, lines=lines, author_id=None, now=now)
    replan(db, world, now)
    before = dues(db, world)
    assert datetime(2026, 11, 20, 22, 0, tzinfo=UTC) in before
    form = USUAL | {"differs": "y", "weekend_breakfast": "10am", "bedtime": "11pm"}
    post(marta, f"/patients/{world.patient}/meals", **form)
    replan(db, world, now)
    after = [f"{due:%a %H:%M}" for due in dues(db, world)]
    assert after[:5] == [
        "Fri 08:00",
        "Fri 23:00",
        "Sat 10:15",
        "Sat 23:00",
        "Sun 10:15",
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"lunch": "7.30am"}, "This is before breakfast, 9am."),
        ({"bedtime": "12.30am"}, "Choose a bedtime before midnight."),
        ({"wake": "early"}, "Write a time such as"),
        ({"dinner": ""}, "Write when this is"),
        (
            {"differs": "y", "weekend_breakfast": "1pm"},
            "This is before breakfast, 1pm.",
        ),
    ],
)
def test_meals_out_of_order_are_refused_in_words(
    marta: FlaskClient, db: Database, world: World, typed: dict[str, str], sentence: str
) -> None:
    answer = post(marta, f"/patients/{world.patient}/meals", **(USUAL | typed))
    assert answer.status_code == 422
    assert sentence in answer.text
    with db.reading() as session:
        assert session.get_one(Patient, world.patient).meals is None


def test_a_journey_asks_before_it_changes_anything(
    marta: FlaskClient, db: Database, world: World
) -> None:
    path = f"/patients/{world.patient}/travel"
    form = {name: value for name, value in TOKYO.items() if name != "decided"}
    page = post(marta, path, **form)
    assert page.status_code == 200
    assert "Keep home times or use local times?" in page.text
    assert "Ask your pharmacist before you travel." in page.text
    assert "9 hours different" in page.text
    # 8pm in Tokyo is three hours after the dose of 8am: it is left out.
    assert "Use local times. Next: 8am on Saturday 21 November." in page.text
    assert "Keep home times. Next: 5am on Saturday 21 November." in page.text
    with db.reading() as session:
        assert session.scalars(sa.select(ZoneChange)).all() == []


def test_local_times_follow_the_new_clock_and_say_what_was_left_out(
    marta: FlaskClient, db: Database, world: World, now: datetime, app: Flask
) -> None:
    base = f"/patients/{world.patient}"
    assert post(marta, f"{base}/travel", **NEW_YORK).status_code == 303
    replan(db, world, now)
    with db.reading() as session:
        rows = session.execute(
            sa.select(Dose.due_at, Dose.state, Dose.zone)
            .where(Dose.patient_id == world.patient, Dose.state != "cancelled")
            .order_by(Dose.due_at)
        ).all()
    # 8am was due in London; 8am in New York is five hours later, nearer than six.
    assert rows[0][0] == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert rows[1][0] == datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert {zone for _, _, zone in rows[1:]} == {"America/New_York"}
    day = marta.get(f"{base}/days/2026-11-20").text
    assert day.count("Moved by travel") == 1
    today = marta.get(f"{base}/today").text
    assert "Times are by the clock in New York." in today
    assert "Due at 3am" in today
    assert "Friday 20 November, night" in today
    rosa = signed_in(app, world.rosa, now=now).get(f"{base}/today").text
    assert "Times are by the clock in New York." in rosa


def test_home_times_keep_every_instant(
    marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    before = dues(db, world)
    answer = {f"times_{world.medication}": "home"}
    post(marta, f"/patients/{world.patient}/travel", **TOKYO, **answer)
    replan(db, world, now)
    assert dues(db, world) == before
    assert policies(db, world) == ["home"]
    with db.reading() as session:
        last = session.scalars(sa.select(Dose).order_by(Dose.due_at.desc())).first()
        assert last is not None
    page = marta.get(f"/patients/{world.patient}/medicines").text
    assert "Next: 5pm on Friday 20 November" in page


def test_what_must_not_be_late_is_offered_home_times(
    marta: FlaskClient, db: Database, world: World
) -> None:
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        medication.category, medication.name = "time_critical", "Sinemet"
    form = {name: value for name, value in TOKYO.items() if name != "decided"}
    form["zone"] = "Europe/Paris"
    page = post(marta, f"/patients/{world.patient}/travel", **form).text
    assert 'value="home" checked' in page
    assert "this must not be late" in page
    assert "Travel can change how Sinemet must be taken." in page


def test_a_planned_journey_begins_at_the_landing_and_can_be_taken_back(
    marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    base = f"/patients/{world.patient}"
    before = dues(db, world)
    later = TOKYO | {"when": "later", "on": "2026-11-22", "at": "3pm"}
    post(marta, f"{base}/travel", **later)
    replan(db, world, now)
    with db.reading() as session:
        (change,) = session.scalars(sa.select(ZoneChange))
    assert change.at == datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
    page = marta.get(f"{base}/travel").text
    assert "From 3pm on Sunday 22 November: the time of Tokyo, Asia" in page
    assert "clock in Tokyo" not in marta.get(f"{base}/today").text
    changed = dues(db, world)
    assert [due for due in changed if due < change.at] == [
        due for due in before if due < change.at
    ]
    assert changed != before
    path = f"{base}/travel/{change.id}/cancel"
    assert post(marta, path).status_code == 303
    replan(db, world, now)
    assert dues(db, world) == before
    assert post(marta, path).status_code == 404
    assert "Moved by travel" not in marta.get(f"{base}/days/2026-11-22").text


def test_coming_home_is_another_change(
    marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    base = f"/patients/{world.patient}"
    post(marta, f"{base}/travel", **TOKYO)
    page = marta.get(f"{base}/travel").text
    assert "Home again now" in page
    home = {"why": "travel", "zone": "Europe/London", "when": "now"}
    page = post(marta, f"{base}/travel", **home).text
    assert "Is this right?" in page
    post(marta, f"{base}/travel", **home, decided="y")
    replan(db, world, now)
    assert "Home again now" not in marta.get(f"{base}/travel").text
    assert {due.hour for due in dues(db, world)} == {8, 20}


def test_a_wrong_clock_is_put_right_for_what_is_to_come(
    marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    base = f"/patients/{world.patient}"
    form = {"why": "home", "zone": "Europe/Athens", "when": "now", "decided": "y"}
    post(marta, f"{base}/travel", **form)
    replan(db, world, now)
    with db.reading() as session:
        assert session.get_one(Patient, world.patient).zone == "Europe/Athens"
    assert [f"{due:%d %H}" for due in dues(db, world)][:3] == [
        "20 08",
        "20 18",
        "21 06",
    ]
    page = marta.get(f"{base}/travel").text
    assert "the time of <b>Athens, Europe</b> now" in page
    assert "Home is" not in page


def test_a_landing_needs_its_day_and_time(marta: FlaskClient, world: World) -> None:
    form = TOKYO | {"when": "later"}
    answer = post(marta, f"/patients/{world.patient}/travel", **form)
    assert answer.status_code == 422
    assert "Write the day and the time of landing." in answer.text
    answer = post(marta, f"/patients/{world.patient}/travel", zone="Mars/Base")
    assert answer.status_code == 422


def test_pressing_twice_is_one_journey(
    marta: FlaskClient, db: Database, world: World
) -> None:
    for _ in range(2):
        post(marta, f"/patients/{world.patient}/travel", **TOKYO)
    with db.reading() as session:
        assert len(session.scalars(sa.select(ZoneChange)).all()) == 1


def test_who_helps_from_elsewhere_reads_whose_clock_it_is(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    path = f"/patients/{world.patient}/today"
    seen = {
        name: "Times are by the clock in London."
        in signed_in(app, getattr(world, name), now=now).get(path).text
        for name in ("rosa", "marta", "nora")
    }
    assert seen == {"rosa": False, "marta": True, "nora": True}


def test_what_was_taken_before_the_flight_is_not_asked_for_again(
    marta: FlaskClient, db: Database, world: World, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        evening = session.scalars(
            sa.select(Dose).where(
                Dose.patient_id == world.patient,
                Dose.due_at == datetime(2026, 11, 20, 20, 0, tzinfo=UTC),
            )
        ).one()
        assert mark_taken(
            session,
            [evening.id],
            patient_id=world.patient,
            account_id=None,
            channel="page",
            now=now,
        )
    post(marta, f"/patients/{world.patient}/travel", **TOKYO)
    replan(db, world, now)
    # 8pm in Tokyo is 11am in London: the dose that was taken ahead.
    assert dues(db, world)[1] == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def test_a_day_of_pause_says_paused_and_asks_for_nothing(
    marta: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    rule = {
        "kind": "clock",
        "start_date": "2026-11-20",
        "times": ["08:30", "20:00"],
        "dose": "1",
        "pauses": [{"from": "2026-11-20"}],
    }
    with db.transaction() as session:
        session.execute(sa.delete(Dose).where(Dose.patient_id == world.patient))
        medication = session.get_one(Medication, world.medication)
        lines = [line_from_json(rule)]
        set_plan(session, medication, lines=lines, author_id=None, now=now)
    replan(db, world, now)
    today = marta.get(f"/patients/{world.patient}/today").text
    assert "Nothing to take today." in today
    assert today.count("Paused") >= 2
    assert "I have taken" not in today
    calendar = marta.get(f"/patients/{world.patient}/calendar").text
    assert "Paused" in calendar
