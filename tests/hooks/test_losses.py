"""What is lost, before or after its provider took it over, is said once by another."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from jobs.leaving import follow
from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.doses.models import Dose, DoseEvent
from pillweb.hooks.actions import note_undelivered
from pillweb.outbox.actions.sending import claim_deliveries
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import DeliveryDose, ReminderLink
from tests.reminders.steps import leave
from tests.world import World


@pytest.fixture
def said(db: Database, world: World, now: datetime, phone_id: int) -> None:
    """Rosa's reminder of 8 o'clock waits, by mail."""
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="active"))
        fire_reminders(session, now=now, limit=10)
        others = Delivery.patient_id != world.patient
        session.execute(sa.delete(Delivery).where(others))


@pytest.fixture
def session(db: Database, said: None) -> Iterator[Session]:
    with db.transaction() as opened:
        yield opened


def rows(session: Session) -> list[Delivery]:
    session.expire_all()
    reminders = sa.select(Delivery).where(Delivery.kind == "dose_due")
    return list(session.scalars(reminders.order_by(Delivery.id)))


def ways(session: Session) -> list[tuple[str, str]]:
    return [(one.channel, one.state) for one in rows(session)]


def lose(session: Session, channel: str, now: datetime) -> bool:
    one = next(one for one in rows(session) if one.channel == channel)
    return note_undelivered(session, one, error="lost", now=now, permanent=True)


def test_what_is_lost_after_it_was_taken_over_is_said_once_by_the_next_channel(
    session: Session, now: datetime
) -> None:
    leave(session, now)
    assert lose(session, "email", now)
    assert not lose(session, "email", now)
    assert ways(session) == [("email", "dead"), ("sms", "pending")]
    for second in range(3):
        fire_reminders(session, now=now + timedelta(seconds=second), limit=10)
    assert len(rows(session)) == 2
    told = sa.select(DeliveryDose.delivery_id, DeliveryDose.channel)
    assert len(session.execute(told).all()) == 2


def test_when_the_next_channel_loses_it_too_nothing_is_said_twice(
    session: Session, now: datetime
) -> None:
    leave(session, now)
    lose(session, "email", now)
    leave(session, now)
    lose(session, "sms", now)
    assert ways(session) == [("email", "dead"), ("sms", "dead")]


def test_what_went_round_a_provider_and_is_lost_there_does_not_come_back(
    session: Session, now: datetime
) -> None:
    failed = claim_deliveries(session, now=now, limit=9).ready
    session.execute(sa.update(Delivery).values(state="dead"))
    follow(session, failed, now=now)
    assert ways(session) == [("email", "dead"), ("sms", "pending")]
    leave(session, now)
    assert lose(session, "sms", now)
    # The mail that was given up is no loss of its own, whoever says so late.
    assert not lose(session, "email", now)
    assert ways(session) == [("email", "dead"), ("sms", "dead")]


def test_a_third_channel_speaks_when_the_first_two_did_not_arrive(
    session: Session, world: World, now: datetime
) -> None:
    add_contact(
        session,
        channel="webpush",
        address="{}",
        patient_id=world.patient,
        is_proven=True,
        now=now,
    )
    failed = claim_deliveries(session, now=now, limit=9).ready
    session.execute(sa.update(Delivery).values(state="dead"))
    follow(session, failed, now=now)
    leave(session, now)
    second = rows(session)[-1].channel
    assert lose(session, second, now)
    assert [state for _channel, state in ways(session)] == ["dead", "dead", "pending"]
    assert len({channel for channel, _state in ways(session)}) == 3


def test_it_stays_where_another_channel_said_the_same(
    session: Session, world: World, now: datetime
) -> None:
    first = rows(session)[0]
    leave(session, now)
    phone = session.scalars(
        sa.select(ContactPoint).where(ContactPoint.channel == "sms")
    ).one()
    head = first.dedupe_key.rsplit(":", 2)
    session.add(
        Delivery(
            kind="dose_due",
            channel="sms",
            contact_id=phone.id,
            patient_id=world.patient,
            dedupe_key=f"{head[0]}:{phone.id}:{head[2]}",
            recipient=phone.address,
            state="accepted",
            created_at=now,
            next_at=now,
            expires_at=now,
            accepted_at=now,
        )
    )
    session.flush()
    lose(session, "email", now)
    assert ways(session) == [("email", "dead"), ("sms", "accepted")]


def test_what_is_recorded_meanwhile_is_not_said_again(
    session: Session, now: datetime
) -> None:
    leave(session, now)
    session.execute(sa.update(Dose).values(state="taken", recorded_at=now))
    lose(session, "email", now)
    assert ways(session) == [("email", "dead")]


def test_its_words_and_its_link_are_as_good_as_the_first(
    app: Flask, db: Database, said: None, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        first = json.loads(rows(session)[0].context or "{}")["link"]
        leave(session, now)
        lose(session, "email", now)
        new = rows(session)[-1]
        assert "8am" in (compose_message(new, now=now).short or "")
        second = json.loads(new.context or "{}")["link"]
        mine = sa.select(ReminderLink).where(ReminderLink.delivery_id == new.id)
        assert session.scalars(mine).one().channel == "sms"
    phone = app.test_client(use_cookies=False)
    for link in (first, second):
        path = link.removeprefix("http://127.0.0.1:8000")
        assert phone.post(path).status_code == 303
    with db.reading() as later:
        assert later.scalars(sa.select(DoseEvent.what)).all() == ["taken"]
