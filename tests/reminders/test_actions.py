from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.models import Dose
from pillweb.outbox.actions.sending import (
    begin_attempts,
    claim_deliveries,
    settle_deliveries,
)
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.outbox.rules import Sent
from pillweb.patients.models import Patient
from pillweb.reminders.actions import posting
from pillweb.reminders.actions.arming import arm_reminders
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.reminders.queries.waiting import oldest_unfired, still_wanted
from tests.world import make_patient, plan, prescribe

LIMIT = 100
# Every word by which a mail could betray what is taken.
SECRETS = ("Amlodipine", "amlodipine", "blood pressure", "5 mg", "With water")


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    """Who takes one medicine at 8.05, now, and at 20."""
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:05", "20:00", now=now)
    plan(session, patient, now=now)
    return patient


def fire(session: Session, at: datetime) -> int:
    return fire_reminders(session, now=at, limit=LIMIT)


def after(now: datetime, minutes: float) -> datetime:
    return now + timedelta(minutes=minutes)


def keys(session: Session) -> list[str]:
    rows = session.scalars(sa.select(Delivery.dedupe_key).order_by(Delivery.id))
    return [key.partition(":")[0] + ":" + key.rpartition(":")[2] for key in rows]


def first_dose(session: Session, patient: Patient) -> Dose:
    wanted = sa.select(Dose).where(Dose.patient_id == patient.id)
    return session.scalars(wanted.order_by(Dose.due_at)).first() or Dose()


def take(session: Session, patient: Patient, at: datetime) -> int:
    dose = first_dose(session, patient)
    who = {"patient_id": patient.id, "account_id": None, "channel": "page"}
    return len(mark_taken(session, [dose.id], now=at, **who))  # type: ignore[arg-type]


def undo(session: Session, patient: Patient, at: datetime) -> int:
    dose = first_dose(session, patient)
    who = {"patient_id": patient.id, "account_id": None, "channel": "page"}
    return undo_marks(session, [dose.id], now=at, **who)  # type: ignore[arg-type]


def deliver(session: Session, at: datetime) -> None:
    """Let the provider take over everything that is due."""
    claimed = claim_deliveries(session, now=at, limit=LIMIT).ready
    begun = begin_attempts(session, claimed, now=at)
    settle_deliveries(session, [Sent(one, "<taken@test>") for one in begun], now=at)


def test_the_ladder_speaks_at_its_three_steps_and_ends(
    session: Session, rosa: Patient, now: datetime
) -> None:
    said = []
    for minute in range(90):
        if fire(session, after(now, minute)):
            said.append((minute, len(keys(session))))
            deliver(session, after(now, minute))
    assert said == [(0, 1), (15, 2), (45, 3), (61, 3)]
    assert keys(session) == ["dose_due:0", "dose_due:1", "dose_due:2"]


def test_firing_twice_is_one_message(
    session: Session, rosa: Patient, now: datetime
) -> None:
    assert fire(session, now) == 1
    assert fire(session, now) == 0
    session.execute(sa.update(Reminder).values(next_at=now))
    assert fire(session, now) > 0
    assert keys(session) == ["dose_due:0"]
    assert session.scalar(sa.select(sa.func.count()).select_from(ReminderLink)) == 1


def test_steps_that_were_slept_through_are_not_caught_up(
    session: Session, rosa: Patient, now: datetime
) -> None:
    fire(session, after(now, 50))
    assert keys(session) == ["dose_due:2"]


def test_nothing_is_said_before_its_time(
    session: Session, rosa: Patient, now: datetime
) -> None:
    assert fire(session, now - timedelta(seconds=1)) == 0
    assert oldest_unfired(session, now=now - timedelta(seconds=1)) is None
    assert oldest_unfired(session, now=now) == now


def test_nothing_is_said_of_a_dose_that_was_taken(
    session: Session, rosa: Patient, now: datetime
) -> None:
    take(session, rosa, now)
    for minute in range(90):
        fire(session, after(now, minute))
    assert keys(session) == []


def test_a_message_in_the_outbox_is_not_wanted_once_the_dose_is_taken(
    session: Session, rosa: Patient, now: datetime
) -> None:
    fire(session, now)
    posted = session.scalars(sa.select(Delivery.id)).one()
    assert still_wanted(session, [posted], now=now) == {posted}
    take(session, rosa, now)
    assert still_wanted(session, [posted], now=now) == set()


def test_a_dose_taken_back_is_spoken_of_again_at_the_next_step(
    session: Session, rosa: Patient, now: datetime
) -> None:
    fire(session, now)
    take(session, rosa, after(now, 10))
    fire(session, after(now, 15))
    assert keys(session) == ["dose_due:0"]
    undo(session, rosa, after(now, 20))
    assert fire(session, after(now, 21)) == 0
    assert fire(session, after(now, 45)) == 1
    assert keys(session) == ["dose_due:0", "dose_due:2"]


def test_two_medicines_of_one_moment_are_one_message(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now, name="Metformin")
    plan(session, rosa, now=now)
    fire(session, now)
    assert keys(session) == ["dose_due:0"]
    take(session, rosa, now)
    fire(session, after(now, 15))
    assert keys(session) == ["dose_due:0", "dose_due:1"]


def test_a_time_critical_medicine_makes_the_ladder_shorter(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(
        session, rosa, "08:05", now=now, name="Levodopa", category="time_critical"
    )
    plan(session, rosa, now=now)
    said = [minute for minute in range(60) if fire(session, after(now, minute))]
    assert said == [0, 10, 20]


def test_arming_again_starts_nothing_again(
    session: Session, rosa: Patient, now: datetime
) -> None:
    fire(session, now)
    arm_reminders(session, [rosa.id], now=now)
    assert fire(session, now) == 0
    count = sa.select(sa.func.count()).select_from(Reminder)
    moments = sa.select(sa.func.count(sa.distinct(Dose.due_at)))
    assert session.scalar(count) == session.scalar(moments)


def test_the_mail_holds_the_time_and_a_link_and_no_medicine(
    session: Session, rosa: Patient, now: datetime
) -> None:
    fire(session, now)
    (delivery,) = session.scalars(sa.select(Delivery))
    message = compose_message(delivery)
    assert "8.05am" in message.subject
    assert "8.05am" in message.text
    assert "http://127.0.0.1:8000/t/" in message.text
    assert "http://127.0.0.1:8000/t/" in message.html
    whole = f"{message.subject}{message.text}{message.html}{message.key}"
    assert not [secret for secret in SECRETS if secret in whole]


def test_the_time_in_the_mail_is_the_patient_s_own(
    session: Session, now: datetime
) -> None:
    away = make_patient(session, name="Kiri", now=now, zone="Asia/Kolkata")
    prescribe(session, away, "13:35", now=now)
    plan(session, away, now=now)
    fire(session, now)
    (delivery,) = session.scalars(sa.select(Delivery))
    assert "1.35pm" in compose_message(delivery).subject


def test_every_step_has_a_link_of_its_own_that_lives_a_day(
    session: Session, rosa: Patient, now: datetime
) -> None:
    for minute in (0, 15, 45):
        fire(session, after(now, minute))
    links = session.scalars(sa.select(ReminderLink)).all()
    assert len({link.token_hash for link in links}) == 3
    assert {link.expires_at for link in links} == {now + timedelta(hours=24)}


def test_a_failing_link_store_takes_the_message_with_it(
    session: Session,
    rosa: Patient,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(posting, "_link_row", fail)
    with pytest.raises(RuntimeError), session.begin_nested():
        fire(session, now)
    assert keys(session) == []
    assert oldest_unfired(session, now=now) == now


def test_what_is_planned_after_it_was_due_waits_since_it_was_planned(
    session: Session, now: datetime
) -> None:
    late = make_patient(session, name="Late", now=now)
    prescribe(session, late, "08:00", now=now)
    plan(session, late, now=after(now, 20))
    whose = Reminder.patient_id == late.id
    first = session.scalars(
        sa.select(Reminder).where(whose).order_by(Reminder.due_at)
    ).first()
    assert first is not None
    assert first.due_at < first.next_at == after(now, 20)
    assert oldest_unfired(session, now=after(now, 21)) is not None
