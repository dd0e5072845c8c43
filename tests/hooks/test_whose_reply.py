"""Of which message a reply is, where there are several, or several people."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.visits import MESSAGE, Visit, visits_of
from pillweb.channels.voice import words_of
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.posting import post_message, send_contact_test
from pillweb.contacts.models import ContactPoint, ContactTest
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import Person
from pillweb.doses.models import Dose
from pillweb.hooks.actions import answer_message, take_reply
from pillweb.hooks.queries import contacts_at, person_of
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.sharing.models import Grant
from tests.hooks.conftest import NUMBER
from tests.reminders.steps import after, leave
from tests.reminders.test_family import Family, family, levodopa
from tests.world import make_patient, plan, prescribe

__all__ = ["family", "levodopa"]


def at_the_phone(session: Session, name: str, now: datetime) -> Patient:
    """Return somebody who takes a medicine at 8.05, now, and has the one phone."""
    patient = make_patient(session, name=name, now=now)
    mine = ContactPoint.patient_id == patient.id
    session.execute(sa.delete(ContactPoint).where(mine))
    add_contact(
        session,
        channel="sms",
        address=NUMBER,
        patient_id=patient.id,
        is_proven=True,
        now=now,
    )
    prescribe(session, patient, "08:05", now=now)
    plan(session, patient, now=now)
    return patient


def fire(session: Session, now: datetime) -> None:
    fire_reminders(session, now=now, limit=9)
    leave(session, now)


def reply(session: Session, text: str, now: datetime) -> str:
    words = take_reply(
        session, list(contacts_at(session, "sms", NUMBER)), text, now=now
    )
    session.expire_all()
    return words


def states(session: Session, now: datetime) -> list[str]:
    due = sa.select(Dose.state).where(Dose.due_at == now).order_by(Dose.patient_id)
    return list(session.scalars(due))


def told_of(session: Session, patient: Patient, now: datetime) -> Person:
    return patients_to_tell(session, [patient.id], now=now)[patient.id]


def test_of_two_who_share_a_phone_nobody_is_guessed(
    session: Session, now: datetime
) -> None:
    rosa, _bruno = (at_the_phone(session, name, now) for name in ("Rosa", "Bruno"))
    fire(session, now)
    for minute in (1, 2):
        said = reply(session, "1", after(now, minute))
        assert said.endswith("Please open the link in our message.")
    assert states(session, now) == ["open", "open"]
    hers = Dose.patient_id == rosa.id
    session.execute(sa.update(Dose).where(hers).values(state="taken", recorded_at=now))
    said = reply(session, "1", after(now, 3))
    assert said == "Recorded at 8.08am. Thank you, Bruno."
    assert states(session, now) == ["taken", "taken"]
    assert reply(session, "1", after(now, 4)).startswith("Already recorded at 8.08am")


def test_a_reply_finds_the_reminder_behind_newer_messages(
    session: Session, now: datetime
) -> None:
    rosa = at_the_phone(session, "Rosa", now)
    fire(session, now)
    person = told_of(session, rosa, now)
    post_message(
        session,
        person,
        person.points[0],
        kind="refill_due",
        about="1",
        context={},
        now=after(now, 1),
    )
    contact = session.scalars(sa.select(ContactPoint)).one()
    test = send_contact_test(session, contact, person, now=after(now, 1))
    leave(session, after(now, 1))
    assert reply(session, "1", after(now, 2)).startswith("Recorded at 8.07am.")
    assert states(session, now) == ["taken"]
    assert session.get_one(ContactTest, test.id).answered_at is None
    said = reply(session, "1", after(now, 3))
    assert said == "Thank you. Reminders arrive here."
    assert session.get_one(ContactTest, test.id).answered_at


def test_a_second_reply_is_not_taken_for_an_older_reminder(
    session: Session, now: datetime
) -> None:
    rosa = at_the_phone(session, "Rosa", now)
    prescribe(session, rosa, "08:35", now=now, name="Bisoprolol")
    plan(session, rosa, now=now)
    fire(session, now)
    for minute in (15, 30):
        fire(session, after(now, minute))
    assert reply(session, "1", after(now, 31)).startswith("Recorded at 8.36am.")
    assert reply(session, "1", after(now, 32)).startswith("Already recorded")
    assert states(session, now) == ["open"]


def test_no_is_asked_back_and_the_reminder_goes_on(
    session: Session, now: datetime
) -> None:
    at_the_phone(session, "Rosa", now)
    fire(session, now)
    assert "Reply with a number: 1 Taken, 2 In" in reply(session, "No", after(now, 1))
    assert states(session, now) == ["open"]


@pytest.fixture
def call(session: Session, levodopa: Family, now: datetime) -> Delivery:
    """The call that Marta gets about Rosa's levodopa."""
    add_contact(
        session,
        channel="voice",
        address="+442079460123",
        account_id=levodopa.marta,
        is_proven=True,
        now=now,
    )
    for minute in range(31):
        fire(session, after(now, minute))
    return session.scalars(sa.select(Delivery).where(Delivery.channel == "voice")).one()


def press(session: Session, call: Delivery, now: datetime) -> str:
    contact = session.get_one(ContactPoint, call.contact_id)
    person = person_of(session, contact, now=now)
    reply = answer_message(session, contact, call, "taken", person, now=now)
    session.expire_all()
    return reply.words


def test_who_presses_1_in_the_call_of_an_alert_sees_to_it(
    session: Session, levodopa: Family, call: Delivery, now: datetime
) -> None:
    assert words_of(compose_message(call, now=now)) == (
        "PillWeb. There is no record for Rosa's 8.05am medicines. Please call. "
        "For “I am seeing to it”, press 1."
    )
    said = press(session, call, after(now, 31))
    assert said == "Marta is seeing to it, 8.36am."
    seen_as = Visit(levodopa.rosa.id, MESSAGE, account_id=levodopa.marta)
    assert list(visits_of(session)) == [seen_as]
    seen = sa.select(Reminder.acknowledged_by).where(Reminder.due_at == now)
    assert session.scalars(seen).one() == levodopa.marta
    assert call.answered_at == after(now, 31)
    for minute in range(32, 90):
        fire(session, after(now, minute))
    told = sa.select(Delivery.account_id).where(Delivery.kind == "dose_alert")
    assert levodopa.luis not in session.scalars(told).all()


@pytest.mark.parametrize("over", ["status", "ends_at"])
def test_who_helps_no_more_sees_to_nothing(
    session: Session, levodopa: Family, call: Delivery, now: datetime, over: str
) -> None:
    mine = Grant.account_id == levodopa.marta
    values = {over: "revoked" if over == "status" else now}
    session.execute(sa.update(Grant).where(mine).values(values))
    assert press(session, call, after(now, 31)).startswith("Please open the link")
    assert session.scalars(sa.select(Reminder.acknowledged_at)).all()[0] is None


def test_a_call_that_only_asks_to_be_heard_notes_that(
    session: Session, call: Delivery, now: datetime
) -> None:
    call.kind = "could_not_remind"
    assert press(session, call, after(now, 31) + timedelta(seconds=1)) == ""
    assert call.answered_at
