"""What is taken back, or put off, goes on where it would be by now."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.answers.actions import answer_reminder
from pillweb.answers.rules import CANNOT_WAIT
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.models import Dose
from pillweb.reminders.actions.resolving import reopen_undone
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import oldest_undone
from tests.reminders.steps import after
from tests.reminders.test_family import Family, family, run, told
from tests.world import plan, prescribe

__all__ = ["family"]


def say(session: Session, family: Family, what: str, *, at: datetime) -> None:
    """Record everything that is due as taken, or take that back."""
    due = sa.select(Dose.id).where(Dose.due_at <= at)
    act = mark_taken if what == "taken" else undo_marks
    assert act(
        session,
        session.scalars(due).all(),
        patient_id=family.rosa.id,
        account_id=None,
        channel="page",
        now=at,
    )
    session.expire_all()


def warfarin(session: Session, family: Family, now: datetime) -> None:
    prescribe(session, family.rosa, "08:05", now=now, category="high_alert")
    plan(session, family.rosa, now=now)


def test_what_is_taken_back_after_the_last_nudge_reaches_the_helpers(
    session: Session, family: Family, now: datetime
) -> None:
    warfarin(session, family, now)
    run(session, now, range(1))
    say(session, family, "taken", at=after(now, 1))
    assert run(session, now, range(1, 75, 15)) == []
    say(session, family, "undone", at=after(now, 75))
    assert run(session, now, range(75, 151, 15)) == [
        (120, family.marta),
        (150, family.luis),
    ]


def test_what_stays_recorded_is_over_with_the_last_call(
    session: Session, family: Family, now: datetime
) -> None:
    warfarin(session, family, now)
    run(session, now, range(1))
    say(session, family, "taken", at=after(now, 1))
    assert run(session, now, range(1, 200, 10)) == []
    state = session.scalar(sa.select(Reminder.state).where(Reminder.due_at == now))
    assert state == "done"


def test_what_is_taken_back_after_the_last_call_reaches_the_helpers_once(
    session: Session, family: Family, now: datetime
) -> None:
    warfarin(session, family, now)
    run(session, now, range(1))
    say(session, family, "taken", at=after(now, 1))
    run(session, now, range(15, 211, 15))
    assert reopen_undone(session, now=after(now, 210)) == 0
    say(session, family, "undone", at=after(now, 220))
    assert oldest_undone(session, now=after(now, 221)) == after(now, 220)
    assert reopen_undone(session, now=after(now, 221)) == 1
    session.expire_all()
    assert run(session, now, range(221, 231, 3)) == [
        (221, family.marta),
        (221, family.luis),
    ]
    assert [
        reopen_undone(session, now=after(now, 231)),
        told(session, "dose_late"),
    ] == [
        0,
        [],
    ]


def test_one_of_two_that_is_taken_back_reaches_the_helpers(
    session: Session, family: Family, now: datetime
) -> None:
    warfarin(session, family, now)
    run(session, now, range(1))
    say(session, family, "taken", at=after(now, 1))
    prescribe(session, family.rosa, "08:05", now=now, name="Vitamin")
    plan(session, family.rosa, now=now)
    run(session, now, range(1, 75, 15))
    warfarins = sa.select(Dose).order_by(Dose.id)
    first = session.scalars(warfarins).first()
    assert first
    say(session, family, "undone", at=after(now, 75))
    assert first.state == "open"
    assert run(session, now, range(75, 121, 15)) == [(120, family.marta)]


def test_what_was_recorded_before_its_time_is_not_called_our_failure(
    session: Session, family: Family, now: datetime
) -> None:
    warfarin(session, family, after(now, -10))
    say(session, family, "taken", at=now)
    run(session, now, range(0, 75, 15))
    say(session, family, "undone", at=after(now, 75))
    assert run(session, now, range(75, 121, 15)) == [(120, family.marta)]
    assert told(session, "dose_due") == []
    state = session.scalar(sa.select(Reminder.state).where(Reminder.due_at == now))
    assert state == "open"


def test_a_vitamin_that_is_put_off_does_not_silence_what_cannot_wait(
    session: Session, family: Family, now: datetime
) -> None:
    for name, category in (("Levodopa", "time_critical"), ("Vitamin", "ordinary")):
        prescribe(session, family.rosa, "08:05", now=now, name=name, category=category)
    plan(session, family.rosa, now=now)
    assert run(session, now, range(0, 32, 10)) == [(30, family.marta)]
    reminder = session.scalars(sa.select(Reminder).where(Reminder.due_at == now)).one()
    at = after(now, 32)
    said = answer_reminder(session, reminder, verb="later", channel="sms", now=at)
    assert said.kind == CANNOT_WAIT
    session.expire_all()
    assert run(session, now, range(50, 61, 10)) == [(60, family.luis)]
