"""Helpers are told of doses without a record, see to it, and hear what became of it."""

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.contacts.models import Preference
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.actions.resolving import resolve_alerts, see_to
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import still_wanted
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import Level
from tests.reminders.steps import after, leave
from tests.world import make_cast_account, make_patient, plan, prescribe

LIMIT = 100


class Family(NamedTuple):
    """Rosa, and who helps her: Marta first, then Luis."""

    rosa: Patient
    marta: int
    luis: int


def add_helper(
    session: Session, patient: Patient, name: str, place: int | None, *, now: datetime
) -> int:
    account = make_cast_account(session, name, now=now)
    grant = grant_access(
        session,
        account_id=account.id,
        patient_id=patient.id,
        level=Level.MARK,
        role="caregiver",
        now=now,
    )
    grant.ladder_place = place
    session.flush()
    return account.id


@pytest.fixture
def family(session: Session, now: datetime) -> Family:
    rosa = make_patient(session, now=now)
    marta = add_helper(session, rosa, "Marta", 1, now=now)
    luis = add_helper(session, rosa, "Luis", 2, now=now)
    add_helper(session, rosa, "Nora", None, now=now)
    return Family(rosa, marta, luis)


@pytest.fixture
def levodopa(session: Session, family: Family, now: datetime) -> Family:
    """Rosa takes levodopa at 8.05, now, and in the evening."""
    clocks = ("08:05", "20:00")
    prescribe(
        session,
        family.rosa,
        *clocks,
        now=now,
        name="Levodopa",
        category="time_critical",
    )
    plan(session, family.rosa, now=now)
    return family


def told(session: Session, kind: str = "dose_alert") -> list[tuple[int | None, int]]:
    """Return whom messages of a kind went to, and by which row."""
    rows = session.execute(
        sa.select(Delivery.account_id, Delivery.id)
        .where(Delivery.kind == kind)
        .order_by(Delivery.id)
    )
    return [(account, row) for account, row in rows]


def run(session: Session, now: datetime, minutes: range) -> list[tuple[int, int]]:
    """Let the jobs run every minute; return who was alerted at which minute."""
    found = []
    for minute in minutes:
        at = after(now, minute)
        before = len(told(session))
        fire_reminders(session, now=at, limit=LIMIT)
        leave(session, at)
        resolve_alerts(session, now=at, limit=LIMIT)
        leave(session, at)
        found += [(minute, account or 0) for account, _ in told(session)[before:]]
    return found


def words(session: Session, number: int = -1, kind: str = "dose_alert") -> str:
    """Return the words of an alert that has not left yet."""
    row = session.get_one(Delivery, told(session, kind)[number][1])
    message = compose_message(row)
    assert message.html
    return f"{message.subject}\n{message.text}\n{message.short}"


def doses(session: Session, family: Family, at: datetime) -> list[int]:
    wanted = sa.select(Dose.id).where(
        Dose.patient_id == family.rosa.id, Dose.due_at <= at
    )
    return list(session.scalars(wanted))


def take(session: Session, family: Family, at: datetime, *, by: int | None) -> None:
    marked = mark_taken(
        session,
        doses(session, family, at),
        patient_id=family.rosa.id,
        account_id=by,
        channel="page",
        now=at,
    )
    assert marked


def test_the_first_helper_then_the_second_then_both_once_and_no_more(
    session: Session, levodopa: Family, now: datetime
) -> None:
    marta, luis = levodopa.marta, levodopa.luis
    found = run(session, now, range(300))
    assert found == [(30, marta), (60, luis), (90, marta), (90, luis)]


def test_whoever_sees_to_it_keeps_the_second_helper_in_peace(
    session: Session, levodopa: Family, now: datetime
) -> None:
    assert run(session, now, range(40)) == [(30, levodopa.marta)]
    ids = list(session.scalars(sa.select(Reminder.id).where(Reminder.due_at <= now)))
    see_to(session, ids, account_id=levodopa.marta, now=after(now, 40))
    see_to(session, ids, account_id=levodopa.luis, now=after(now, 41))
    session.expire_all()
    assert session.get_one(Reminder, ids[0]).acknowledged_by == levodopa.marta
    assert run(session, now, range(40, 300)) == []


def test_an_answer_from_anywhere_stops_the_ladder_and_is_told_once_to_each(
    session: Session, levodopa: Family, now: datetime
) -> None:
    assert len(run(session, now, range(65))) == 2
    take(session, levodopa, after(now, 65), by=levodopa.marta)
    resolve_alerts(session, now=after(now, 65), limit=LIMIT)
    said = words(session, kind="alert_resolved")
    assert "Rosa's 8.05am medicines are recorded as taken." in said
    assert "Recorded at 9.10am by Marta." in said
    assert run(session, now, range(65, 200)) == []
    assert [one for one, _ in told(session, "alert_resolved")] == [
        levodopa.marta,
        levodopa.luis,
    ]


def test_a_dose_recorded_before_an_alert_left_lets_it_stay(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(30))
    at = after(now, 30)
    fire_reminders(session, now=at, limit=LIMIT)
    ((_, alert),) = told(session)
    assert still_wanted(session, [alert], now=at) == {alert}
    take(session, levodopa, at, by=None)
    assert still_wanted(session, [alert], now=at) == set()
    resolve_alerts(session, now=at, limit=LIMIT)
    assert told(session, "alert_resolved") == []


def test_an_alert_does_not_leave_for_somebody_who_no_longer_helps(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(30))
    fire_reminders(session, now=after(now, 30), limit=LIMIT)
    ((_, alert),) = told(session)
    session.execute(sa.text("update access_grant set status = 'ended'"))
    assert still_wanted(session, [alert], now=after(now, 30)) == set()


def test_what_is_taken_back_is_told_again(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(35))
    take(session, levodopa, after(now, 35), by=levodopa.marta)
    assert run(session, now, range(35, 40)) == []
    undo_marks(
        session,
        doses(session, levodopa, after(now, 40)),
        patient_id=levodopa.rosa.id,
        account_id=None,
        channel="page",
        now=after(now, 40),
    )
    assert run(session, now, range(40, 50)) == [(41, levodopa.marta)]
    take(session, levodopa, after(now, 50), by=None)
    run(session, now, range(50, 60))
    assert len(told(session, "alert_resolved")) == 2


def test_the_alert_says_what_was_tried_and_what_to_do_and_no_medicine(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(30))
    fire_reminders(session, now=after(now, 30), limit=LIMIT)
    said = words(session)
    assert "There is no record for Rosa's 8.05am medicines." in said
    assert "We reminded Rosa 3 times." in said
    assert "Please call Rosa." in said
    assert "http://127.0.0.1:8000/h/" in said
    assert "Levodopa" not in said
    assert "missed" not in said.casefold()


def test_where_no_reminder_left_it_says_that_we_could_not_reach_her(
    session: Session, levodopa: Family, now: datetime
) -> None:
    for minute in range(31):
        fire_reminders(session, now=after(now, minute), limit=LIMIT)
    assert "We could not reach Rosa." in words(session)
    assert "We reminded" not in words(session)


def test_a_medicine_is_named_only_where_both_allow_it(
    session: Session, levodopa: Family, now: datetime
) -> None:
    session.add(Preference(patient_id=levodopa.rosa.id, unwanted={}, shows_names=True))
    session.flush()
    run(session, now, range(1))
    reminder = session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
    assert reminder
    for minute in range(1, 31):
        fire_reminders(session, now=after(now, minute), limit=LIMIT)
    assert "Levodopa" not in words(session)
    session.add(Preference(account_id=levodopa.luis, unwanted={}, shows_names=True))
    session.flush()
    fire_reminders(session, now=after(now, 60), limit=LIMIT)
    assert "- Levodopa 5 mg" in words(session)


@pytest.mark.parametrize("sees", [[], ["names"]])
def test_no_medicine_is_named_to_who_may_not_see_names(
    session: Session, levodopa: Family, now: datetime, sees: list[str]
) -> None:
    for owner in ({"patient_id": levodopa.rosa.id}, {"account_id": levodopa.marta}):
        session.add(Preference(**owner, unwanted={}, shows_names=True))
    session.execute(sa.update(Grant).values(sees=sees))
    session.flush()
    for minute in range(31):
        fire_reminders(session, now=after(now, minute), limit=LIMIT)
    assert ("- Levodopa 5 mg" in words(session)) is bool(sees)


def test_whose_access_is_over_is_not_told_and_the_others_are(
    session: Session, levodopa: Family, now: datetime
) -> None:
    hers = sa.update(Grant).where(Grant.account_id == levodopa.marta)
    session.execute(hers.values(ends_at=after(now, 30)))
    assert run(session, now, range(62)) == [(60, levodopa.luis)]


def test_everything_without_a_record_at_one_time_is_one_alert(
    session: Session, levodopa: Family, now: datetime
) -> None:
    prescribe(
        session,
        levodopa.rosa,
        "08:05",
        now=now,
        name="Insulin",
        category="time_critical",
    )
    plan(session, levodopa.rosa, now=now)
    assert run(session, now, range(59)) == [(30, levodopa.marta)]


def test_after_an_outage_each_is_alerted_once(
    session: Session, levodopa: Family, now: datetime
) -> None:
    found = run(session, now, range(300, 400))
    assert found == [(300, levodopa.marta), (300, levodopa.luis)]


def set_quiet(session: Session, account: int, start: str, end: str) -> None:
    wishes = {"quiet_from": start, "quiet_until": end, "unwanted": {}}
    session.add(Preference(account_id=account, **wishes))
    session.flush()


def test_quiet_hours_of_a_helper_hold_what_is_not_time_critical(
    session: Session, family: Family, now: datetime
) -> None:
    for name in ("Warfarin", "Digoxin"):
        prescribe(
            session, family.rosa, "08:05", now=now, name=name, category="high_alert"
        )
    plan(session, family.rosa, now=now)
    set_quiet(session, family.marta, "10:00", "10:20")
    # Once a day, so after two hours: at 10.05am.
    assert run(session, now, range(150)) == [(135, family.marta)]


def test_quiet_hours_let_what_is_time_critical_pass_unless_somebody_chose(
    session: Session, levodopa: Family, now: datetime
) -> None:
    set_quiet(session, levodopa.marta, "08:30", "12:00")
    assert run(session, now, range(40)) == [(30, levodopa.marta)]


def test_an_ordinary_dose_is_told_of_when_it_is_the_second_in_a_row(
    session: Session, family: Family, now: datetime
) -> None:
    prescribe(session, family.rosa, "08:05", "12:00", "16:00", now=now)
    plan(session, family.rosa, now=now)
    # On time is within an hour; nothing of the first.
    assert run(session, now, range(290)) == []
    assert run(session, now, range(290, 310)) == [(295, family.marta)]
    take(session, family, after(now, 310), by=None)
    assert run(session, now, range(310, 600)) == []


def test_an_ordinary_dose_is_told_of_when_a_day_has_no_record(
    session: Session, family: Family, now: datetime
) -> None:
    prescribe(session, family.rosa, "08:05", now=now)
    plan(session, family.rosa, now=now)
    evening = 12 * 60 - 5
    assert run(session, now, range(0, evening, 5)) == []
    assert run(session, now, range(evening, evening + 30)) == [(evening, family.marta)]
    take(session, family, after(now, evening + 30), by=family.luis)
    resolve_alerts(session, now=after(now, evening + 30), limit=LIMIT)
    assert [one for one, _ in told(session, "alert_resolved")] == [family.marta]


def test_a_day_with_one_record_is_not_a_day_without(
    session: Session, family: Family, now: datetime
) -> None:
    prescribe(session, family.rosa, "08:05", "12:00", now=now)
    plan(session, family.rosa, now=now)
    take(session, family, now, by=None)
    assert run(session, now, range(0, 13 * 60, 5)) == []


def test_where_nobody_helps_nothing_is_looked_at_for_them(
    session: Session, now: datetime
) -> None:
    bruno = make_patient(session, name="Bruno", now=now)
    prescribe(session, bruno, "08:05", now=now, category="time_critical")
    plan(session, bruno, now=now)
    fired = [minute for minute in range(90) if fire(session, after(now, minute))]
    assert fired == [0, 10, 20, 31]


def fire(session: Session, at: datetime) -> int:
    return fire_reminders(session, now=at, limit=LIMIT)


def test_two_who_resolve_at_once_tell_once(
    session: Session, levodopa: Family, now: datetime
) -> None:
    run(session, now, range(35))
    take(session, levodopa, after(now, 35), by=None)
    first = resolve_alerts(session, now=after(now, 35), limit=LIMIT)
    second = resolve_alerts(session, now=after(now, 35) + timedelta(0), limit=LIMIT)
    assert (first, second) == (1, 0)
    assert len(told(session, "alert_resolved")) == 1
