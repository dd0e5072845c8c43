"""Who was told, by whatever message, hears what became of it; nobody hears twice."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.models import ContactPoint
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.actions.resolving import resolve_alerts, see_to
from pillweb.reminders.models import Reminder
from pillweb.watch.actions.late import tell_what_was_late
from tests.reminders.steps import after, leave
from tests.reminders.test_family import Family, family, levodopa, run, take, told
from tests.world import plan, prescribe

__all__ = ["family", "levodopa"]


def test_a_helper_without_an_address_does_not_make_the_next_one_hear_twice(
    session: Session, levodopa: Family, now: datetime
) -> None:
    helpers_to_tell(session, levodopa.rosa.id, [levodopa.marta], now=now)
    session.execute(
        sa.update(ContactPoint)
        .where(ContactPoint.account_id == levodopa.marta)
        .values(state="stopped")
    )
    assert run(session, now, range(0, 61, 10)) == [(60, levodopa.luis)]
    reminder = session.scalars(sa.select(Reminder).where(Reminder.due_at == now)).one()
    see_to(session, [reminder.id], account_id=levodopa.luis, now=after(now, 60))
    assert run(session, now, range(61, 64)) == []
    session.expire_all()
    assert (reminder.acknowledged_by, reminder.round) == (levodopa.luis, 0)


def test_who_heard_that_we_could_not_remind_hears_that_it_is_recorded(
    session: Session, family: Family, now: datetime
) -> None:
    prescribe(session, family.rosa, "08:05", now=now)
    plan(session, family.rosa, now=now)
    for minute in (120, 121, 122):
        fire_reminders(session, now=after(now, minute), limit=100)
        session.expire_all()
        tell_what_was_late(session, now=after(now, minute), limit=100)
        session.flush()
    heard = {account for account, _ in told(session, "could_not_remind")}
    assert heard == {family.marta, family.luis}
    leave(session, after(now, 122))
    resolve_alerts(session, now=after(now, 123), limit=100)
    assert told(session, "alert_resolved") == []
    take(session, family, after(now, 125), by=family.marta)
    resolve_alerts(session, now=after(now, 126), limit=100)
    assert {one for one, _ in told(session, "alert_resolved")} == heard
