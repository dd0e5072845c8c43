"""Who helps hears of one loss once: the second, too, where the first does not look."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.actions.resolving import see_to
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import still_wanted
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import Level
from pillweb.watch.actions.late import tell_what_was_late
from tests.reminders.steps import after
from tests.reminders.test_family import Family, add_helper, family, levodopa
from tests.world import make_patient, plan, prescribe

__all__ = ["family", "levodopa"]
TOLD = ("dose_alert", "could_not_remind")


def run(session: Session, now: datetime, minutes: range) -> None:
    """Let the jobs look every minute; no provider takes anything over."""
    for minute in minutes:
        fire_reminders(session, now=after(now, minute), limit=100)
        session.expire_all()
        tell_what_was_late(session, now=after(now, minute), limit=100)
        session.flush()


def told(session: Session, now: datetime) -> list[tuple[str, int | None, float]]:
    """Return by which message each helper is told, and from which minute on."""
    rows = session.execute(
        sa.select(Delivery.kind, Delivery.account_id, Delivery.next_at)
        .where(Delivery.kind.in_(TOLD))
        .order_by(Delivery.id)
    )
    return [
        (row.kind, row.account_id, (row.next_at - now).total_seconds() / 60)
        for row in rows
    ]


def of_luis(session: Session, home: Family) -> int:
    rows = sa.select(Delivery.id).where(
        Delivery.account_id == home.luis, Delivery.kind == "could_not_remind"
    )
    return session.scalars(rows).one()


def test_each_helper_hears_once_and_the_second_in_their_turn(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(200))
    assert told(session, now) == [
        ("dose_alert", levodopa.marta, 30),
        ("could_not_remind", levodopa.luis, 60),
    ]
    letter = of_luis(session, levodopa)
    assert still_wanted(session, [letter], now=after(now, 60)) == {letter}


def test_who_is_on_no_rung_but_wants_alerts_hears_at_once(
    session: Session, levodopa: Family, now: datetime
) -> None:
    ida = add_helper(session, levodopa.rosa, "Ida", None, now=now)
    session.execute(sa.update(Grant).where(Grant.account_id == ida).values(alerts=True))
    run(session, now, range(40))
    assert ("could_not_remind", ida, 31) in told(session, now)


def test_the_second_is_left_in_peace_where_the_first_sees_to_it(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(35))
    letter = of_luis(session, levodopa)
    ids = session.scalars(sa.select(Reminder.id).where(Reminder.due_at <= now)).all()
    see_to(session, ids, account_id=levodopa.marta, now=after(now, 40))
    assert still_wanted(session, [letter], now=after(now, 60)) == set()


def test_nobody_hears_of_what_somebody_saw_to_before_it_was_too_late(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(31))
    ids = session.scalars(sa.select(Reminder.id).where(Reminder.due_at <= now)).all()
    see_to(session, ids, account_id=levodopa.marta, now=after(now, 30.5))
    run(session, now, range(31, 100))
    assert told(session, now) == [("dose_alert", levodopa.marta, 30)]


@pytest.mark.parametrize("change", ["recorded", "ended"])
def test_what_is_recorded_or_no_longer_theirs_does_not_leave(
    session: Session, levodopa: Family, now: datetime, change: str
) -> None:
    run(session, now, range(35))
    letter = of_luis(session, levodopa)
    if change == "ended":
        session.execute(sa.text("update access_grant set status = 'ended'"))
    else:
        doses = session.scalars(sa.select(Dose.id).where(Dose.due_at <= now)).all()
        mark_taken(
            session,
            doses,
            patient_id=levodopa.rosa.id,
            account_id=None,
            channel="page",
            now=after(now, 40),
        )
    assert still_wanted(session, [letter], now=after(now, 60)) == set()


def test_whose_access_is_over_hears_nothing_and_stops_nobody(
    session: Session, levodopa: Family, now: datetime
) -> None:
    """To the second, before any job wrote that it is over (43)."""
    mine = sa.update(Grant).where(Grant.account_id == levodopa.marta)
    session.execute(mine.values(ends_at=now))
    run(session, now, range(200))
    assert {account for _kind, account, _at in told(session, now)} == {levodopa.luis}


def test_where_the_ladder_asks_nobody_all_hear_at_once_and_once(
    session: Session, family: Family, now: datetime
) -> None:
    prescribe(session, family.rosa, "08:05", now=now)
    plan(session, family.rosa, now=now)
    run(session, now, range(200))
    assert told(session, now) == [
        ("could_not_remind", family.marta, 61),
        ("could_not_remind", family.luis, 61),
    ]


def test_helpers_of_many_hear_of_each_in_one_look(
    session: Session, family: Family, now: datetime
) -> None:
    for name in ("Bruno", "Vera"):
        other = make_patient(session, name=name, now=now)
        prescribe(session, other, "08:05", now=now)
        plan(session, other, now=now)
        grant_access(
            session,
            account_id=family.marta,
            patient_id=other.id,
            level=Level.MARK,
            role="caregiver",
            now=now,
        ).ladder_place = 1
    run(session, now, range(61, 70))
    found = told(session, now)
    assert found == [("could_not_remind", family.marta, 61)] * 2
