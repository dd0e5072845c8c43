from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import jobs
from jobs.timetable import JOBS, TIMETABLE
from migrations.tables import metadata
from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.reports.actions import want_report
from pillweb.reports.models import ReportOrder
from pillweb.supply.actions.booking import count_supply
from tests.jobs.conftest import Moment
from tests.services import SmtpSink
from tests.world import World

FOLDER = Path(jobs.__file__).parent
PROCESSES = {
    "apart",
    "bell",
    "clock",
    "crew",
    "leaving",
    "line",
    "pdfs",
    "runtime",
    "timetable",
    "worker",
}


def rows(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.reading() as session:
        return {
            name: sorted(tuple(row) for row in session.execute(sa.select(table)))
            if name not in {"heartbeat", "horizon"}
            else []
            for name, table in metadata.tables.items()
        }


def test_every_job_has_its_line() -> None:
    files = {file.stem for file in FOLDER.glob("[!_]*.py")}
    assert files - PROCESSES == set(JOBS)
    assert len(JOBS) == len(TIMETABLE)


def test_doses_are_planned_before_they_are_said_and_said_before_they_are_sent() -> None:
    names = [job.name for job in TIMETABLE]
    assert names.index("plan_doses") < names.index("fire_reminders")
    assert names.index("fire_reminders") < names.index("deliver")
    assert names.index("order_reports") < names.index("build_reports")


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_without_work_does_nothing(
    name: str, db: Database, moment: Moment
) -> None:
    assert JOBS[name].run() == 0


@pytest.fixture
def busy(db: Database, world: World, moment: Moment, sink: SmtpSink) -> World:
    """A morning with work for every job."""
    with db.transaction() as session:
        order = session.get_one(ReportOrder, world.order)
        order.every, order.next_at = "week", moment.now
        order.next_on = moment.now.date()
        other = session.get_one(ReportOrder, world.other_order)
        day = moment.now.date()
        pills = session.get_one(Medication, world.medication)
        facts: dict[str, Any] = {"account_id": None, "press": None, "now": moment.now}
        count_supply(session, pills, counted=Fraction(2), **facts)
        want_report(session, other, last=day, occasion="asked", now=moment.now)
    moment.move(days=1, hours=-1)
    return world


def waits(db: Database, name: str, now: datetime) -> bool:
    with db.reading() as session:
        return JOBS[name].oldest(session, now) is not None


def test_every_job_ends_with_nothing_left_and_a_second_run_changes_nothing(
    db: Database, busy: World, moment: Moment, sink: SmtpSink
) -> None:
    moment.move(hours=-24 + 1)
    for job in TIMETABLE:
        job.run()
        assert not waits(db, job.name, moment.now), job.name
        before = rows(db)
        assert job.run() == 0
        assert rows(db) == before, job.name
    JOBS["deliver"].run()
    sent = len(sink.mails)
    assert sent == 4
    for job in TIMETABLE:
        assert job.run() == 0
    assert len(sink.mails) == sent
