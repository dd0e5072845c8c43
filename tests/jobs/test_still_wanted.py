"""What was true when it was posted is not said any more when it is not."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from jobs.line import STILL_WANTED
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.actions.resolving import resolve_alerts
from pillweb.watch.actions.late import tell_what_was_late
from tests.reminders.steps import after, leave
from tests.reminders.test_family import Family, family, levodopa
from tests.world import make_patient, plan, prescribe

__all__ = ["family", "levodopa"]


def wanted(session: Session, kind: str, now: datetime) -> list[bool]:
    """Return of each message of a kind whether it would still leave."""
    session.expire_all()
    ids = session.scalars(sa.select(Delivery.id).where(Delivery.kind == kind)).all()
    assert ids
    found = STILL_WANTED[kind](session, ids, now=now)
    return [one in found for one in ids]


def set_state(session: Session, state: str, *where: sa.ColumnElement[bool]) -> None:
    session.execute(sa.update(Dose).where(*where).values(state=state))


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    """Who takes something at 8.05, now, at 9 and at midday."""
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:05", now=now)
    prescribe(session, patient, "09:00", "12:00", now=now, name="Metformin")
    plan(session, patient, now=now)
    return patient


def test_that_we_were_late_is_not_said_of_what_is_recorded_since(
    session: Session, rosa: Patient, now: datetime
) -> None:
    at = after(now, 120)
    fire_reminders(session, now=at, limit=9)
    tell_what_was_late(session, now=at, limit=9)
    assert wanted(session, "dose_late", after(at, 9)) == [True]
    set_state(session, "taken", Dose.due_at == now)
    # Of 9 o'clock there is no record yet.
    assert wanted(session, "dose_late", after(at, 9)) == [True]
    set_state(session, "taken", Dose.due_at < at)
    assert wanted(session, "dose_late", after(at, 9)) == [False]
    # A reminder at its time is no news that we were late.
    fire_reminders(session, now=after(now, 235), limit=9)
    leave(session, after(now, 235))
    assert wanted(session, "dose_late", after(now, 236)) == [False]


def test_that_it_is_recorded_is_not_said_when_that_was_taken_back(
    session: Session, levodopa: Family, now: datetime
) -> None:
    for minute in (0, 30):
        fire_reminders(session, now=after(now, minute), limit=9)
        leave(session, after(now, minute))
    set_state(session, "taken", Dose.due_at == now)
    resolve_alerts(session, now=after(now, 40), limit=9)
    assert wanted(session, "alert_resolved", after(now, 41)) == [True]
    set_state(session, "open", Dose.due_at == now)
    assert wanted(session, "alert_resolved", after(now, 42)) == [False]
    resolve_alerts(session, now=after(now, 43), limit=9)
    assert wanted(session, "alert_resolved", after(now, 44)) == [False]
