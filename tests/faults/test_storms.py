"""Too much for one person at once: F24 of `table.py`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from jobs import deliver, fire_reminders, plan_doses
from pillweb.base.db import Database
from pillweb.contacts.rules import MOST_A_MINUTE, MOST_AN_HOUR, STORM
from pillweb.outbox.models import Incident
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.rules import Level
from tests.jobs.conftest import Moment, moment
from tests.services import SmtpSink
from tests.world import make_cast_account, make_patient, prescribe

__all__ = ["moment"]
ESCALATIONS = 60


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


def busiest(times: Sequence[datetime], span: timedelta) -> int:
    """Return how many of these are in any such stretch of time at most."""
    return max((sum(at <= one < at + span for one in times) for at in times), default=0)


def storm_of(db: Database) -> Sequence[Incident]:
    with db.reading() as session:
        return session.scalars(sa.select(Incident)).all()


def test_a_dose_every_minute_is_gathered_and_never_more_than_the_cap(
    db: Database, moment: Moment, sink: SmtpSink
) -> None:
    clocks = [f"{moment.now + timedelta(minutes=number):%H:%M}" for number in range(90)]
    with db.transaction() as session:
        patient = make_patient(session, now=moment.now)
        for number in range(0, len(clocks), 10):
            some = clocks[number : number + 10]
            prescribe(session, patient, *some, name=f"M{number}", now=moment.now)
    plan_doses.run()
    began, left = moment.now, list[datetime]()
    while moment.now < began + timedelta(minutes=len(clocks)):
        fire_reminders.run()
        deliver.run()
        left += [moment.now] * (len(sink.mails) - len(left))
        moment.move(seconds=30)
    assert len(left) > MOST_A_MINUTE
    assert busiest(left, timedelta(minutes=1)) <= MOST_A_MINUTE
    # One more may be the message that tells of the rest.
    assert busiest(left, timedelta(hours=1)) <= MOST_AN_HOUR + 1


def test_sixty_escalations_at_once_are_six_and_one_that_tells_of_the_rest(
    db: Database, moment: Moment, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        marta = make_cast_account(session, "Marta", now=moment.now)
        for number in range(ESCALATIONS):
            patient = make_patient(session, name=f"P{number}", now=moment.now)
            prescribe(session, patient, "08:05", category="high_alert", now=moment.now)
            grant_access(
                session,
                account_id=marta.id,
                patient_id=patient.id,
                level=Level.MARK,
                role="caregiver",
                now=moment.now,
            ).ladder_place = 1
    plan_doses.run()
    moment.move(hours=2)
    began, left = moment.now, list[datetime]()
    while moment.now < began + timedelta(minutes=4):
        fire_reminders.run()
        deliver.run()
        mails = [m for m in sink.mails if m.recipients == ("marta@family.example",)]
        left += [moment.now] * (len(mails) - len(left))
        moment.move(seconds=20)
    assert len(left) == MOST_A_MINUTE + 1
    assert busiest(left, timedelta(minutes=1)) == MOST_A_MINUTE
    assert "held back" in str(mails[-1].message["Subject"])
    (storm,) = storm_of(db)
    assert (storm.kind, storm.about, storm.opened_at) == (STORM, f"a{marta.id}", began)
    assert storm.closed_at == left[-1]
