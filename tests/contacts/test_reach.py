"""Whether a patient is reached at all, and who is told when not."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact, helpers_to_tell
from pillweb.contacts.actions.arriving import note_arrival, note_failure
from pillweb.contacts.actions.changing import (
    answer_contact_test,
    remove_contact,
    start_contact,
    stop_contact,
)
from pillweb.contacts.actions.posting import send_contact_test
from pillweb.contacts.actions.reach import note_reach
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import contacts_of, patients_to_tell
from pillweb.contacts.rules import Owner, is_reached
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Unreachable
from pillweb.sharing.models import Grant
from tests.at_once import at_once
from tests.world import World

HOUR = timedelta(hours=1)


@pytest.fixture
def point(session: Session, world: World, now: datetime) -> ContactPoint:
    """Rosa's address, which works."""
    return working(session, world, "rosa@family.example", now=now)


def working(
    session: Session, world: World, address: str, *, now: datetime
) -> ContactPoint:
    contact = add_contact(
        session, channel="email", address=address, patient_id=world.patient, now=now
    )
    contact.state, contact.proven_at = "active", now
    session.flush()
    return contact


def since(session: Session, world: World) -> datetime | None:
    return session.scalar(
        sa.select(Unreachable.since).where(Unreachable.patient_id == world.patient)
    )


def told(session: Session) -> list[Delivery]:
    wanted = sa.select(Delivery).where(Delivery.kind == "unreachable")
    return list(session.scalars(wanted.order_by(Delivery.id)))


@pytest.mark.parametrize(
    ("states", "reached"),
    [
        ([], False),
        (["active"], True),
        (["unproven"], True),
        (["unproven", "unproven"], True),
        (["gone", "unproven"], False),
        (["stopped", "unproven"], False),
        (["failing"], False),
        (["gone", "stopped", "failing", "active"], True),
    ],
)
def test_one_address_that_works_is_enough(states: list[str], reached: bool) -> None:
    assert is_reached(states) is reached


@pytest.mark.parametrize("how", ["gone", "failing", "stopped", "removed"])
def test_the_last_address_lost_is_told_once_in_the_same_commit(
    session: Session, world: World, point: ContactPoint, now: datetime, how: str
) -> None:
    if how == "stopped":
        stop_contact(session, point, now=now)
    elif how == "removed":
        remove_contact(session, point, now=now)
    else:
        for _ in range(1 if how == "gone" else 3):
            note_failure(
                session, point.id, error="smtp_550", permanent=how == "gone", now=now
            )
    assert since(session, world) == now
    note_reach(session, world.patient, now=now + HOUR)
    assert since(session, world) == now
    # Marta manages. Rosa's own account has the address where she was just lost.
    recipients = {one.recipient for one in told(session)} - {point.address}
    assert recipients == {"marta@family.example"}
    assert len(told(session)) == (2 if how == "removed" else 1)


def test_whoever_is_on_the_ladder_is_told_too(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    session.execute(
        sa.update(Grant).where(Grant.account_id == world.nora).values(ladder_place=2)
    )
    stop_contact(session, point, now=now)
    people = {one.account_id for one in told(session)}
    assert people == {world.marta, world.nora}


def test_the_patient_hears_of_it_where_else_they_can_be_reached(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    owner = Owner(account_id=world.rosa)
    add_contact(
        session, channel="email", address="r@work.example", **owner._asdict(), now=now
    )
    stop_contact(session, point, now=now)
    mine = next(one for one in told(session) if one.account_id == world.rosa)
    message = compose_message(mine)
    assert (mine.recipient, message.subject) == (
        "r@work.example",
        "Your reminders do not reach you",
    )
    assert "no reminder reaches you now" in message.text


def test_the_message_says_whom_to_call_and_names_no_medicine(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    stop_contact(session, point, now=now)
    message = compose_message(told(session)[0])
    assert message.subject == "We cannot reach Rosa"
    assert message.short == "No reminder reaches Rosa now. Please call."
    for words in (message.text, message.html):
        assert "Please call, and ask about the medicines of today." in words
        assert f"/patients/{world.patient}/today" in words
        assert "Amlodipine" not in words
    assert message.is_urgent


def test_an_address_left_is_enough_and_nobody_is_told(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    working(session, world, "other@family.example", now=now)
    stop_contact(session, point, now=now)
    assert since(session, world) is None
    assert told(session) == []


def test_what_nobody_answered_from_does_not_stand_in_for_what_worked(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    new = add_contact(
        session,
        channel="email",
        address="new@family.example",
        patient_id=world.patient,
        now=now,
    )
    remove_contact(session, point, now=now)
    assert since(session, world) == now
    # It ends only with an answer, not because one more thing happened to it.
    note_failure(session, new.id, error="timeout", permanent=False, now=now)
    assert since(session, world) == now
    person = patients_to_tell(session, [world.patient], now=now)[world.patient]
    test = send_contact_test(session, new, person, now=now)
    answer_contact_test(session, test, now=now)
    assert since(session, world) is None


def test_of_two_that_nobody_answered_from_one_may_go(
    session: Session, world: World, now: datetime
) -> None:
    new = add_contact(
        session,
        channel="email",
        address="new@family.example",
        patient_id=world.patient,
        now=now,
    )
    remove_contact(session, new, now=now)
    assert since(session, world) is None


def test_an_answered_test_ends_it_and_a_later_loss_is_told_anew(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    note_failure(session, point.id, error="smtp_550", permanent=True, now=now)
    person = patients_to_tell(session, [world.patient], now=now)[world.patient]
    test = send_contact_test(session, point, person, now=now)
    assert since(session, world) is not None
    answer_contact_test(session, test, now=now + HOUR)
    assert since(session, world) is None
    assert point.state == "active"
    stop_contact(session, point, now=now + 2 * HOUR)
    assert len(told(session)) == 2


def test_a_mail_server_that_works_again_ends_it(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    for _ in range(3):
        note_failure(session, point.id, error="timeout", permanent=False, now=now)
    assert point.state == "failing"
    note_arrival(session, point.id, now=now + HOUR)
    session.refresh(point)
    assert (point.state, since(session, world)) == ("active", None)


def test_what_arrives_at_a_push_service_but_at_no_eye_goes_on_failing(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    point.state, point.failed_at = "failing", now
    session.flush()
    note_arrival(session, point.id, now=now + HOUR)
    session.refresh(point)
    assert point.state == "failing"
    assert since(session, world) is not None


def test_an_answer_to_an_old_test_does_not_start_what_was_stopped(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    person = patients_to_tell(session, [world.patient], now=now)[world.patient]
    test = send_contact_test(session, point, person, now=now)
    stop_contact(session, point, now=now)
    answer_contact_test(session, test, now=now)
    assert point.state == "stopped"


def test_a_stopped_address_starts_again_as_it_was(
    session: Session, world: World, point: ContactPoint, now: datetime
) -> None:
    stop_contact(session, point, now=now)
    start_contact(session, point, now=now)
    assert (point.state, since(session, world)) == ("active", None)


def test_an_account_that_took_its_last_address_away_is_left_alone(
    session: Session, world: World, now: datetime
) -> None:
    (marta,) = helpers_to_tell(session, world.patient, [world.marta], now=now).values()
    contact = session.get_one(ContactPoint, marta.points[0].id)
    remove_contact(session, contact, now=now)
    (marta,) = helpers_to_tell(session, world.patient, [world.marta], now=now).values()
    assert [one.state for one in marta.points] == ["stopped"]


def test_two_addresses_lost_at_once_are_seen(
    db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        ids = [
            working(session, world, f"{name}@family.example", now=now).id
            for name in ("rosa", "other")
        ]

    def lose(number: int) -> None:
        with db.transaction() as session:
            note_failure(session, ids[number], error="x", permanent=True, now=now)

    at_once(2, lose)
    with db.reading() as session:
        assert since(session, world) == now
        assert len(told(session)) == 1
        mine = contacts_of(session, Owner(patient_id=world.patient))
        assert {one.state for one in mine} == {"gone"}
