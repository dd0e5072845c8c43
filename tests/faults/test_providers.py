"""Providers that refuse, hang, forget or are gone: F7, F8 and F13 of `table.py`."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from jobs import deliver, fire_reminders
from pillweb.base.db import Database
from pillweb.channels import webpush
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.rules import LONGEST_PAUSE_S
from tests.faults.rig import EMAIL, HELD_S, PUSH, SMS, make_due, ring
from tests.jobs.conftest import Moment, moment
from tests.providers import Browser, Provider, error
from tests.running import Processes, wait_until
from tests.services import Answer, SmtpSink
from tests.world import World

__all__ = ["moment"]

on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)
NOT_NOW = "451 4.3.0 Try again later"


def reach(
    db: Database, world: World, moment: Moment, channel: str, address: str
) -> None:
    """Reach Rosa by one more channel, from which she has answered."""
    with db.transaction() as session:
        add_contact(
            session,
            channel=channel,
            address=address,
            patient_id=world.patient,
            is_proven=True,
            now=moment.now,
        )


def sent_to(db: Database, patient_id: int) -> list[tuple[str, str, str]]:
    """Return channel, kind and state of every message to a patient."""
    with db.reading() as session:
        rows = session.execute(
            sa.select(Delivery.channel, Delivery.kind, Delivery.state)
            .where(Delivery.patient_id == patient_id, Delivery.account_id.is_(None))
            .order_by(Delivery.id)
        )
        return [(row.channel, row.kind, row.state) for row in rows]


def test_an_hour_without_mail_goes_round_and_ends_without_a_late_take_it_now(
    db: Database, world: World, moment: Moment, sink: SmtpSink, provider: Provider
) -> None:
    reach(db, world, moment, SMS, "+447700900001")
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="active"))
    began = moment.now
    # Rosa is told by SMS and mail; Bruno has no other way than the mail.
    sink.fail_next(10_000, NOT_NOW)
    while moment.now < began + timedelta(minutes=75):
        fire_reminders.run()
        deliver.run()
        moment.move(seconds=20)
    with db.reading() as session:
        late = session.scalars(
            sa.select(Attempt.started_at)
            .join(Delivery, Delivery.id == Attempt.delivery_id)
            .where(Delivery.patient_id == world.other_patient)
            .where(Attempt.started_at > began + timedelta(minutes=30))
        ).all()
        rows = session.scalar(
            sa.select(sa.func.count()).where(Delivery.patient_id == world.other_patient)
        )
    # Full jitter: four minutes at most, two on average, for each message.
    assert len(late) <= (rows or 0) * (45 * 60 / (LONGEST_PAUSE_S / 2) + 3)
    assert sink.mails == []
    assert (SMS, "dose_due", "accepted") in sent_to(db, world.patient)
    assert provider.accepted
    # The mail works again: one message of what was late, and no old reminder.
    sink.relent()
    for _ in range(30):
        fire_reminders.run()
        deliver.run()
        moment.move(seconds=20)
    kinds = [
        kind
        for _, kind, state in sent_to(db, world.other_patient)
        if state == "accepted"
    ]
    assert kinds.count("dose_late") <= 1
    assert "dose_due" not in kinds


@on_sqlite
def test_a_mail_server_that_hangs_holds_up_no_push(
    db: Database, house: Processes, sink: SmtpSink, provider: Provider
) -> None:
    sink.script(*[Answer(NOT_NOW, after=HELD_S)] * 50)
    house.start("clock")
    house.start("worker")
    time.sleep(3)
    make_due(db, 20, channels=[EMAIL, PUSH], provider=provider)
    ring()
    began = time.monotonic()
    wait_until(lambda: len(provider.accepted) == 10, seconds=20, what=house.said())
    # On a quiet machine under a second.
    assert time.monotonic() - began < 8
    assert sink.mails == []


@pytest.fixture
def fallback(
    db: Database, world: World, moment: Moment, provider: Provider
) -> Provider:
    """Rosa has push, and an SMS where that fails."""
    browser = Browser(provider, "rosa")
    reach(db, world, moment, PUSH, webpush.read_address(browser.subscription))
    reach(db, world, moment, SMS, "+447700900001")
    with db.transaction() as session:
        session.execute(sa.delete(ContactPoint).where(ContactPoint.channel == EMAIL))
    return provider


def push_state(db: Database) -> str:
    with db.reading() as session:
        return session.scalars(
            sa.select(ContactPoint.state).where(ContactPoint.channel == PUSH)
        ).one()


def push_calls(provider: Provider) -> int:
    return sum(call.path.startswith("/push/") for call in provider.calls)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_told_by_another_channel_at_once(
    db: Database, world: World, moment: Moment, fallback: Provider, status: int
) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(ContactPoint)
            .where(ContactPoint.channel == SMS)
            .values(state="failing")
        )
    fallback.behave(error(status), path="/push/")
    fire_reminders.run()
    deliver.run()
    deliver.run()
    assert push_state(db) == "gone"
    assert (SMS, "dose_due", "accepted") in sent_to(db, world.patient)
    moment.move(minutes=30)
    fire_reminders.run()
    deliver.run()
    assert push_calls(fallback) == 1


def test_a_push_service_that_is_ill_unsubscribes_nobody(
    db: Database, world: World, moment: Moment, fallback: Provider
) -> None:
    fallback.script(error(500), path="/push/")
    fire_reminders.run()
    deliver.run()
    assert push_state(db) == "active"
    moment.move(seconds=16)
    deliver.run()
    assert (PUSH, "dose_due", "accepted") in sent_to(db, world.patient)
    assert push_calls(fallback) == 2


def test_a_push_service_that_asks_for_a_pause_is_left_alone_so_long(
    db: Database, world: World, moment: Moment, fallback: Provider
) -> None:
    fallback.script(error(429, retry_after=120), path="/push/")
    fire_reminders.run()
    deliver.run()
    moment.move(seconds=119)
    deliver.run()
    assert push_calls(fallback) == 1
    moment.move(seconds=2)
    deliver.run()
    assert push_calls(fallback) == 2
    assert push_state(db) == "active"
