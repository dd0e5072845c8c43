"""Too many messages for one person: a few leave, one tells of the rest (F24)."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_own_contact
from pillweb.contacts.rules import MOST_A_MINUTE
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery, Incident
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.actions.storms import end_storms, oldest_storm
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import Level
from tests.at_once import at_once
from tests.reminders.steps import after, leave
from tests.world import make_cast_account, make_patient, plan, prescribe

MANY = 20


@pytest.fixture
def home(session: Session, now: datetime) -> int:
    """Twenty people who take something now, and Marta, who helps them all."""
    marta = make_cast_account(session, "Marta", now=now)
    for number in range(MANY):
        patient = make_patient(session, name=f"P{number}", now=now)
        prescribe(session, patient, "08:05", now=now, category="time_critical")
        plan(session, patient, now=now)
        grant = grant_access(
            session,
            account_id=marta.id,
            patient_id=patient.id,
            level=Level.MARK,
            role="caregiver",
            now=now,
        )
        grant.ladder_place = 1
    session.flush()
    return marta.id


def tick(session: Session, at: datetime) -> None:
    while fire_reminders(session, now=at, limit=7):
        pass
    end_storms(session, now=at)


def to_marta(session: Session) -> list[Delivery]:
    rows = sa.select(Delivery).where(Delivery.account_id.is_not(None))
    return list(session.scalars(rows.order_by(Delivery.id)))


def test_six_alerts_leave_and_one_message_tells_of_the_rest(
    session: Session, home: int, now: datetime
) -> None:
    for minute in range(40):
        tick(session, after(now, minute))
        leave(session, after(now, minute))
    told = to_marta(session)
    left = [
        one for one in told if one.kind == "dose_alert" and one.state != "suppressed"
    ]
    held = [one for one in told if one.state == "suppressed"]
    assert (len(left), len(held)) == (MOST_A_MINUTE, MANY - MOST_A_MINUTE)
    (digest,) = [one for one in told if one.kind == "held_back"]
    assert digest.created_at == after(now, 31)
    incident = session.scalars(sa.select(Incident)).one()
    assert (incident.kind, incident.about) == ("storm", f"a{home}")
    assert incident.opened_at == after(now, 30)
    assert incident.closed_at == after(now, 31)


def test_nobody_gets_more_than_the_cap_in_any_minute(
    session: Session, home: int, now: datetime
) -> None:
    for second in range(0, 40 * 60, 20):
        tick(session, now + timedelta(seconds=second))
        leave(session, now + timedelta(seconds=second))
    times = [one.created_at for one in to_marta(session) if one.state != "suppressed"]
    minute = timedelta(minutes=1)
    busiest = max(sum(at <= other < at + minute for other in times) for at in times)
    assert busiest <= MOST_A_MINUTE


def test_the_one_message_says_how_many(
    session: Session, home: int, now: datetime
) -> None:
    tick(session, after(now, 30))
    assert oldest_storm(session, now=after(now, 30.5)) is None
    assert oldest_storm(session, now=after(now, 31)) == after(now, 31)
    tick(session, after(now, 31))
    (digest,) = [one for one in to_marta(session) if one.kind == "held_back"]
    message = compose_message(digest)
    assert message.subject == f"We held back {MANY - MOST_A_MINUTE} messages"
    assert "there were too many at once" in message.html
    held = [
        one.patient_id
        for one in to_marta(session)
        if one.state == "suppressed" and one.patient_id
    ]
    assert len(held) == MANY - MOST_A_MINUTE
    for patient_id in held:
        name = session.get_one(Patient, patient_id).name
        address = f"http://127.0.0.1:8000/patients/{patient_id}/today"
        assert f"{name}: {address}\n" in message.text
        assert f'href="{address}"><bdi>{name}</bdi>' in message.html


def test_one_person_alone_is_not_named_twice(
    session: Session, home: int, now: datetime
) -> None:
    tick(session, after(now, 30))
    first = sa.select(Delivery).where(Delivery.state == "suppressed")
    for row in session.scalars(first).all()[1:]:
        row.state = "cancelled"
    tick(session, after(now, 31))
    (digest,) = [one for one in to_marta(session) if one.kind == "held_back"]
    text = compose_message(digest).text
    assert "we held back a message" in text
    assert "\nhttp://127.0.0.1:8000/patients/" in text


def test_what_is_urgent_is_not_what_is_held_back(
    session: Session, home: int, now: datetime
) -> None:
    urgent = list(session.scalars(sa.select(Patient.id)))[-3:]
    session.execute(
        sa.update(Medication)
        .where(Medication.patient_id.not_in(urgent))
        .values(category="high_alert")
    )
    fire_reminders(session, now=after(now, 120), limit=MANY)
    left = [one.patient_id for one in to_marta(session) if one.state == "pending"]
    assert len(left) == MOST_A_MINUTE
    assert set(urgent) <= set(left)


def test_what_is_about_nobody_who_can_be_looked_at_ends_the_storm_too(
    session: Session, home: int, now: datetime
) -> None:
    tick(session, after(now, 30))
    session.execute(sa.delete(Grant))
    assert end_storms(session, now=after(now, 32)) == 1
    assert oldest_storm(session, now=after(now, 32)) is None


def test_forty_doses_at_once_are_one_message(session: Session, now: datetime) -> None:
    rosa: Patient = make_patient(session, now=now)
    for number in range(40):
        prescribe(session, rosa, "08:05", now=now, name=f"Medicine {number}")
    plan(session, rosa, now=now)
    tick(session, now)
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 1


def fire_some(db: Database, now: datetime, number: int) -> int:
    with db.transaction() as session:
        return fire_reminders(session, now=now, limit=number)


def make_homes(db: Database, now: datetime, count: int, *names: str) -> None:
    """Let these help so many people; every other lists them the other way round."""
    with db.transaction() as session:
        accounts = [make_cast_account(session, name, now=now) for name in names]
        for account in accounts:
            add_own_contact(session, account, now=now)
        helpers = [account.id for account in accounts]
        for number in range(count):
            patient = make_patient(session, name=f"P{number}", now=now)
            prescribe(session, patient, "08:05", now=now, category="time_critical")
            plan(session, patient, now=now)
            for helper in helpers[:: -1 if number % 2 else 1]:
                grant_access(
                    session,
                    account_id=helper,
                    patient_id=patient.id,
                    level=Level.MARK,
                    role="caregiver",
                    now=now,
                ).ladder_place = 1


def alerts(db: Database) -> dict[int, list[str]]:
    """Return the states of the alerts, by who gets them."""
    found: dict[int, list[str]] = {}
    with db.reading() as session:
        for row in to_marta(session):
            found.setdefault(row.account_id or 0, []).append(row.state)
    return found


def test_who_fires_meanwhile_counts_what_is_not_kept_yet(
    db: Database, now: datetime
) -> None:
    make_homes(db, now, MANY, "Marta")
    at = after(now, 30)
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            assert fire_reminders(session, now=at, limit=MANY // 2) == MANY // 2
            other = pool.submit(fire_some, db, at, MANY)
            wait([other], timeout=1)
        assert other.result(30) == MANY // 2
    (states,) = alerts(db).values()
    assert len(states) == MANY
    assert states.count("pending") == MOST_A_MINUTE


def test_many_who_fire_for_the_same_helpers_all_end_and_keep_the_cap(
    db: Database, now: datetime
) -> None:
    make_homes(db, now, 2 * MANY, "Marta", "Luis", "Nora")
    at = after(now, 30)
    fired = at_once(8, lambda _: fire_some(db, at, 5))
    assert sum(fired) <= 2 * MANY
    while fire_some(db, at, MANY):
        pass
    for states in alerts(db).values():
        assert len(states) == 2 * MANY
        assert states.count("pending") == MOST_A_MINUTE
