"""Planning: what it adds, what it leaves alone, and what a second run costs."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.actions import note_plan_change
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan, stop_medication
from pillweb.schedules.rules.line import Pause
from pillweb.schedules.rules.line_json import line_from_json
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


EVERY_KIND: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    (
        {"kind": "interval", "first": "2026-11-20T10:00", "interval_hours": 36},
        {"open": ["20 10", "21 22", "23 10", "24 22", "26 10"]},
    ),
    ({"days": {"cycle": [2, 3]}}, {"open": ["20 09", "21 09", "25 09", "26 09"]}),
    ({"days": {"weekdays": ["mon", "wed"]}}, {"open": ["23 09", "25 09"]}),
    ({"days": {"month_day": 31}}, {}),
    (
        {
            "times": None,
            "steps": [
                {"days": 2, "times": [{"at": "09:00", "dose": "40 mg"}]},
                {"days": 1, "times": [{"at": "09:00", "dose": "20 mg"}]},
            ],
        },
        {"open": ["20 09", "21 09", "22 09"]},
    ),
    ({"kind": "prn", "min_interval_minutes": 240}, {}),
    ({"kind": "once", "at": "2026-11-22T14:00"}, {"open": ["22 14"]}),
    ({"count": 3}, {"open": ["20 09", "21 09", "22 09"]}),
    ({"end_date": "2026-11-21"}, {"open": ["20 09", "21 09"]}),
    (
        {"pauses": [{"from": "2026-11-21", "to": "2026-11-22"}], "count": 4},
        {"held": ["21 09", "22 09"], "open": ["20 09", "23 09", "24 09", "25 09"]},
    ),
    (
        {"times": [{"meal": "bedtime", "offset_min": -30}], "end_date": "2026-11-21"},
        {"open": ["20 21", "21 21"]},
    ),
    (
        {"times": ["09:00", {"at": "18:00", "day_parity": 1}], "count": 4},
        {"open": ["20 09", "21 09", "21 18", "22 09"]},
    ),
]


@pytest.mark.parametrize(("rule", "wanted"), EVERY_KIND)
def test_every_kind_of_line_is_planned_once(
    rule: dict[str, Any], wanted: dict[str, list[str]], session: Session, now: datetime
) -> None:
    rosa = make_patient(session, now=now)
    medication = prescribe(session, rosa, "23:59", now=now)
    whole = {"kind": "clock", "dose": "1", **rule}
    if whole["kind"] == "clock":
        whole = {"start_date": "2026-11-20", "times": ["09:00"], **whole}
    line = line_from_json({k: v for k, v in whole.items() if v is not None})
    set_plan(session, medication, lines=[line], author_id=None, now=now)
    for at in (now, now, now + timedelta(minutes=1)):
        plan_for(session, rosa, now=at)
    note_plan_change(session, rosa.id)
    assert plan_for(session, rosa, now=now + timedelta(minutes=2)) == 0
    found: dict[str, list[str]] = {}
    for due_at, state in planned(session, rosa):
        found.setdefault(state, []).append(f"{due_at:%d %H}")
    assert found == wanted


def test_a_pause_holds_the_doses_to_come_until_it_ends(
    session: Session, now: datetime
) -> None:
    rosa = make_patient(session, now=now)
    medication = prescribe(session, rosa, "08:00", "20:00", now=now)
    plan_for(session, rosa, now=now)
    usual = planned(session, rosa)
    line = daily("08:00", "20:00", start=now.date())
    pause = Pause(now.date(), None, "operation")
    paused = replace(line, pauses=(pause,))
    set_plan(session, medication, lines=[paused], author_id=None, now=now)
    plan_for(session, rosa, now=now)
    states = [state for _, state in planned(session, rosa)]
    assert states == ["open"] + ["held"] * (len(usual) - 1)
    set_plan(session, medication, lines=[line], author_id=None, now=now)
    plan_for(session, rosa, now=now)
    assert planned(session, rosa) == usual
