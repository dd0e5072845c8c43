"""The demo family: a history one can believe, at any hour and in any zone."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.accounts.actions import joining
from pillweb.adherence.queries import outcomes_of
from pillweb.adherence.rules.tally import Tally, by_medicine, tally
from pillweb.base.zones import local, zone
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.queries.days import day_of
from pillweb.doses.rules.pages import Today, today_page
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.portals import actions
from pillweb.portals.actions import load_demo
from pillweb.portals.rules import MEDICINES
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.supply.actions.reminding import check_supplies
from pillweb.supply.queries.outlook import supplies_of

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash no passwords: what they hash to is not what is tested here."""
    monkeypatch.setattr(joining, "hash_password", lambda _: "-")


def load(session: Session, *, now: datetime) -> Patient:
    load_demo(session, password="-", now=now)
    session.flush()
    return session.scalars(sa.select(Patient)).one()


def tallies(session: Session, patient: Patient, *, now: datetime) -> list[Tally]:
    today = local(now, zone(patient.zone)).date()
    found = outcomes_of(
        session, patient.id, first=today - timedelta(days=89), last=today
    )
    return [tally(found, now), *(one for _, one in by_medicine(found, now))]


def today(session: Session, patient: Patient, *, now: datetime) -> Today:
    place = zone(patient.zone)
    return today_page(
        day_of(session, patient.id, place=place, now=now),
        who="",
        here=local(now, place),
        now=now,
        clock=str,
        may_mark=True,
    )


def test_the_history_is_one_that_can_be_believed(
    session: Session, now: datetime
) -> None:
    patient = load(session, now=now)
    together, *each = tallies(session, patient, now=now)
    assert len(each) == len(MEDICINES) == 8
    assert together.due_days >= 89
    assert together.taken_pct is not None
    assert 85 <= together.taken_pct <= 97
    assert together.no_record > 10
    assert together.not_taken > 3
    assert together.late > 10
    assert together.gaps_of_3_or_more == (3,)
    assert all(one.taken_pct and one.taken_pct > 60 for one in each)


def test_every_record_of_the_history_has_its_event(
    session: Session, now: datetime
) -> None:
    load(session, now=now)
    recorded = session.execute(
        sa.select(Dose.id, Dose.state, Dose.recorded_at).where(
            Dose.recorded_at.is_not(None)
        )
    ).all()
    events = session.execute(
        sa.select(DoseEvent.dose_id, DoseEvent.what, DoseEvent.entered_at)
    ).all()
    assert sorted(map(tuple, recorded)) == sorted(map(tuple, events))
    assert all(at is not None and at <= now for _, _, at in recorded)


def test_one_medicine_is_about_to_run_out_and_one_is_not(
    session: Session, now: datetime
) -> None:
    patient = load(session, now=now)
    found = supplies_of(session, patient.id, place=zone(patient.zone), now=now)
    days = [
        (one.outlook.runs_out_on - now.date()).days
        for one in found.values()
        if one.outlook.runs_out_on
    ]
    assert len(days) == len(found) == 2
    assert min(days) <= 5
    assert max(days) >= 14
    assert check_supplies(session, now=now, limit=9) == 0
    check_supplies(session, now=now + HOUR, limit=9)
    kinds = session.scalars(sa.select(Delivery.kind)).all()
    assert kinds.count("refill_due") == 1


# Of the 24 hours in London each database gets its half; elsewhere a few will do.
HOURS = [
    *(("Europe/London", hour) for hour in range(0, 24, 4)),
    *(("Europe/London", hour) for hour in range(1, 24, 4)),
    ("Pacific/Kiritimati", 3),
    ("Pacific/Kiritimati", 20),
    ("America/Los_Angeles", 9),
    ("America/Los_Angeles", 16),
]


@pytest.mark.parametrize(("home", "hour"), HOURS)
def test_at_any_hour_today_makes_sense_and_nothing_is_mailed_for_the_past(
    session: Session,
    now: datetime,
    home: str,
    hour: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actions, "DEMO_ZONE", home)
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    # A Wednesday, two days after the weekly medicine: the longest look back.
    at = now.replace(day=18, hour=hour, minute=20) + (0 if on_sqlite else 2) * HOUR
    patient = load(session, now=at)
    page = today(session, patient, now=at)
    states = Counter(
        card.state
        for cards in (page.now, *(group.cards for group in page.groups))
        for card in cards
    )
    assert set(states) <= {"taken", "due", "to_come"}
    assert 7 <= sum(states.values()) <= 9
    assert page.headline
    fire_reminders(session, now=at, limit=99)
    kinds = Counter(session.scalars(sa.select(Delivery.kind)))
    assert kinds["dose_late"] == 0
    due = session.scalars(sa.select(Reminder.due_at)).all()
    assert min(due) >= at - HOUR
    assert kinds["dose_due"] == sum(one <= at for one in due)
