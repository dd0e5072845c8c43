"""Ladders as they are fired: gathered, told once, silent at night, never too late."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import Preference
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.actions import change_zone
from pillweb.patients.models import Patient
from pillweb.reminders.actions.arming import arm_reminders, hold_reminders
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import DeliveryDose, Reminder
from pillweb.reminders.queries.waiting import still_wanted
from tests.at_once import at_once
from tests.reminders.steps import after, leave
from tests.world import make_patient, plan, prescribe

LIMIT = 100


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    return make_patient(session, now=now)


def posted(session: Session) -> list[Delivery]:
    return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))


def run(session: Session, now: datetime, minutes: range) -> list[int]:
    """Let the job run every minute; return at which minute each message was posted."""
    found = []
    for minute in minutes:
        at = after(now, minute)
        before = len(posted(session))
        fire_reminders(session, now=at, limit=LIMIT)
        found += [minute] * (len(posted(session)) - before)
        leave(session, at)
    return found


def doses_told(session: Session) -> list[tuple[int, int]]:
    """Return (dose, step) of everything the patient was told."""
    rows = session.execute(
        sa.select(DeliveryDose.dose_id, DeliveryDose.step).order_by(
            DeliveryDose.step, DeliveryDose.dose_id
        )
    )
    return [(dose, step) for dose, step in rows]


def test_what_is_due_within_ten_minutes_is_one_message_and_none_is_delayed(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    prescribe(session, rosa, "08:15", now=now, name="Metformin")
    prescribe(session, rosa, "08:16", now=now, name="Ramipril")
    plan(session, rosa, now=now)
    assert run(session, now, range(5)) == [0]
    # What is a minute further away speaks at its own time; nudges join in.
    assert run(session, now, range(5, 90)) == [11, 25, 45, 56]


def test_the_words_name_each_time(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", "20:00", now=now)
    prescribe(session, rosa, "08:15", now=now, name="Metformin")
    plan(session, rosa, now=now)
    fire_reminders(session, now=now, limit=LIMIT)
    (delivery,) = posted(session)
    assert "your 8.05am and 8.15am medicines" in compose_message(delivery).text
    assert len(doses_told(session)) == 2


def test_what_was_gathered_is_nudged_together_and_told_once_a_step(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    prescribe(session, rosa, "08:10", now=now, name="Metformin")
    plan(session, rosa, now=now)
    assert run(session, now, range(200)) == [0, 15, 45]
    told = doses_told(session)
    assert len(told) == len(set(told)) == 6


def test_what_somebody_asked_to_hear_later_keeps_its_time(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    prescribe(session, rosa, "08:30", now=now, name="Metformin")
    plan(session, rosa, now=now)
    assert run(session, now, range(5)) == [0]
    hold_reminders(session, rosa.id, [now], until=after(now, 34))
    assert run(session, now, range(5, 36)) == [25, 34]


def test_two_addresses_of_one_channel_are_both_told(
    session: Session, rosa: Patient, now: datetime
) -> None:
    add_contact(
        session,
        channel="email",
        address="rosa@work.example",
        patient_id=rosa.id,
        now=now,
    )
    prescribe(session, rosa, "08:05", now=now)
    plan(session, rosa, now=now)
    assert run(session, now, range(2)) == [0, 0]


def test_firing_at_once_is_one_message_each(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        for name in ("Rosa", "Bruno", "Kiri", "Ida"):
            patient = make_patient(session, name=name, now=now)
            prescribe(session, patient, "08:05", "08:10", now=now)
            plan(session, patient, now=now)

    def fire(_number: int) -> int:
        with db.transaction() as session:
            return fire_reminders(session, now=now, limit=LIMIT)

    assert sum(at_once(4, fire)) == 4
    with db.reading() as session:
        assert len(posted(session)) == 4
        assert len(doses_told(session)) == 8


def test_the_rules_of_the_table_forbid_to_tell_twice(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    plan(session, rosa, now=now)
    fire_reminders(session, now=now, limit=LIMIT)
    row = session.scalars(sa.select(DeliveryDose)).one()
    (delivery,) = posted(session)
    again = {c.key: getattr(row, c.key) for c in sa.inspect(DeliveryDose).columns}
    other = {"kind": "x", "channel": "email", "dedupe_key": "x", "recipient": "x"}
    times = {"created_at": now, "next_at": now, "expires_at": now}
    session.add(Delivery(id=delivery.id + 1, **other, **times))
    session.flush()
    session.add(DeliveryDose(**again | {"delivery_id": delivery.id + 1}))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()


def test_an_edit_that_keeps_the_time_tells_nothing_twice(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:05", now=now)
    plan(session, rosa, now=now)
    assert run(session, now, range(3)) == [0]
    from_now = after(now, 3)
    medication.instruction = "With milk"
    rosa.plan_revision += 1
    session.flush()
    plan(session, rosa, now=from_now)
    session.execute(sa.update(Reminder).values(next_at=from_now, state="open"))
    fire_reminders(session, now=from_now, limit=LIMIT)
    assert len(posted(session)) == 1
    assert run(session, now, range(4, 90)) == [15, 45]


def test_what_was_told_early_and_then_moved_to_tonight_is_told_tonight(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    prescribe(session, rosa, "08:10", now=now, name="Metformin")
    plan(session, rosa, now=now)
    assert run(session, now, range(1)) == [0]
    evening = now + timedelta(hours=12)
    later = sa.select(Dose).where(Dose.due_at == after(now, 5))
    session.scalars(later).one().due_at = evening
    session.flush()
    arm_reminders(session, [rosa.id], now=after(now, 1))
    assert run(session, evening, range(1)) == [0]


def test_travel_does_not_tell_the_same_dose_twice(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    plan(session, rosa, now=now)
    assert run(session, now, range(3)) == [0]
    change_zone(
        session,
        rosa.id,
        "Atlantic/Azores",
        at=after(now, 3),
        is_travel=True,
        account_id=None,
        now=after(now, 3),
    )
    plan(session, rosa, now=after(now, 3))
    nudged = run(session, now, range(3, 60))
    assert nudged == [15, 45]
    assert run(session, now, range(60, 100)) == []
    told = doses_told(session)
    assert len(told) == len(set(told))


def set_quiet(session: Session, patient: Patient, start: str, end: str) -> None:
    wishes = {"quiet_from": start, "quiet_until": end, "unwanted": {}}
    session.add(Preference(patient_id=patient.id, **wishes))
    session.flush()


def how(delivery: Delivery) -> tuple[bool, bool]:
    message = compose_message(delivery)
    return message.is_silent, message.is_urgent


def test_in_quiet_hours_a_dose_speaks_silently_and_its_nudges_wait(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    plan(session, rosa, now=now)
    set_quiet(session, rosa, "08:00", "08:52")
    fire_reminders(session, now=now, limit=LIMIT)
    assert how(posted(session)[0]) == (True, False)
    leave(session, now)
    # Both nudges are one, at the end.
    assert run(session, now, range(1, 120)) == [47]
    assert how(posted(session)[1])[0] is False


def test_a_nudge_held_until_it_is_too_late_is_never_said(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    plan(session, rosa, now=now)
    set_quiet(session, rosa, "08:00", "10:00")
    assert run(session, now, range(180)) == [0]


@pytest.mark.parametrize(("passes", "minutes"), [(True, [0, 10, 20]), (False, [0])])
def test_what_is_time_critical_passes_quiet_hours_unless_the_patient_chose(
    session: Session, rosa: Patient, now: datetime, passes: bool, minutes: list[int]
) -> None:
    prescribe(session, rosa, "08:05", now=now, category="time_critical")
    plan(session, rosa, now=now)
    set_quiet(session, rosa, "08:00", "10:00")
    session.execute(sa.update(Preference).values(urgent_passes=passes))
    fire_reminders(session, now=now, limit=LIMIT)
    assert how(posted(session)[0]) == (not passes, True)
    leave(session, now)
    assert [0, *run(session, now, range(1, 60))] == minutes


def test_a_dose_is_not_told_of_when_the_next_one_of_its_medicine_is_due(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", "08:35", now=now)
    plan(session, rosa, now=now)
    # Half the time to the next is a quarter of an hour: no nudge of the first.
    assert run(session, now, range(29)) == [0]
    fire_reminders(session, now=after(now, 30), limit=LIMIT)
    (first, second) = posted(session)
    at = after(now, 30)
    assert still_wanted(session, [first.id, second.id], now=at) == {second.id}


def test_the_most_urgent_open_dose_sets_the_pace(
    session: Session, rosa: Patient, now: datetime
) -> None:
    prescribe(session, rosa, "08:05", now=now)
    urgent = prescribe(
        session, rosa, "08:05", now=now, name="Levodopa", category="time_critical"
    )
    plan(session, rosa, now=now)
    assert run(session, now, range(12)) == [0, 10]
    mine = sa.select(Dose.id).where(Dose.medication_id == urgent.id, Dose.due_at == now)
    who = {"patient_id": rosa.id, "account_id": None, "channel": "page"}
    mark_taken(session, session.scalars(mine).all(), now=after(now, 12), **who)  # type: ignore[arg-type]
    assert run(session, now, range(12, 60)) == [45]


def test_a_ladder_of_one_s_own_is_climbed(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:05", now=now)
    medication.ladder = [
        {"after": 0, "to": "patient", "loudest": 0},
        {"after": 5, "to": "patient", "loudest": 2},
    ]
    plan(session, rosa, now=now)
    assert run(session, now, range(90)) == [0, 5]


def test_a_ladder_that_cannot_be_read_is_the_usual_one(
    session: Session, rosa: Patient, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:05", now=now)
    medication.ladder = [{"after": "soon"}]
    plan(session, rosa, now=now)
    assert run(session, now, range(90)) == [0, 15, 45]


def test_many_are_fired_by_few_statements(session: Session, now: datetime) -> None:
    for number in range(12):
        patient = make_patient(session, name=f"P{number}", now=now)
        prescribe(session, patient, "08:05", now=now)
        plan(session, patient, now=now)
    fire_reminders(session, now=now, limit=1)

    def count(limit: int) -> int:
        heard: list[str] = []
        engine = session.get_bind()

        def hear(_c: object, _cur: object, statement: str, *_rest: object) -> None:
            heard.append(statement)

        sa.event.listen(engine, "before_cursor_execute", hear)
        fire_reminders(session, now=now, limit=limit)
        sa.event.remove(engine, "before_cursor_execute", hear)
        return len(heard)

    assert count(1) == count(10) <= 24
