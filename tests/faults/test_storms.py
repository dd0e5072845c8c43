"""Too much for one person at once: F24 of `table.py`."""

from datetime import timedelta

import sqlalchemy as sa

from jobs import deliver, fire_reminders, plan_doses
from pillweb.base.db import Database
from pillweb.contacts.rules import MOST_A_MINUTE, MOST_AN_HOUR
from pillweb.outbox.models import Incident
from tests.jobs.conftest import Moment, moment
from tests.services import SmtpSink
from tests.world import make_patient, prescribe

__all__ = ["moment"]


def test_four_hundred_doses_at_once_are_one_message(
    db: Database, moment: Moment, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        patient = make_patient(session, now=moment.now)
        clocks = [f"08:{minute:02}" for minute in range(5, 15)]
        for number in range(40):
            prescribe(session, patient, *clocks, name=f"M{number}", now=moment.now)
    plan_doses.run()
    fire_reminders.run()
    deliver.run()
    assert len(sink.mails) == 1


def test_a_dose_every_minute_is_capped_and_the_storm_is_an_incident(
    db: Database, moment: Moment, sink: SmtpSink
) -> None:
    clocks = [
        f"{moment.now + timedelta(minutes=minute):%H:%M}" for minute in range(120)
    ]
    with db.transaction() as session:
        patient = make_patient(session, now=moment.now)
        prescribe(session, patient, *clocks, now=moment.now)
    plan_doses.run()
    began = moment.now
    most = 0
    while moment.now < began + timedelta(minutes=120):
        before = len(sink.mails)
        fire_reminders.run()
        deliver.run()
        most = max(most, len(sink.mails) - before)
        moment.move(seconds=30)
        plan_doses.run()
    assert most <= MOST_A_MINUTE
    assert len(sink.mails) <= 2 * MOST_AN_HOUR + MOST_A_MINUTE
    with db.reading() as session:
        incidents = session.scalars(sa.select(Incident.kind)).all()
    assert len(sink.mails) < 2 * MOST_AN_HOUR or "storm" in incidents
