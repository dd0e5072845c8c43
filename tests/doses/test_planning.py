"""Planning: what it adds, what it leaves alone, and what a second run costs."""

from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan, stop_medication
from tests.world import daily, make_patient, prescribe

A_DAY = timedelta(days=1)


def planned(session: Session, patient: Patient) -> list[tuple[datetime, str]]:
    rows = session.execute(
        sa.select(Dose.due_at, Dose.state)
        .where(Dose.patient_id == patient.id)
        .order_by(Dose.due_at)
    )
    return [(row.due_at, row.state) for row in rows]


def plan_for(session: Session, *patients: Patient, now: datetime) -> int:
    return plan_doses(session, [(p.id, p.zone) for p in patients], now=now)


def test_planning_says_how_many_doses_it_added(session: Session, now: datetime) -> None:
    rosa = make_patient(session, now=now)
    prescribe(session, rosa, "08:00", "20:00", now=now)
    assert plan_for(session, rosa, now=now) == 15
    assert len(planned(session, rosa)) == 15


def test_planning_again_changes_nothing(session: Session, now: datetime) -> None:
    rosa = make_patient(session, now=now)
    prescribe(session, rosa, "08:00", "20:00", now=now)
    plan_for(session, rosa, now=now)
    before = planned(session, rosa)
    assert plan_for(session, rosa, now=now) == 0
    assert planned(session, rosa) == before


def test_a_day_later_a_day_more_is_planned(session: Session, now: datetime) -> None:
    rosa = make_patient(session, now=now)
    prescribe(session, rosa, "08:00", "20:00", now=now)
    plan_for(session, rosa, now=now)
    assert plan_for(session, rosa, now=now + A_DAY) == 2
    dues = [due_at for due_at, _ in planned(session, rosa)]
    assert [b - a for a, b in pairwise(dues)] == [A_DAY / 2] * 16


def test_a_day_of_planning_equals_a_plan_of_the_whole(
    session: Session, now: datetime
) -> None:
    rosa, bruno = (make_patient(session, name=n, now=now) for n in ("Rosa", "Bruno"))
    for who in (rosa, bruno):
        prescribe(session, who, "01:30", "13:00", now=now)
    for days in range(15):
        plan_for(session, rosa, now=now + A_DAY * days)
    plan_for(session, bruno, now=now)
    plan_for(session, bruno, now=now + A_DAY * 14)
    assert planned(session, rosa) == planned(session, bruno)


def test_a_changed_plan_leaves_its_neighbours_alone(
    session: Session, now: datetime
) -> None:
    rosa, bruno = (make_patient(session, name=n, now=now) for n in ("Rosa", "Bruno"))
    medication: Medication = prescribe(session, rosa, "08:00", "20:00", now=now)
    prescribe(session, bruno, "08:00", now=now)
    plan_for(session, rosa, bruno, now=now)
    before = planned(session, bruno)
    later = now + timedelta(hours=2)
    line = daily("09:00", start=now.date())
    set_plan(session, medication, lines=[line], author_id=None, now=later)
    plan_for(session, rosa, bruno, now=later)
    standing = {due for due, state in planned(session, rosa) if state == "open"}
    assert {due.hour for due in standing if due > later} == {9}
    assert planned(session, bruno)[: len(before)] == before


def test_a_stopped_medicine_has_no_doses_to_come(
    session: Session, now: datetime
) -> None:
    rosa = make_patient(session, now=now)
    medication = prescribe(session, rosa, "08:00", "20:00", now=now)
    plan_for(session, rosa, now=now)
    later = now + timedelta(hours=2)
    stop_medication(session, medication, now=later)
    plan_for(session, rosa, now=later)
    states = {state for due, state in planned(session, rosa) if due > later}
    assert states == {"cancelled"}
