"""What we failed to remind of: shown as our fault, and nobody's in the numbers."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from pillweb.adherence.rules.calendar import day_state
from pillweb.adherence.rules.outcome import Outcome, State
from pillweb.adherence.rules.pattern import patterns
from pillweb.adherence.rules.tally import tally
from pillweb.base.db import Database
from pillweb.base.zones import zone
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.reports.rules import MedicineFacts, report_page
from tests.world import World, signed_in

DUE = datetime(2026, 6, 1, 7, tzinfo=UTC)
LATER = DUE + timedelta(days=10)


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def dose(state: State, *, day: int = 0, fault: bool = False) -> Outcome:
    due = DUE + timedelta(days=day)
    return Outcome(
        due_at=due,
        nominal_date=due.date(),
        state=state,
        window=timedelta(hours=1),
        missed_at=due + timedelta(hours=6),
        taken_at=due if state == "taken" else None,
        fraction=Fraction(1, 2) if state == "part" else Fraction(1),
        medicine=1,
        local_time=time(8),
        system_fault=fault,
    )


def test_it_is_in_no_percentage_no_run_and_no_pattern() -> None:
    taken = [dose("taken", day=day) for day in range(4)]
    ours = [dose("open", day=day, fault=True) for day in range(4, 9)]
    found = tally(taken + ours, LATER)
    assert (found.counted, found.taken, found.no_record) == (4, 4, 0)
    assert found.not_reminded == 5
    assert str(found.taken_pct) == "100.0"
    assert (found.due_days, found.current_run) == (4, 4)
    assert patterns(taken + ours, LATER) == ()


def test_it_counts_as_taken_once_it_is_recorded_and_waits_until_it_is_missed() -> None:
    assert tally([dose("taken", fault=True)], LATER).taken == 1
    assert tally([dose("taken", fault=True)], LATER).not_reminded == 0
    assert tally([dose("open", fault=True)], DUE + timedelta(hours=2)).open == 1


@pytest.mark.parametrize(
    ("others", "state"),
    [
        ([], "not_reminded"),
        (["taken"], "not_reminded"),
        (["taken", "part"], "part"),
        (["open"], "no_record"),
        (["held"], "not_reminded"),
    ],
)
def test_a_day_shows_it_unless_something_else_says_more(
    others: list[State], state: str
) -> None:
    day = [dose("open", fault=True), *(dose(other) for other in others)]
    assert day_state(day, LATER) == state


def test_the_report_says_it_apart_as_our_fault() -> None:
    outcomes = [dose("taken"), *(dose("open", day=n, fault=True) for n in (1, 2, 3))]
    page = report_page(
        outcomes,
        {1: MedicineFacts("Amlodipine", "5 mg", "one a day")},
        patient_name="Rosa",
        place=zone("Europe/London"),
        first=date(2026, 5, 15),
        last=date(2026, 6, 11),
        as_of=LATER,
    )
    assert page.not_reminded.startswith("Not reminded, our fault: 3 doses")
    assert (page.rows[0].counted, page.rows[0].no_record) == ("1", "0")
    assert "not_reminded" in page.chart.legend


def test_the_day_and_the_calendar_say_it_and_it_can_still_be_recorded(
    rosa: FlaskClient, db: Database, world: World, now: datetime
) -> None:
    yesterday = now - timedelta(days=1)
    with db.transaction() as session:
        first = sa.select(Dose).where(Dose.patient_id == world.patient)
        row = session.scalars(first.order_by(Dose.due_at)).first()
        assert row is not None
        row.nominal_date = yesterday.date()
        row.due_at = row.due_at - timedelta(days=1)
        row.missed_at = yesterday
        row.system_fault = True
        dose_id = row.id
    base = f"/patients/{world.patient}"
    calendar = rosa.get(f"{base}/calendar").text
    assert "Not reminded" in calendar
    day = rosa.get(f"{base}/days/{yesterday.date()}").text
    assert "Not reminded" in day
    assert "No record" not in day
    with db.transaction() as session:
        mark_taken(
            session,
            [dose_id],
            patient_id=world.patient,
            account_id=world.rosa,
            channel="page",
            now=now,
        )
    assert "Not reminded" not in rosa.get(f"{base}/days/{yesterday.date()}").text
    with db.reading() as session:
        assert session.get_one(Dose, dose_id).system_fault
