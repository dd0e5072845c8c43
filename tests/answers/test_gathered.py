"""One message about several moments: an answer to it is about all of them."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder, ReminderLink
from tests.answers.test_pages import events, phone
from tests.reminders.steps import leave, plan_in_time
from tests.world import World, plan, prescribe

__all__ = ["phone"]


def newest(db: Database, world: World) -> tuple[int, str]:
    """Return the newest message to Rosa, and the path of its link."""
    with db.reading() as session:
        mine = sa.select(Delivery).where(Delivery.patient_id == world.patient)
        found = session.scalars(mine.order_by(Delivery.id.desc())).first()
        assert found is not None
        link: str = json.loads(found.context or "{}").get("link", "")
        return found.id, link.removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def path(
    db: Database, world: World, now: datetime, pinned: time_machine.Traveller
) -> str:
    """The link of Rosa's message at 8 o'clock, about that and 8.05."""
    eight = now - timedelta(minutes=5)
    pinned.move_to(eight)
    with db.transaction() as session:
        rosa = session.get_one(Patient, world.patient)
        prescribe(session, rosa, "08:05", now=eight, name="Bisoprolol")
        plan(session, rosa, now=eight)
        plan_in_time(session)
        fire_reminders(session, now=eight, limit=10)
    found = newest(db, world)[1]
    with db.transaction() as session:
        leave(session, eight)
    pinned.move_to(now)
    return found


def states(db: Database, world: World) -> list[str]:
    """Return what stands of this morning's doses."""
    with db.reading() as session:
        mine = sa.select(Dose.state).where(Dose.patient_id == world.patient)
        return list(session.scalars(mine.order_by(Dose.due_at).limit(2)))


def nudge(db: Database, now: datetime, minutes: int = 15) -> None:
    with db.transaction() as session:
        fire_reminders(session, now=now + timedelta(minutes=minutes), limit=10)


def test_the_page_names_all_times_and_one_press_records_both(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    words = "It is time for your <bdi>8am and 8.05am</bdi> medicines."
    assert words in phone.get(path).text
    phone.post(path)
    assert states(db, world) == ["taken", "taken"]
    assert "For <bdi>8am and 8.05am</bdi> on" in phone.get(path).text
    phone.post(f"{path}/undo")
    assert states(db, world) == ["open", "open"]
    phone.post(f"{path}/skip")
    assert states(db, world) == ["skipped", "skipped"]
    assert len(events(db, world)) == 6


def test_later_puts_off_both(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    phone.post(f"{path}/later")
    until = now + timedelta(minutes=10)
    with db.reading() as session:
        mine = sa.select(Reminder.next_at).where(Reminder.patient_id == world.patient)
        times = session.scalars(mine.order_by(Reminder.due_at).limit(2)).all()
        wait = sa.select(Dose.later_until).where(Dose.patient_id == world.patient)
        assert session.scalars(wait.order_by(Dose.due_at).limit(2)).all() == times
    assert times == [until, until]


@pytest.mark.parametrize("channel", ["ntfy", "webpush"])
def test_a_button_on_the_message_answers_for_both(
    phone: FlaskClient, path: str, db: Database, world: World, channel: str
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(ReminderLink).values(channel=channel))
    told = phone.post(f"{path}/direct/taken").json or {}
    assert told["outcome"] == "recorded"
    assert events(db, world) == [("taken", channel)] * 2


def test_a_nudge_about_the_one_that_is_left_covers_only_that(
    phone: FlaskClient, path: str, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        first = sa.select(Dose.id).where(Dose.patient_id == world.patient)
        one = session.scalars(first.order_by(Dose.due_at)).first()
        session.execute(
            sa.update(Dose)
            .where(Dose.id == one)
            .values(state="skipped", recorded_at=now)
        )
    before = newest(db, world)[0]
    nudge(db, now)
    told, nudged = newest(db, world)
    assert told > before
    assert "for your <bdi>8.05am</bdi> medicines." in phone.get(nudged).text
    # What the first message was about is more, and what is left of it the same.
    page = phone.get(path).text
    assert "for your <bdi>8.05am</bdi> medicines." in page
    assert "1 medicine of this message is recorded already." in page
    phone.post(nudged)
    assert states(db, world) == ["skipped", "taken"]
    phone.post(f"{nudged}/undo")
    assert states(db, world) == ["skipped", "open"]


def test_it_is_late_when_one_of_them_is(
    phone: FlaskClient,
    path: str,
    db: Database,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    # 9.02: an hour after 8 o'clock, not yet after 8.05.
    pinned.shift(timedelta(minutes=57))
    assert "Did you take your <bdi>8am and 8.05am</bdi> medicines?" in (
        phone.get(path).text
    )
    phone.post(path)
    assert states(db, world) == ["open", "open"]


def test_without_its_message_a_link_is_about_its_reminders_moment(
    phone: FlaskClient, path: str, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(ReminderLink).values(delivery_id=None))
    phone.post(path)
    assert states(db, world) == ["taken", "open"]
