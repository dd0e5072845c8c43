"""Clocks that are wrong, and clocks that change: F9 and F19 of `table.py`."""

import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from jobs import fire_reminders, plan_doses
from pillweb.base.clock import now as clock_now
from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.outbox.models import Attempt, Incident
from pillweb.patients.actions import change_zone
from pillweb.reminders.models import DeliveryDose
from pillweb.watch.rules.alarm import CLOCK_JUMP
from tests.faults.checks import assert_nothing_lost
from tests.faults.rig import alive, all_left, make_due, ring
from tests.jobs.conftest import Moment, moment
from tests.running import Processes, wait_until
from tests.services import SmtpSink
from tests.world import make_patient, prescribe

__all__ = ["moment"]

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("db", ["postgres"], indirect=True)
@pytest.mark.parametrize("hours", [2, -2])
def test_a_worker_whose_clock_is_wrong_sends_on_time(
    db: Database, house: Processes, sink: SmtpSink, hours: int
) -> None:
    make_due(db, 2)
    make_due(db, 2, ahead=HOUR)
    skewed = [sys.executable, "-m", "tests.faults.skewed", str(hours)]
    house.start("worker", [*skewed, "jobs.worker", "reminders"])
    house.start("clock")
    ring()
    wait_until(lambda: all_left(db, 2), seconds=30, what=house.said())
    with db.reading() as session:
        started = session.scalars(sa.select(Attempt.started_at)).all()
    assert all(abs(clock_now() - at) < timedelta(minutes=2) for at in started)
    assert len(sink.mails) == 2
    assert_nothing_lost(db, sink)


# A clock of the database that a row sets wrong, before the real one on its path.
SKEWED = """
create schema skewed;
create table skewed.clock (hours int);
insert into skewed.clock values (0);
create function skewed.clock_timestamp() returns timestamptz language sql as
    'select pg_catalog.clock_timestamp()
        + make_interval(hours => (select hours from skewed.clock))';
"""


def set_clock(db: Database, hours: int) -> None:
    """Let the database's clock be wrong by so much from now on."""
    with db.transaction() as session:
        session.execute(sa.text("update skewed.clock set hours = :by"), {"by": hours})


@pytest.mark.parametrize("db", ["postgres"], indirect=True)
def test_a_database_clock_that_jumps_is_told_and_nothing_leaves_early(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        session.connection().exec_driver_sql(SKEWED)
        name = session.get_bind().engine.url.database
        path = f'alter database "{name}" set search_path = skewed, pg_catalog, public'
        session.connection().exec_driver_sql(path)
    make_due(db, 2, ahead=HOUR)
    house.start("clock")
    house.start("worker")
    wait_until(lambda: "clock" in alive(db), seconds=30, what=house.said())
    set_clock(db, 2)
    wait_until(lambda: jumped(db) == [True], seconds=30, what=house.said())
    make_due(db, 2)
    ring()
    wait_until(lambda: all_left(db, 2), seconds=30, what=house.said())
    assert len(sink.mails) == 2
    set_clock(db, 0)
    wait_until(lambda: jumped(db) == [False], seconds=30, what=house.said())
    assert len(sink.mails) == 2


def jumped(db: Database) -> list[bool]:
    """Return whether each jump of the clock that was told of is still one."""
    with db.reading() as session:
        found = sa.select(Incident).where(Incident.kind == CLOCK_JUMP)
        return [row.closed_at is None for row in session.scalars(found)]


def live_through(db: Database, moment: Moment, until: datetime) -> None:
    """Let the jobs look every ten minutes."""
    while moment.now < until:
        plan_doses.run()
        fire_reminders.run()
        moment.move(minutes=10)


def firsts(db: Database) -> dict[tuple[date, str], int]:
    """Return how often the first step of each local dose that is over was posted."""
    with db.reading() as session:
        rows = session.execute(
            sa.select(Dose.nominal_date, Dose.local_label).join(
                DeliveryDose,
                sa.and_(
                    DeliveryDose.dose_id == Dose.id,
                    DeliveryDose.kind == "dose_due",
                    DeliveryDose.step == 0,
                ),
            )
        )
        return dict(Counter((row.nominal_date, row.local_label) for row in rows))


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/London", date(2026, 3, 28)),
        ("Europe/London", date(2026, 10, 24)),
        ("America/New_York", date(2026, 3, 7)),
        ("Europe/London", date(2028, 2, 28)),
    ],
)
def test_each_local_dose_is_said_once_through_nights_of_changing_clocks(
    db: Database, moment: Moment, zone: str, day: date
) -> None:
    moment.now = datetime(day.year, day.month, day.day, 0, 5, tzinfo=UTC)
    with db.transaction() as session:
        patient = make_patient(session, now=moment.now, zone=zone)
        prescribe(session, patient, "01:30", "12:00", "22:00", now=moment.now)
    live_through(db, moment, moment.now + timedelta(days=3))
    said = firsts(db)
    assert set(said.values()) == {1}
    for number in (1, 2):
        for clock in ("01:30", "12:00", "22:00"):
            if zone == "Europe/London" or number == 1 or clock != "22:00":
                assert ((day + timedelta(days=number)), clock) in said


def test_who_travels_hears_of_each_dose_once(db: Database, moment: Moment) -> None:
    with db.transaction() as session:
        patient = make_patient(session, now=moment.now)
        prescribe(session, patient, "09:00", "21:00", now=moment.now)
        patient_id = patient.id
    live_through(db, moment, moment.now + timedelta(hours=30))
    with db.transaction() as session:
        change_zone(
            session,
            patient_id,
            zone="Asia/Tokyo",
            is_travel=False,
            account_id=None,
            at=moment.now,
            now=moment.now,
        )
    live_through(db, moment, moment.now + timedelta(days=3))
    said = firsts(db)
    assert set(said.values()) == {1}
    assert len(said) >= 7
