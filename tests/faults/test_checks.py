"""The checks themselves: what is lost is seen to be lost."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery, Incident
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from tests.faults.checks import assert_nothing_lost, take_stock
from tests.faults.rig import make_due
from tests.reminders.steps import leave


@pytest.fixture
def due(db: Database, now: datetime, pinned: object) -> Database:
    """One person, whose reminder is posted."""
    del pinned
    make_due(db, 1)
    with db.transaction() as session:
        assert fire_reminders(session, now=now, limit=10) == 1
    return db


def end(db: Database, state: str, error: str | None = None) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Delivery).values(state=state, last_error=error))


def late(session: Session, patient_id: int, *, at: datetime) -> None:
    words = {"kind": "dose_late", "channel": "email", "recipient": "x"}
    times = {"created_at": at, "next_at": at, "expires_at": at}
    key = f"late{at.microsecond}"
    session.add(Delivery(patient_id=patient_id, dedupe_key=key, **words, **times))


def test_what_was_taken_over_is_not_lost(due: Database, now: datetime) -> None:
    with due.transaction() as session:
        leave(session, now)
    assert assert_nothing_lost(due).due == 1


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("cancelled", None),
        ("suppressed", "stopped"),
        ("superseded", None),
        ("dead", "crashed"),
        ("pending", None),
    ],
)
def test_an_open_dose_nobody_heard_of_is_lost_whatever_its_row_says(
    due: Database, state: str, error: str | None
) -> None:
    end(due, state, error)
    assert take_stock(due).lost == 1


def test_a_dead_letter_of_a_known_bad_time_is_not_lost(
    due: Database, now: datetime
) -> None:
    end(due, "dead", "crashed")
    with due.transaction() as session:
        session.add(Incident(kind="channel", about="email", opened_at=now))
    assert take_stock(due).lost == 0


def test_what_is_recorded_need_not_be_said(due: Database) -> None:
    end(due, "cancelled")
    with due.transaction() as session:
        session.execute(sa.update(Dose).values(state="taken"))
    assert take_stock(due).lost == 0


def test_what_was_late_is_told_of_once(due: Database, now: datetime) -> None:
    end(due, "expired")
    with due.transaction() as session:
        session.execute(sa.update(Reminder).values(state="done", last_fired_at=now))
        whose = session.scalars(sa.select(Reminder.patient_id)).first()
        assert whose
        late(session, whose, at=now)
    assert_nothing_lost(due)
    with due.transaction() as session:
        late(session, whose, at=now.replace(microsecond=7))
    with pytest.raises(AssertionError):
        assert_nothing_lost(due)
