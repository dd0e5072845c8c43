"""Doses as plans change: the past stands, nothing is asked for twice."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.doses.actions.marking import mark_taken, skip_dose, undo_marks
from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import HORIZON
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan, stop_medication
from tests.at_once import at_once
from tests.world import daily, make_patient, plan, prescribe

HERE: dict[str, Any] = {"account_id": None, "channel": "page"}
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    return make_patient(session, now=now)


def doses(session: Session, *states: str) -> list[Dose]:
    wanted = sa.select(Dose).order_by(Dose.due_at, Dose.id)
    if states:
        wanted = wanted.where(Dose.state.in_(states))
    found = session.scalars(wanted, execution_options={"populate_existing": True})
    return list(found)


def rows(session: Session) -> list[tuple[Any, ...]]:
    table = Dose.__table__
    found = session.execute(sa.select(table).order_by(table.c.id))
    return [tuple(row) for row in found]


def labels(found: Sequence[Dose], on: date) -> list[str]:
    return [dose.local_label for dose in found if dose.nominal_date == on]


def edit(session: Session, medication: Medication, *clocks: str, now: datetime) -> None:
    """Write a new version of the plan, as the form does."""
    line = daily(*clocks, start=now.date())
    set_plan(session, medication, lines=[line], author_id=None, now=now)


def take(session: Session, dose: Dose, *, now: datetime) -> None:
    assert mark_taken(session, [dose.id], patient_id=dose.patient_id, now=now, **HERE)


def test_planning_twice_changes_nothing(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:00", "20:00", now=now)
    assert plan(session, rosa, now=now) == 15
    before = rows(session)
    assert plan(session, rosa, now=now) == 0
    assert plan(session, rosa, now=now + timedelta(seconds=1)) == 0
    assert rows(session) == before


def test_a_first_plan_reaches_half_an_hour_back(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "07:34", "07:35", "08:04", now=now)
    plan(session, rosa, now=now)
    assert labels(doses(session), now.date()) == ["07:35", "08:04"]


def test_a_later_version_does_not_reach_back(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "20:00", now=now)
    plan(session, rosa, now=now)
    edit(session, medication, "08:00", "20:00", now=now)
    plan(session, rosa, now=now)
    assert labels(doses(session), now.date()) == ["20:00"]


def test_doses_are_planned_a_week_ahead_and_no_further(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    assert max(dose.due_at for dose in doses(session)) < now + HORIZON


def test_a_time_that_moved_keeps_the_dose(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "12:00", now=now)
    plan(session, rosa, now=now)
    before = [dose.id for dose in doses(session)]
    edit(session, medication, "13:30", now=now)
    plan(session, rosa, now=now)
    assert [dose.id for dose in doses(session, "open")][: len(before)] == before
    assert {dose.local_label for dose in doses(session)} == {"13:30"}


def test_a_time_moved_after_the_dose_was_taken_does_not_ask_again(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    take(session, doses(session)[0], now=now)
    edit(session, medication, "10:00", now=now)
    plan(session, rosa, now=now)
    assert labels(doses(session), now.date()) == ["08:00"]
    assert labels(doses(session), now.date() + DAY) == ["10:00"]


def test_a_dose_taken_early_is_not_asked_for_when_its_time_moves(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:30", now=now)
    plan(session, rosa, now=now)
    take(session, doses(session)[0], now=now)
    edit(session, medication, "09:30", now=now)
    plan(session, rosa, now=now)
    assert labels(doses(session, "open"), now.date()) == []


def test_a_time_that_was_added_is_added_from_now_on(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "12:00", now=now)
    plan(session, rosa, now=now)
    before = [dose.id for dose in doses(session)]
    edit(session, medication, "12:00", "18:00", now=now)
    assert plan(session, rosa, now=now) == 7
    assert [d.id for d in doses(session) if d.local_label == "12:00"] == before


def test_a_time_that_was_removed_is_cancelled_in_the_future_only(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", "20:00", now=now)
    plan(session, rosa, now=now)
    later = now + DAY
    edit(session, medication, "20:00", now=later)
    plan(session, rosa, now=later)
    mornings = [dose for dose in doses(session) if dose.local_label == "08:00"]
    assert [d.state for d in mornings] == ["open"] * 2 + ["cancelled"] * 6
    assert {d.state for d in doses(session) if d.local_label == "20:00"} == {"open"}


def test_a_medicine_that_was_stopped_and_taken_up_again_goes_on(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", "20:00", now=now)
    plan(session, rosa, now=now)
    take(session, doses(session)[0], now=now)
    stop_medication(session, medication, now=now)
    plan(session, rosa, now=now)
    assert doses(session, "open") == []
    assert [dose.local_label for dose in doses(session, "taken")] == ["08:00"]
    edit(session, medication, "08:00", "20:00", now=now + HOUR)
    plan(session, rosa, now=now + HOUR)
    today = doses(session, "open", "taken")
    assert labels(today, now.date()) == ["08:00", "20:00"]
    assert [dose.state for dose in today[:2]] == ["taken", "open"]


def test_a_medicine_stopped_while_nobody_planned_is_not_asked_for(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "12:00", now=now)
    plan(session, rosa, now=now)
    stop_medication(session, medication, now=now + HOUR)
    plan(session, rosa, now=now + 6 * HOUR)
    assert doses(session, "open") == []


def test_two_edits_before_anybody_planned_may_trade_times(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "12:00", "13:00", now=now)
    plan(session, rosa, now=now)
    edit(session, medication, "14:00", "15:00", now=now)
    edit(session, medication, "13:00", "16:00", now=now)
    plan(session, rosa, now=now)
    assert labels(doses(session, "open"), now.date()) == ["13:00", "16:00"]


def test_a_time_that_moves_onto_a_taken_one_is_not_asked_for(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:30", "20:00", now=now)
    plan(session, rosa, now=now)
    take(session, doses(session)[0], now=now)
    edit(session, medication, "20:00", now=now)
    edit(session, medication, "08:30", now=now)
    plan(session, rosa, now=now)
    assert labels(doses(session, "open"), now.date()) == []
    assert labels(doses(session, "taken"), now.date()) == ["08:30"]
    assert labels(doses(session, "open"), now.date() + DAY) == ["08:30"]


def test_planning_fills_the_gap_of_ten_days_without_anybody(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:00", "20:00", now=now)
    plan(session, rosa, now=now)
    back = now + 10 * DAY
    plan(session, rosa, now=back)
    every = doses(session)
    assert len(every) == 2 * 17 + 1
    days = {dose.nominal_date for dose in every}
    assert days == {now.date() + n * DAY for n in range(18)}
    assert len(every) == len({dose.due_at for dose in every})


def test_a_gap_is_filled_by_the_plan_that_held_then(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    edit(session, medication, "09:00", now=now + 9 * DAY)
    plan(session, rosa, now=now + 10 * DAY)
    found = {dose.nominal_date: dose.local_label for dose in doses(session)}
    assert found[now.date() + 8 * DAY] == "08:00"
    assert found[now.date() + 10 * DAY] == "09:00"


def test_two_planners_at_once_make_the_rows_of_one(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        people = [make_patient(session, name=f"P{n}", now=now) for n in range(5)]
        for person in people:
            prescribe(session, person, "08:00", "14:00", "20:00", now=now)
        ids = [(person.id, person.zone) for person in people]

    def work(number: int) -> int:
        mine = ids if number % 2 else ids[::-1]
        with db.transaction() as session:
            return plan_doses(session, mine, now=now)

    assert sum(at_once(4, work)) == 5 * (3 * 7 + 1)
    with db.reading() as session:
        assert len(rows(session)) == 5 * (3 * 7 + 1)


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        ("2026-03-28", "08:00", ["08:00", "07:00"]),
        ("2026-03-28", "01:30", ["01:30", "01:30"]),
        ("2026-10-24", "08:00", ["07:00", "08:00"]),
        ("2026-10-24", "01:30", ["00:30", "00:30"]),
    ],
)
def test_a_night_of_changing_clocks_has_each_dose_once(
    session: Session, day: str, clock: str, utc: list[str]
) -> None:
    now = datetime.fromisoformat(f"{day}T00:10+00:00")
    patient = make_patient(session, now=now)
    prescribe(session, patient, clock, now=now)
    plan(session, patient, now=now)
    plan(session, patient, now=now + HOUR)
    found = doses(session)
    assert [f"{dose.due_at:%H:%M}" for dose in found[:2]] == utc
    dates = [dose.nominal_date for dose in found]
    assert len(dates) == len(set(dates)) >= 7
    assert {dose.local_label for dose in found} == {clock}


def test_doses_of_somebody_else_are_never_marked(
    session: Session, rosa: Patient, now: datetime
) -> None:
    other = make_patient(session, name="Bruno", now=now)
    prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    dose = doses(session)[0]
    facts: dict[str, Any] = {"patient_id": other.id, "now": now, **HERE}
    assert not mark_taken(session, [dose.id], **facts)
    assert not skip_dose(session, dose.id, reason="forgot", **facts)
    assert undo_marks(session, [dose.id], **facts) == 0
    assert session.scalars(sa.select(DoseEvent)).all() == []


def test_a_skip_keeps_its_reason_until_it_is_taken_back(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    dose = doses(session)[0]
    facts: dict[str, Any] = {"patient_id": rosa.id, "now": now, **HERE}
    assert skip_dose(session, dose.id, reason="forgot", **facts)
    assert not skip_dose(session, dose.id, reason="other", **facts)
    assert (doses(session)[0].state, doses(session)[0].skip_reason) == (
        "skipped",
        "forgot",
    )
    assert undo_marks(session, [dose.id], **facts) == 1
    again = doses(session)[0]
    assert (again.state, again.skip_reason, again.recorded_at) == ("open", None, None)


def test_pressing_at_once_in_many_threads_is_one_event(
    db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        patient = make_patient(session, now=now)
        prescribe(session, patient, "08:00", now=now)
        plan(session, patient, now=now)
        patient_id, dose_id = patient.id, doses(session)[0].id

    def press(_: int) -> int:
        with db.transaction() as session:
            return len(
                mark_taken(session, [dose_id], patient_id=patient_id, now=now, **HERE)
            )

    assert sum(at_once(10, press)) == 1
    with db.reading() as session:
        assert len(session.scalars(sa.select(DoseEvent)).all()) == 1
