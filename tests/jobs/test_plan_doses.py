from collections.abc import MutableMapping
from typing import Any

import sqlalchemy as sa

from jobs import plan_doses
from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.patients.models import Patient
from pillweb.reminders.models import Reminder
from tests.at_once import at_once
from tests.jobs.conftest import Moment
from tests.world import make_patient, prescribe


def people(db: Database, moment: Moment, count: int) -> list[int]:
    """Let so many people have a plan that nobody has planned yet."""
    with db.transaction() as session:
        made = [
            make_patient(session, name=f"P{n}", now=moment.now) for n in range(count)
        ]
        for patient in made:
            prescribe(session, patient, "08:10", now=moment.now)
        return [patient.id for patient in made]


def planned(db: Database) -> set[int]:
    with db.reading() as session:
        return set(session.scalars(sa.select(Dose.patient_id).distinct()))


def test_everybody_who_waits_is_planned_and_armed(db: Database, moment: Moment) -> None:
    ids = people(db, moment, plan_doses.BATCH + 3)
    assert plan_doses.run() == len(ids)
    assert plan_doses.run() == 0
    assert planned(db) == set(ids)
    with db.reading() as session:
        armed = session.scalars(sa.select(Reminder.patient_id).distinct()).all()
    assert set(armed) == set(ids)


def test_a_plan_that_cannot_be_read_stops_nobody_else(
    db: Database, moment: Moment, told: list[MutableMapping[str, Any]]
) -> None:
    ids = people(db, moment, 4)
    with db.transaction() as session:
        poison = session.get_one(Patient, ids[1])
        poison.zone = "Nowhere/AtAll"
    assert plan_doses.run() == 3
    assert planned(db) == set(ids) - {ids[1]}
    assert [one["patient"] for one in told if "unplanned" in one["event"]] == [ids[1]]
    with db.transaction() as session:
        session.get_one(Patient, ids[1]).zone = "Europe/London"
    assert plan_doses.run() == 1
    assert planned(db) == set(ids)


def test_jobs_at_once_plan_everybody_once(db: Database, moment: Moment) -> None:
    ids = people(db, moment, 12)
    at_once(3, lambda _: plan_doses.run())
    with db.reading() as session:
        assert len(session.scalars(sa.select(Dose)).all()) == 7 * len(ids)
