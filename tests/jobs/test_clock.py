"""The clock works alone, and leaves the work to others where they do it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from jobs import clock
from jobs.bell import answer
from jobs.timetable import JOBS, TIMETABLE
from pillweb.base.db import Database
from pillweb.base.queue import BELL_MS, bell_key, wake
from pillweb.doses.models import Dose, Horizon
from pillweb.doses.queries.days import oldest_unplanned
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import Reminder
from pillweb.schedules.actions import set_plan, stop_medication
from tests.conftest import use_settings
from tests.jobs.conftest import Moment
from tests.reminders.steps import plan_in_time
from tests.services import SmtpSink, Valkey
from tests.world import World, daily

LONGEST_TICK_S = 20.0


@pytest.fixture(params=["none", "killed", "hung"])
def no_redis(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each way in which Redis can be of no use."""
    if request.param == "none":
        yield "none"
        return
    valkey: Valkey = request.getfixturevalue("valkey")
    wake("deliver")
    if request.param == "killed":
        valkey.kill()
    else:
        valkey.hang()
    yield str(request.param)
    valkey.resume()


@pytest.fixture
def _only_reminders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the jobs that look around every few minutes: they are due, too."""
    names = ("plan_doses", "fire_reminders", "deliver")
    monkeypatch.setattr(clock, "TIMETABLE", tuple(JOBS[name] for name in names))


def tick_until_sent(sink: SmtpSink, count: int) -> float:
    """Tick like the clock; return how long the longest tick took."""
    longest = 0.0
    for _ in range(8):
        began = time.monotonic()
        clock.tick()
        longest = max(longest, time.monotonic() - began)
        if len(sink.mails) >= count:
            break
    return longest


def test_reminders_leave_without_redis_and_no_tick_is_long(
    db: Database, world: World, moment: Moment, sink: SmtpSink, no_redis: str
) -> None:
    assert tick_until_sent(sink, 2) < LONGEST_TICK_S
    assert len(sink.mails) == 2
    clock.tick()
    assert len(sink.mails) == 2


def test_a_page_does_not_wait_for_a_redis_of_no_use(no_redis: str) -> None:
    began = time.monotonic()
    assert not wake("deliver")
    assert time.monotonic() - began < 1.0


@pytest.mark.usefixtures("_only_reminders")
def test_where_redis_is_there_the_clock_rings_and_leaves_the_work(
    db: Database, world: World, moment: Moment, sink: SmtpSink, valkey: Valkey
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(Reminder).values(next_at=moment.now))
    assert clock.tick() == 0
    assert sink.mails == []
    with valkey.client() as client:
        assert client.exists(bell_key("fire_reminders")) == 1
        assert client.llen("rq:queue:reminders") == 1
        assert clock.tick() == 0
        assert client.llen("rq:queue:reminders") == 1
        assert 0 < client.pttl(bell_key("fire_reminders")) <= BELL_MS
    answer("fire_reminders")
    answer("deliver")
    assert len(sink.mails) == len(messages(db)) > 0


def messages(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Delivery.dedupe_key)))


@pytest.fixture
def _planned_in_time(db: Database, world: World) -> None:
    with db.transaction() as session:
        plan_in_time(session)


@pytest.mark.usefixtures("_only_reminders", "_planned_in_time")
def test_a_bell_nobody_answers_for_five_seconds_is_worked_off_by_the_clock(
    db: Database, world: World, moment: Moment, sink: SmtpSink, valkey: Valkey
) -> None:
    # Rosa and Bruno are due since 8.00; it is 8.05, so nobody came for 5 minutes.
    assert clock.tick() == 2
    moment.move(seconds=4)
    assert clock.tick() == 0
    moment.move(seconds=1)
    assert clock.tick() == 2
    assert len(sink.mails) == 2


@pytest.mark.usefixtures("_only_reminders", "_planned_in_time")
def test_what_was_forgotten_between_ring_and_work_is_rung_for_again(
    db: Database, world: World, moment: Moment, sink: SmtpSink, valkey: Valkey
) -> None:
    clock.tick()
    valkey.flush()
    with valkey.client() as client:
        assert client.llen("rq:queue:reminders") == 0
        clock.tick()
        assert client.llen("rq:queue:reminders") == 1
    answer("deliver")
    assert len(sink.mails) == 2


def test_an_answered_bell_can_be_rung_again_at_once(
    db: Database, valkey: Valkey
) -> None:
    assert wake("deliver")
    answer("deliver")
    assert wake("deliver")
    with valkey.client() as client:
        assert client.llen("rq:queue:reminders") == 2


def add_time(db: Database, world: World, moment: Moment) -> None:
    with db.transaction() as session:
        line = daily("08:00", "14:00", "20:00", start=moment.now.date())
        medication = session.get_one(Medication, world.medication)
        set_plan(session, medication, lines=[line], author_id=None, now=moment.now)


def stop(db: Database, world: World, moment: Moment) -> None:
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        stop_medication(session, medication, now=moment.now)


@pytest.mark.parametrize("change", [add_time, stop])
def test_a_changed_plan_is_worked_off_by_the_clock_when_the_worker_is_gone(
    db: Database,
    world: World,
    moment: Moment,
    sink: SmtpSink,
    valkey: Valkey,
    *,
    change: Callable[[Database, World, Moment], None],
) -> None:
    change(db, world, moment)
    changed_at = moment.now
    moment.move(seconds=1)
    with db.reading() as session:
        assert oldest_unplanned(session, now=moment.now) == changed_at
    clock.tick()
    with db.reading() as session:
        assert oldest_unplanned(session, now=moment.now) == changed_at
    moment.move(seconds=5)
    clock.tick()
    with db.reading() as session:
        assert oldest_unplanned(session, now=moment.now) is None


def test_a_week_that_runs_out_is_waited_for_since_it_ran_out(
    db: Database, world: World, moment: Moment
) -> None:
    with db.transaction() as session:
        short = moment.now + timedelta(days=6)
        session.execute(sa.update(Horizon).values(planned_until=short))
    with db.reading() as session:
        assert oldest_unplanned(session, now=moment.now) is None
        later = moment.now + timedelta(minutes=3)
        assert oldest_unplanned(session, now=later) == moment.now


def test_one_failing_job_does_not_stop_the_others(
    db: Database,
    world: World,
    moment: Moment,
    sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("jobs.fire_reminders.fire_reminders", fail)
    stop(db, world, moment)
    clock.tick()
    with db.reading() as session:
        assert oldest_unplanned(session, now=moment.now) is None
        states = set(session.scalars(sa.select(Dose.state)))
    assert "cancelled" in states


def test_a_job_asks_only_for_itself(db: Database, world: World, moment: Moment) -> None:
    use_settings(REDIS_URL="")
    assert JOBS["fire_reminders"].run() == 2
    assert JOBS["fire_reminders"].run() == 0


def test_a_job_whose_question_fails_holds_up_no_other(
    db: Database, world: World, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is away, or a statement the database refuses, is one job's alone."""

    def no_disk(_session: Session, _now: datetime) -> datetime:
        raise OSError(5, "Input/output error")

    def no_table(session: Session, now: datetime) -> datetime:
        session.execute(sa.text("select at from nowhere"))
        return now

    broken = {"plan_doses": no_disk, "tell_late": no_table}
    table = [replace(job, oldest=broken.get(job.name, job.oldest)) for job in TIMETABLE]
    monkeypatch.setattr(clock, "TIMETABLE", table)
    waiting, _now = clock.waiting_jobs()
    names = {job.name for job, _since in waiting}
    assert "fire_reminders" in names
    assert not names & broken.keys()


def test_a_clock_goes_on_whatever_a_look_runs_into(
    db: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is reminded by a process that has ended."""
    looks: list[int] = []

    def look(_pulse: clock.Pulse) -> None:
        looks.append(1)
        if len(looks) > 2:
            os.kill(os.getpid(), signal.SIGTERM)
        raise OverflowError

    monkeypatch.setattr(clock, "TICK_S", 0.01)
    monkeypatch.setattr(clock, "start_logging", lambda _level: None)
    monkeypatch.setattr(clock.Pulse, "look", look)
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        clock.main()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert len(looks) == 3
