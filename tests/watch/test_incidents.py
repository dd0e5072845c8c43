"""What is wrong opens an incident, and the incident closes when it is well again."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from jobs.clock import Pulse
from pillweb.base.db import Database
from pillweb.base.heartbeat import beat, disbelieved
from pillweb.outbox.actions.incidents import close_incidents, open_incident
from pillweb.outbox.models import Breaker, Delivery, Incident
from pillweb.reminders.models import Reminder
from pillweb.watch.actions.incidents import note_gap, note_jump, note_troubles
from pillweb.watch.queries import reminder_since
from tests.jobs.conftest import Moment
from tests.world import World, make_patient, plan, prescribe

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def incidents(session: Session) -> list[tuple[str, str, bool]]:
    rows = session.scalars(sa.select(Incident).order_by(Incident.id))
    return [(row.kind, row.about, row.closed_at is None) for row in rows]


@pytest.fixture
def due(session: Session, now: datetime) -> datetime:
    """Since when a reminder is due: now."""
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:05", now=now)
    plan(session, patient, now=now)
    return now


def test_a_reminder_that_waits_opens_one_incident_and_a_sent_one_closes_it(
    session: Session, due: datetime
) -> None:
    note_troubles(session, now=due + 90 * SECOND)
    assert incidents(session) == []
    for seconds in (91, 101, 300):
        note_troubles(session, now=due + seconds * SECOND)
    assert incidents(session) == [("late", "", True)]
    assert session.scalars(sa.select(Incident.opened_at)).one() == due
    session.execute(sa.update(Reminder).values(next_at=due + timedelta(days=1)))
    note_troubles(session, now=due + 310 * SECOND)
    assert incidents(session) == [("late", "", False)]
    session.execute(sa.update(Reminder).values(next_at=due))
    note_troubles(session, now=due + 320 * SECOND)
    assert incidents(session)[1:] == [("late", "", True)]


def fail(session: Session, channel: str, *, since: datetime, retry: bool) -> None:
    session.merge(
        Breaker(
            channel=channel,
            failures=5 if retry else 1,
            failing_since=since,
            retry_at=since if retry else None,
        )
    )
    session.flush()


def test_a_provider_that_fails_for_long_is_an_incident_of_its_channel(
    session: Session, now: datetime
) -> None:
    fail(session, "email", since=now, retry=True)
    fail(session, "sms", since=now, retry=False)
    note_troubles(session, now=now + MINUTE)
    assert incidents(session) == []
    note_troubles(session, now=now + 2 * MINUTE)
    note_troubles(session, now=now + 3 * MINUTE)
    assert incidents(session) == [("channel", "email", True)]
    session.execute(sa.update(Breaker).values(failing_since=None, retry_at=None))
    note_troubles(session, now=now + 4 * MINUTE)
    assert incidents(session) == [("channel", "email", False)]


def test_what_waits_for_a_failing_provider_is_no_lag(
    session: Session, due: datetime
) -> None:
    session.execute(sa.update(Reminder).values(state="done"))
    for channel in ("email", "sms"):
        session.add(
            Delivery(
                channel=channel,
                kind="dose_due",
                dedupe_key=channel,
                recipient="somebody",
                created_at=due,
                next_at=due,
                expires_at=due + timedelta(hours=1),
            )
        )
    session.flush()
    later = due + 5 * MINUTE
    assert reminder_since(session, now=later) == due
    fail(session, "email", since=due, retry=True)
    assert reminder_since(session, now=later) == due
    fail(session, "sms", since=due, retry=True)
    assert reminder_since(session, now=later) is None


def test_a_gap_before_the_start_is_an_incident_since_the_last_sign_of_life(
    session: Session, now: datetime
) -> None:
    assert not note_gap(session, now=now)
    beat(session, component="clock", instance="a", now=now - timedelta(hours=30))
    # Others that ran all the time do not make us forget when the clock last did.
    beat(session, component="reports", instance="a", now=now - SECOND)
    assert note_gap(session, now=now)
    assert incidents(session) == [("stopped", "", True)]
    opened = session.scalars(sa.select(Incident.opened_at)).one()
    assert opened == now - timedelta(hours=30)
    beat(session, component="clock", instance="b", now=now)
    assert not note_gap(session, now=now + SECOND)
    note_troubles(session, now=now + SECOND)
    assert incidents(session) == [("stopped", "", False)]


def test_closing_leaves_what_is_about_something_else(
    session: Session, now: datetime
) -> None:
    for about in ("email", "sms"):
        assert open_incident(session, kind="canary", about=about, opened_at=now)
        assert not open_incident(session, kind="canary", about=about, opened_at=now)
    close_incidents(session, kind="canary", besides=["sms"], now=now)
    assert incidents(session) == [("canary", "email", False), ("canary", "sms", True)]


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_jumps_is_told_and_not_believed_for_ten_minutes(
    db: Database, moment: Moment, *, hours: int
) -> None:
    jumped = timedelta(hours=hours)
    one, two = Pulse(), Pulse()
    for pulse in (one, two):
        pulse.look()
    moment.move(hours=hours)
    # Two clocks see it; it is one jump.
    for pulse in (one, two):
        pulse.look()
        pulse.beat()
    with db.reading() as session:
        assert abs(disbelieved(session, moment.now) - jumped) < SECOND
        assert incidents(session) == [("clock_jump", "", True)]
    moment.move(minutes=11)
    with db.reading() as session:
        assert not disbelieved(session, moment.now)
    after = Pulse()
    after.look()
    after.beat()
    with db.reading() as session:
        assert incidents(session)[0] == ("clock_jump", "", False)


@pytest.mark.parametrize(
    ("jumps", "left"), [([2, -2], 0), ([2, 1], 3), ([-2, 1], -1), ([2, -3], -1)]
)
def test_what_is_not_believed_of_several_jumps_is_their_sum(
    db: Database, now: datetime, jumps: list[int], left: int
) -> None:
    shown = now
    for number, hours in enumerate(jumps, 1):
        shown += timedelta(hours=hours, seconds=number)
        with db.transaction() as session:
            note_jump(session, timedelta(hours=hours), shown=shown, now=now)
    with db.reading() as session:
        assert disbelieved(session, shown) == timedelta(hours=left)


def test_a_clock_that_begins_after_a_gap_notes_it_before_it_beats(
    db: Database, world: World, moment: Moment
) -> None:
    Pulse().beat()
    moment.move(hours=6)
    Pulse().beat()
    with db.reading() as session:
        assert ("stopped", "", True) in incidents(session)
