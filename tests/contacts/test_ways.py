"""Which ways somebody is told by: a wish, or a closed page, never silences them."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.i18n import Speech
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.arriving import note_failure
from pillweb.contacts.actions.changing import (
    keep_wishes,
    start_contact,
    stop_contact,
)
from pillweb.contacts.actions.reach import note_reach
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.rules import (
    ALERTS,
    DOSES,
    Owner,
    Person,
    Point,
    Wishes,
    chosen_points,
    points_beside,
    reminding_states,
)
from pillweb.hooks.actions import note_unseen
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Unreachable
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.queries.moments import times_reminded
from tests.reminders.steps import after, leave
from tests.world import World

NO_MAIL = Wishes(unwanted={"doses": ["email"], "alerts": ["email"]})
LOUDNESS = {"live": 0, "email": 0, "webpush": 1, "sms": 1, "voice": 2}


def person(*ways: tuple[str, str], wishes: Wishes | None = None) -> Person:
    points = [
        Point(number, channel, f"{channel} address", state, LOUDNESS[channel])
        for number, (channel, state) in enumerate(ways, 1)
    ]
    return Person(
        "p1", "Rosa", Speech("en"), "Europe/London", tuple(points), wishes or Wishes()
    )


def names(points: list[Point]) -> list[str]:
    return [point.channel for point in points]


@pytest.mark.parametrize(
    ("sms", "email", "chosen"),
    [
        ("active", "active", ["sms"]),
        ("gone", "active", ["email"]),
        ("stopped", "active", ["email"]),
        ("failing", "active", ["email"]),
        ("unproven", "active", ["email"]),
        ("unproven", "unproven", ["sms"]),
        ("gone", "unproven", ["email"]),
        ("gone", "stopped", []),
    ],
)
def test_a_wish_leaves_a_way_for_reminders(
    sms: str, email: str, chosen: list[str]
) -> None:
    rosa = person(("sms", sms), ("email", email), wishes=NO_MAIL)
    assert names(chosen_points(rosa, DOSES)) == chosen
    # Everything else may be wanted by no way at all.
    assert "email" not in names(chosen_points(rosa, ALERTS))


def test_a_reminder_that_did_not_arrive_goes_where_none_was_wanted() -> None:
    rosa = person(("sms", "active"), ("email", "active"), wishes=NO_MAIL)
    assert names(points_beside(rosa, "dose_due", failed=1)) == ["email"]
    assert points_beside(rosa, "dose_alert", failed=1) == []


@pytest.mark.parametrize(
    ("ways", "chosen"),
    [
        ([("live", "active"), ("email", "unproven")], ["live", "email"]),
        ([("live", "active"), ("sms", "active")], ["live", "sms"]),
        ([("live", "failing"), ("email", "active")], ["live", "email"]),
        ([("live", "unproven"), ("email", "active")], ["email"]),
        ([("live", "active")], ["live"]),
    ],
)
def test_an_open_page_stands_in_for_nothing(
    ways: list[tuple[str, str]], chosen: list[str]
) -> None:
    assert names(chosen_points(person(*ways), DOSES)) == chosen


def test_an_open_page_is_no_way_round_and_reaches_nobody() -> None:
    rosa = person(("email", "active"), ("live", "active"), ("sms", "active"))
    assert names(points_beside(rosa, "dose_due", failed=1)) == ["sms"]
    ways = [(point.channel, point.state) for point in rosa.points]
    assert reminding_states(ways, NO_MAIL) == ["active"]
    assert reminding_states(ways[:2], NO_MAIL) == []


def is_out_of_reach(session: Session, world: World) -> bool:
    session.expire_all()
    return session.get(Unreachable, world.patient) is not None


def reminded_by(session: Session, world: World) -> list[str]:
    rows = sa.select(Delivery.channel).where(
        Delivery.kind == "dose_due", Delivery.patient_id == world.patient
    )
    return list(session.scalars(rows.order_by(Delivery.channel)))


def prove(session: Session, world: World, now: datetime) -> ContactPoint:
    """Let Rosa's e-mail address work."""
    mine = sa.select(ContactPoint).where(ContactPoint.patient_id == world.patient)
    email = session.scalars(mine).one()
    email.state, email.proven_at = "active", now
    session.flush()
    return email


def test_the_last_wanted_way_lost_is_told_and_the_unwanted_one_used(
    session: Session, world: World, now: datetime
) -> None:
    prove(session, world, now)
    sms = add_contact(
        session,
        channel="sms",
        address="+447700900123",
        patient_id=world.patient,
        is_proven=True,
        now=now,
    )
    keep_wishes(session, Owner(patient_id=world.patient), NO_MAIL)
    note_failure(session, sms.id, error="sms_30006", permanent=True, now=now)
    assert is_out_of_reach(session, world)
    fire_reminders(session, now=now, limit=10)
    assert reminded_by(session, world) == ["email"]
    keep_wishes(session, Owner(patient_id=world.patient), Wishes())
    note_reach(session, world.patient, now=now)
    assert not is_out_of_reach(session, world)


def test_a_tablet_nobody_looks_at_is_not_being_reminded(
    session: Session, world: World, now: datetime
) -> None:
    email = prove(session, world, now)
    tablet = add_contact(
        session,
        channel="live",
        address="k" * 30,
        patient_id=world.patient,
        is_proven=True,
        now=now,
    )
    fire_reminders(session, now=now, limit=10)
    assert reminded_by(session, world) == ["email", "live"]
    session.execute(sa.delete(Delivery).where(Delivery.channel == "email"))
    leave(session, now)
    reminders = sa.text("select dose_id from delivery_dose")
    doses = set(session.scalars(reminders))
    assert times_reminded(session, doses) == {}
    session.execute(sa.update(Delivery).values(delivered_at=now))
    assert set(times_reminded(session, doses).values()) == {1}
    note_failure(session, email.id, error="smtp_550", permanent=True, now=now)
    assert tablet.state == "active"
    assert is_out_of_reach(session, world)


def test_a_first_tablet_is_added_without_an_alarm(
    session: Session, world: World, now: datetime
) -> None:
    session.execute(sa.delete(ContactPoint))
    tablet = add_contact(
        session, channel="live", address="k" * 30, patient_id=world.patient, now=now
    )
    start_contact(session, tablet, now=now)
    assert not is_out_of_reach(session, world)
    stop_contact(session, tablet, now=now)
    assert is_out_of_reach(session, world)


def test_a_tablet_that_shows_nothing_three_times_fails(
    session: Session, world: World, now: datetime
) -> None:
    tablet = add_contact(
        session,
        channel="live",
        address="k" * 30,
        patient_id=world.patient,
        is_proven=True,
        now=now,
    )
    for number in range(3):
        session.add(
            Delivery(
                kind="dose_due",
                channel="live",
                contact_id=tablet.id,
                patient_id=world.patient,
                dedupe_key=f"live {number}",
                recipient=tablet.address,
                state="accepted",
                created_at=now,
                next_at=now,
                expires_at=now + timedelta(hours=1),
                accepted_at=now,
            )
        )
    session.flush()
    assert note_unseen(session, now=after(now, 1), limit=9) == 0
    assert note_unseen(session, now=after(now, 2), limit=9) == 1
    assert tablet.state == "failing"
