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
from pillweb.outbox.models import Attempt
from pillweb.patients.actions import change_zone
from pillweb.reminders.models import DeliveryDose
from tests.faults.checks import assert_nothing_lost
from tests.faults.rig import all_left, make_due, ring
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
