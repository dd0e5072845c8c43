"""Providers that fail: let alone, gone round, and no reason for others to wait."""

import threading
import time
from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from jobs import deliver, fire_reminders
from jobs.line import Line
from pillweb.base.db import Database
from pillweb.channels import SendError, registry
from pillweb.channels.registry import Channel
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Attempt, Breaker, Delivery, Incident
from pillweb.outbox.rules import (
    DETOUR_AFTER,
    FAILURES_BEARED,
    LEASE,
    REST,
    TRIES_OF_ONE_CHANNEL,
)
from pillweb.reminders.models import ReminderLink
from tests.jobs.conftest import Moment
from tests.jobs.fakes import Fake
from tests.world import World

DOWN = SendError("smtp_451")
RESTING_S = REST.total_seconds() + 1


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Fake]:
    made = {"email": Fake("email"), "push": Fake("push"), "sms": Fake("sms", 1)}

    def known() -> Mapping[str, Channel]:
        return made

    for place in (
        "jobs.deliver",
        "pillweb.contacts.queries",
        "pillweb.channels.registry",
    ):
        monkeypatch.setattr(f"{place}.channels", known)
    assert registry.channels() is made
    return made


def post(
    db: Database, moment: Moment, count: int, *, channel: str = "email", first: int = 0
) -> None:
    with db.transaction() as session:
        for number in range(first, first + count):
            post_delivery(
                session,
                kind="reset_password",
                channel=channel,
                recipient=f"p{number}@family.example",
                dedupe_key=f"{channel}:{number}",
                context={"link": "http://127.0.0.1/a/x", "valid_words": "for an hour"},
                now=moment.now,
            )


def reach(db: Database, world: World, moment: Moment, channel: str) -> None:
    with db.transaction() as session:
        add_contact(
            session,
            channel=channel,
            address=f"rosa by {channel}",
            patient_id=world.patient,
            is_proven=True,
            now=moment.now,
        )


def told(db: Database, world: World) -> list[tuple[str, str, str | None]]:
    with db.reading() as session:
        return [
            (row.channel, row.state, row.last_error)
            for row in session.scalars(
                sa.select(Delivery)
                .where(Delivery.patient_id == world.patient)
                .order_by(Delivery.id)
            )
        ]


def breaker(db: Database, channel: str = "email") -> Breaker | None:
    with db.reading() as session:
        return session.get(Breaker, channel)


def contact_state(db: Database, world: World, channel: str) -> tuple[str, int]:
    with db.reading() as session:
        row = session.scalars(
            sa.select(ContactPoint).where(
                ContactPoint.patient_id == world.patient,
                ContactPoint.channel == channel,
            )
        ).one()
    return row.state, row.failures


def test_a_provider_that_hangs_holds_up_nobody_else(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    hangs, freed = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        freed.wait(10)

    fakes["email"].before = hang
    post(db, moment, 2)
    running = threading.Thread(target=deliver.run)
    running.start()
    assert hangs.wait(5)
    # It came after the run began, and while its only process waits for the mail.
    post(db, moment, 3, channel="push")
    began = time.monotonic()
    while len(fakes["push"].sent) < 3 and time.monotonic() - began < 5:
        time.sleep(0.02)
    assert len(fakes["push"].sent) == 3
    assert fakes["email"].sent == []
    freed.set()
    running.join(10)
    assert len(fakes["email"].sent) == 2


def test_after_five_failures_a_provider_is_left_alone_and_tried_by_one(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fakes["email"].fails = DOWN
    post(db, moment, 9)
    deliver.run()
    assert fakes["email"].calls == FAILURES_BEARED
    deliver.run()
    moment.move(seconds=REST.total_seconds() - 1)
    deliver.run()
    assert fakes["email"].calls == FAILURES_BEARED
    moment.move(seconds=2)
    deliver.run()
    assert fakes["email"].calls == FAILURES_BEARED + 1
    fakes["email"].fails = None
    moment.move(seconds=RESTING_S)
    assert deliver.run() == 9
    row = breaker(db)
    assert row
    assert (row.failures, row.retry_at) == (0, None)


def test_failures_far_apart_are_no_outage(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fakes["email"].fails = SendError("smtp_451", retry_after_s=3600)
    for number in range(FAILURES_BEARED + 2):
        post(db, moment, 1, first=number)
        deliver.run()
        moment.move(seconds=31)
    row = breaker(db)
    assert row
    assert row.failures < FAILURES_BEARED


def test_a_refused_address_says_nothing_of_its_provider(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fakes["email"].fails = SendError("smtp_550", permanent=True)
    post(db, moment, FAILURES_BEARED + 3)
    deliver.run()
    assert fakes["email"].calls == FAILURES_BEARED + 3
    assert breaker(db) is None


def test_our_own_fault_ends_the_calls_at_once_and_is_an_incident_until_mended(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fakes["email"].fails = SendError("smtp_535", is_ours=True, permanent=True)
    post(db, moment, 4)
    deliver.run()
    assert fakes["email"].calls == 1
    with db.reading() as session:
        incident = session.scalars(sa.select(Incident)).one()
    assert (incident.kind, incident.about, incident.closed_at) == (
        "channel",
        "email",
        None,
    )
    fakes["email"].fails = None
    moment.move(seconds=RESTING_S)
    # None was lost for a key that was wrong.
    assert deliver.run() == 4
    with db.reading() as session:
        assert session.scalars(sa.select(Incident.closed_at)).one() == moment.now


def test_a_provider_that_asks_for_a_pause_gets_it(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fakes["email"].fails = SendError("429", retry_after_s=120)
    post(db, moment, 1)
    deliver.run()
    fakes["email"].fails = None
    moment.move(seconds=119)
    assert deliver.run() == 0
    moment.move(seconds=2)
    assert deliver.run() == 1


def test_a_dead_address_is_gone_and_the_next_channel_gets_it_at_once(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    reach(db, world, moment, "sms")
    reach(db, world, moment, "push")
    with db.transaction() as session:
        # Only what was answered is used, while there is any.
        session.execute(sa.update(ContactPoint).values(state="active"))
    fakes["email"].fails = SendError("smtp_550", permanent=True)
    fakes["push"].fails = SendError("410", permanent=True)
    fire_reminders.run()
    deliver.run()
    deliver.run()
    assert told(db, world) == [
        ("email", "dead", "smtp_550"),
        ("push", "dead", "410"),
        ("sms", "accepted", None),
    ]
    assert "8am" in fakes["sms"].sent[0].subject
    assert contact_state(db, world, "email") == ("gone", 1)
    assert contact_state(db, world, "push") == ("gone", 1)
    assert contact_state(db, world, "sms") == ("active", 0)


def test_who_is_reached_by_one_channel_is_not_called_by_a_louder(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    reach(db, world, moment, "sms")
    reach(db, world, moment, "push")
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="active"))
    fakes["email"].fails = SendError("smtp_550", permanent=True)
    fire_reminders.run()
    deliver.run()
    deliver.run()
    assert fakes["sms"].sent == []
    assert len(fakes["push"].sent) == 1


def test_while_a_provider_is_away_its_messages_go_round(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fakes["email"].fails = DOWN
    post(db, moment, FAILURES_BEARED)
    deliver.run()
    fire_reminders.run()
    moment.move(seconds=RESTING_S)
    deliver.run()
    assert told(db, world)[0][1] == "pending"
    reach(db, world, moment, "sms")
    moment.move(seconds=DETOUR_AFTER.total_seconds())
    for _ in range(12):
        # Whichever is tried to see how the provider does waits a little longer.
        deliver.run()
        moment.move(seconds=10)
    deliver.run()
    assert told(db, world) == [
        ("email", "superseded", "smtp_451"),
        ("sms", "accepted", None),
    ]
    # Who has no other channel waits; a provider that is away is no dead address.
    assert contact_state(db, world, "email") == ("unproven", 0)
    fakes["email"].fails = None
    for _ in range(3):
        moment.move(minutes=5)
        deliver.run()
    with db.reading() as session:
        left = session.scalars(sa.select(Delivery.state).distinct()).all()
    assert sorted(left) == ["accepted", "superseded"]
    assert "rosa@family.example" not in [m.recipient for m in fakes["email"].sent]


def test_what_is_put_off_again_and_again_goes_another_way(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fire_reminders.run()
    reach(db, world, moment, "sms")
    with db.transaction() as session:
        # Bruno's would count as failures of the provider, too.
        session.execute(
            sa.delete(Delivery).where(Delivery.patient_id == world.other_patient)
        )
        link = session.scalars(
            sa.select(ReminderLink).where(ReminderLink.patient_id == world.patient)
        ).one()
        link.delivery_id = session.scalars(sa.select(Delivery.id)).one()
    fakes["email"].fails = DOWN
    for _ in range(9):
        deliver.run()
        moment.move(seconds=61)
    deliver.run()
    assert told(db, world) == [
        ("email", "superseded", "smtp_451"),
        ("sms", "accepted", None),
    ]
    assert fakes["email"].calls == TRIES_OF_ONE_CHANNEL
    with db.reading() as session:
        moved = session.scalars(
            sa.select(ReminderLink).where(ReminderLink.patient_id == world.patient)
        ).one()
        by_sms = sa.select(Delivery.id).where(Delivery.channel == "sms")
        assert (moved.channel, moved.delivery_id) == ("sms", session.scalar(by_sms))


def test_a_channel_that_is_unknown_or_off_leaves_dead_letters_with_their_reason(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    reach(db, world, moment, "sms")
    fakes["email"].ready = False
    post(db, moment, 1, channel="pigeon")
    post(db, moment, 1, channel="push", first=5)
    fire_reminders.run()
    deliver.run()
    deliver.run()
    with db.reading() as session:
        found = session.execute(
            sa.select(Delivery.channel, Delivery.state, Delivery.last_error)
        ).all()
    assert ("pigeon", "dead", "channel_unknown") in found
    assert ("push", "accepted", None) in found
    assert ("email", "dead", "channel_off") in found
    assert [message.recipient for message in fakes["sms"].sent] == ["rosa by sms"]


def test_what_a_provider_s_nonsense_breaks_is_dead_after_three_and_stops_nobody(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    def stumble() -> None:
        if fakes["email"].calls in {1, 3, 4}:
            raise ValueError("nonsense")

    fakes["email"].before = stumble
    post(db, moment, 2)
    for _ in range(4):
        deliver.run()
        moment.move(minutes=4)
    with db.reading() as session:
        rows = session.execute(sa.select(Delivery.state, Delivery.last_error)).all()
    assert sorted(rows, key=str) == [("accepted", None), ("dead", "broken")]


def test_nothing_goes_to_an_address_that_was_stopped_meanwhile(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    fire_reminders.run()
    with db.transaction() as session:
        session.execute(sa.update(ContactPoint).values(state="stopped"))
    assert deliver.run() == 0
    assert told(db, world) == [("email", "suppressed", "stopped")]
    assert fakes["email"].calls == 0


def test_a_crash_repeats_no_more_than_a_moment_s_messages(
    db: Database, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    def die() -> None:
        if fakes["email"].calls == 40:
            raise SystemExit

    fakes["email"].before = die
    post(db, moment, 60)
    with pytest.raises(SystemExit):
        Line("email", fakes["email"].send).run(until=time.monotonic() + 20)
    with db.reading() as session:
        left_open = session.scalar(
            sa.select(sa.func.count()).where(Attempt.ended_at.is_(None))
        )
    assert 1 <= (left_open or 0) <= 8
    fakes["email"].before = lambda: None
    moment.move(seconds=LEASE.total_seconds())
    Line("email", fakes["email"].send).run(until=time.monotonic() + 20)
    with db.reading() as session:
        assert set(session.scalars(sa.select(Delivery.state))) == {"accepted"}
    assert len({message.key for message in fakes["email"].sent}) == 60
    assert len(fakes["email"].sent) - 60 <= (left_open or 0)
