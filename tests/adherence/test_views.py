"""The calendar: what a month says, far months, bad months, every zone."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.adherence.queries import outcomes_of
from pillweb.adherence.rules.tally import tally
from pillweb.base.db import Database
from pillweb.base.zones import local, zone
from pillweb.doses.models import Dose
from pillweb.patients.models import Patient
from tests.world import World, csrf_of, plan, signed_in

NO_MONTHS = [
    "2026-13",
    "2026-00",
    "1999-12",
    "2100-01",
    "9999-12",
    "x",
    "%00",
    "2026-11-20",
    "2026-1",
    "-1",
    "\u0662\u0660\u0662\u0666-11",
    "20\u0662\u0666-11",
]


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def calendar(client: FlaskClient, world: World, month: str = "") -> str:
    query = f"?month={month}" if month else ""
    page = client.get(f"/patients/{world.patient}/calendar{query}")
    assert page.status_code == 200
    return page.text


def cells(page: str) -> dict[int, str]:
    """Return the words of each day of the month, empty where nothing is said."""
    found = {}
    for cell in re.findall(r"<td[^>]*>(.*?)</td>", page, re.DOTALL):
        number = re.search(r'(?:">|</span>)(\d+)(?:</a>|</span>| )', cell)
        mark = re.search(r'class="mark.*<bdi>([^<]+)</bdi>', cell)
        if number:
            found[int(number[1])] = mark[1] if mark else ""
    return found


def live(db: Database, world: World, *, until: datetime, since: datetime) -> None:
    """Plan each day as the job would have."""
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        at = since
        while at <= until:
            plan(session, patient, now=at)
            at += timedelta(days=3)


def test_the_month_says_what_the_tally_counts(
    rosa: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    at = now + timedelta(days=10)
    live(db, world, since=now, until=at)
    with db.transaction() as session:
        doses = session.scalars(
            sa.select(Dose)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at)
        ).all()
        for number, dose in enumerate(doses):
            if dose.due_at < at and number % 5:
                dose.state, dose.taken_at, dose.recorded_at = "taken", dose.due_at, at
    pinned.move_to(at)
    page = calendar(rosa, world)
    with db.reading() as session:
        found = outcomes_of(
            session, world.patient, first=date(2026, 11, 1), last=date(2026, 11, 30)
        )
    counts = tally(found, at)
    said = f"All was taken on {counts.full_days} of {counts.due_days} days."
    assert said in page
    words = list(cells(page).values())
    assert words.count("Taken") == counts.full_days
    assert len([w for w in words if w == "Taken" or "Some" in w]) == counts.due_days
    assert words[:19] == ["Not due"] * 19


def test_days_beyond_the_planned_week_claim_nothing(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        session.execute(sa.delete(Dose).where(Dose.due_at > now + timedelta(days=2)))
    found = cells(calendar(rosa, world))
    assert found[23] == "Not due"
    assert [found[day] for day in range(26, 31)] == [""] * 5
    december = cells(calendar(rosa, world, "2026-12"))
    assert list(december) == list(range(1, 32))
    assert set(december.values()) == {""}


@pytest.mark.parametrize("month", ["2000-01", "2024-02", "2026-10", "2099-12"])
def test_a_month_without_doses_is_shown_and_counts_nothing(
    rosa: FlaskClient, world: World, month: str
) -> None:
    page = calendar(rosa, world, month)
    year, number = map(int, month.split("-"))
    assert len(cells(page)) == monthrange(year, number)[1]
    assert "All was taken" not in page


def test_the_first_month_has_none_before_it(rosa: FlaskClient, world: World) -> None:
    assert "month=1999-12" not in calendar(rosa, world, "2000-01")
    assert "month=2000-01" in calendar(rosa, world, "2000-02")


@pytest.mark.parametrize("month", NO_MONTHS)
def test_what_is_no_month_is_not_found(
    rosa: FlaskClient, world: World, month: str
) -> None:
    path = f"/patients/{world.patient}/calendar?month={month}"
    assert rosa.get(path).status_code == 404


def test_an_empty_month_is_not_found(rosa: FlaskClient, world: World) -> None:
    path = f"/patients/{world.patient}/calendar?month="
    assert rosa.get(path).status_code == 404


@pytest.mark.parametrize("hour", [0, 7, 12, 23])
@pytest.mark.parametrize(
    "home", ["Pacific/Kiritimati", "America/Los_Angeles", "Europe/London"]
)
def test_today_is_the_patients_own_day(
    app: Flask, world: World, db: Database, home: str, hour: int
) -> None:
    at = datetime(2026, 11, 20, hour, 5, tzinfo=UTC)
    with db.transaction() as session:
        session.get_one(Patient, world.patient).zone = home
    here = local(at, zone(home)).date()
    with time_machine.travel(at, tick=False):
        page = calendar(signed_in(app, world.rosa, now=at), world)
    today = re.search(r'aria-current="date">(.*?)</td>', page, re.DOTALL)
    assert today
    assert f">{here.day}<" in today[1] or f">{here.day} <" in today[1]


@pytest.mark.parametrize(
    ("home", "start"),
    [
        ("Europe/London", "2027-03-01T08:05:00Z"),
        ("Europe/London", "2027-10-01T08:05:00Z"),
        ("America/Los_Angeles", "2027-03-01T16:05:00Z"),
        ("Australia/Lord_Howe", "2027-04-01T00:05:00Z"),
        ("Pacific/Kiritimati", "2027-02-27T20:05:00Z"),
    ],
)
def test_a_month_with_a_clock_change_has_each_day_once(
    app: Flask, world: World, db: Database, home: str, start: str
) -> None:
    began = datetime.fromisoformat(start)
    end = began + timedelta(days=32)
    with db.transaction() as session:
        session.execute(sa.delete(Dose))
        session.get_one(Patient, world.patient).zone = home
    live(db, world, since=began, until=end)
    with db.transaction() as session:
        for dose in session.scalars(sa.select(Dose).where(Dose.due_at < end)):
            dose.state, dose.taken_at, dose.recorded_at = "taken", dose.due_at, end
    first = local(began, zone(home)).date()
    with time_machine.travel(end, tick=False):
        rosa = signed_in(app, world.rosa, now=end)
        found = cells(calendar(rosa, world, f"{first:%Y-%m}"))
    days = monthrange(first.year, first.month)[1]
    assert len(found) == days
    assert all(found[day] == "Taken" for day in range(first.day + 1, days + 1))


def look(client: FlaskClient, world: World, query: str) -> str:
    page = client.get(f"/patients/{world.patient}/calendar?{query}")
    assert page.status_code == 200
    return page.text


def test_a_month_is_read_as_a_plain_list_too(
    rosa: FlaskClient, world: World, now: datetime
) -> None:
    page = look(rosa, world, "month=2026-11&as=list")
    assert "<table" not in page
    assert '<ol class="day-list">' in page
    assert page.count("<li") - page.count('<li class="today"') >= 25
    assert ">Friday 20 November</a>" in page
    assert "month=2026-10&amp;as=list" in page
    table = look(rosa, world, "month=2026-11")
    assert "<table" in table
    assert "month=2026-11&amp;as=list" in table


def test_a_week_tells_each_part_of_its_days(rosa: FlaskClient, world: World) -> None:
    page = look(rosa, world, "week=2026-11-20")
    assert "Week of Monday 16 November" in page
    assert 'aria-current="date"><span class="date"><a href="/patients/1/days' in page
    assert re.search(r"<li>Morning .*?To come", page)
    assert re.search(r"<li>Evening .*?To come", page)
    assert "week=2026-11-09" in page
    assert "week=2026-11-23" not in page  # it has not begun
    assert "week=2026-11-16" in look(rosa, world, "week=2026-11-09")


def test_weeks_begin_as_the_language_has_them(rosa: FlaskClient, world: World) -> None:
    rosa.set_cookie("look", "20.system.ar")
    page = look(rosa, world, "week=2026-11-20")
    assert "week=2026-11-07" in page
    heads = re.findall(r'<th scope="col" abbr="([^"]+)"', calendar(rosa, world))
    assert len(heads) == 7
    assert heads[0] == "السبت"


@pytest.mark.parametrize("week", ["", "2026-11", "2026-02-31", "1999-12-31", "x"])
def test_what_is_no_week_is_not_found(
    rosa: FlaskClient, world: World, week: str
) -> None:
    path = f"/patients/{world.patient}/calendar?week={week}"
    assert rosa.get(path).status_code == 404


def test_the_first_and_the_last_week_are_shown(rosa: FlaskClient, world: World) -> None:
    assert "Week before" not in look(rosa, world, "week=2000-01-01")
    assert "Week after" not in look(rosa, world, "week=2099-12-31")


def test_the_last_days_stand_beside_the_days_in_a_row(
    rosa: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    at = now + timedelta(days=12)
    live(db, world, since=now, until=at)
    with db.transaction() as session:
        mine = sa.select(Dose).where(Dose.patient_id == world.patient)
        for dose in session.scalars(mine):
            # One evening is missed, and the days go on from there.
            if dose.due_at < at and dose.nominal_date != date(2026, 11, 23):
                dose.state, dose.taken_at, dose.recorded_at = "taken", dose.due_at, at
    pinned.move_to(at)
    said = "In the last 30 days, all was taken on 11 of 12 days. 8 days in a row."
    for query in ("month=2026-12", "as=list", "week=2026-12-02"):
        assert said in look(rosa, world, query)
    assert "in a row" not in look(rosa, world, "month=2026-11")


def test_a_link_shows_week_and_list_and_leads_to_no_day(
    app: Flask, world: World, now: datetime, pinned: object
) -> None:
    guest = app.test_client()
    guest.post(f"/s/{world.link_token}", data={"csrf_token": csrf_of(guest)})
    for query in ("week=2026-11-20", "as=list"):
        page = guest.get(f"/shared/{world.link}/calendar?{query}")
        assert page.status_code == 200
        assert "/days/" not in page.text
