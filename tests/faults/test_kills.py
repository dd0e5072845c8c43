"""Real processes, real servers, real kills: nothing is lost, and little is repeated.

Every test here waits for real time to pass; together they take about a minute.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from pillweb.base.clock import now
from pillweb.base.db import Database
from pillweb.base.queue import wake
from pillweb.base.zones import local, zone
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.rules import LEASE
from tests.running import Processes, processes, wait_until
from tests.services import Answer, SmtpSink, Valkey
from tests.world import make_patient, plan, prescribe

# Longer than any wait here: whoever is held is killed, or gives up by itself.
HELD_S = 60.0
# The kill is tried on both databases; these are the same on both.
on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)
NOT_TAKEN = "451 4.3.0 Never taken"


@pytest.fixture
def house(
    db: Database, valkey: Valkey, sink: SmtpSink, tmp_path: Path
) -> Iterator[Processes]:
    """Processes on this test's database, Valkey and mail server."""
    with processes(tmp_path) as made:
        yield made


def make_due(db: Database, count: int) -> None:
    """Let so many people have a dose that is due this minute."""
    at = now()
    with db.transaction() as session:
        for number in range(count):
            patient = make_patient(session, name=f"P{number}", now=at, zone="Etc/UTC")
            clock = f"{local(at, zone('Etc/UTC')):%H:%M}"
            prescribe(session, patient, clock, now=at)
            plan(session, patient, now=at)


def states(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Delivery.state)))


def all_left(db: Database, count: int) -> bool:
    return states(db) == ["accepted"] * count


def ring() -> None:
    assert wake("fire_reminders")


def hold(sink: SmtpSink) -> None:
    sink.script(Answer(NOT_TAKEN, after=HELD_S))


def is_held(sink: SmtpSink) -> bool:
    return not sink._answers  # noqa: SLF001 - the sink has begun the scripted wait


def let_leases_end(db: Database) -> None:
    with db.transaction() as session:
        for delivery in session.scalars(sa.select(Delivery)):
            assert delivery.lease_until
            assert delivery.lease_until <= now() + LEASE
            delivery.lease_until -= LEASE
            delivery.next_at -= LEASE


def test_a_worker_killed_in_the_middle_of_a_send_loses_and_repeats_nothing(
    db: Database, house: Processes, sink: SmtpSink, request: pytest.FixtureRequest
) -> None:
    make_due(db, 3)
    hold(sink)
    first = house.start("worker")
    ring()
    wait_until(lambda: is_held(sink), seconds=30, what=house.said())
    # The worker and the horse that does its job.
    assert house.kill(first) == 2
    killed_at = time.monotonic()
    assert set(states(db)) == {"leased"}
    assert sink.mails == []
    if "postgres" in request.node.name:
        # The lease is waited for on the other database.
        let_leases_end(db)
    house.start("clock")
    house.start("worker")
    wait_until(lambda: all_left(db, 3), seconds=50, what=house.said())
    assert time.monotonic() - killed_at <= LEASE.total_seconds() + 15
    assert len(sink.mails) == 3
    assert len({mail.recipients for mail in sink.mails}) == 3
    with db.reading() as session:
        outcomes = session.scalars(sa.select(Attempt.outcome)).all()
    # Only what was under way counts as a crash; its neighbours had not begun.
    assert sorted(map(str, outcomes)) == ["None", "accepted", "accepted", "accepted"]


@on_sqlite
def test_a_horse_killed_alone_costs_its_worker_nothing(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    make_due(db, 1)
    hold(sink)
    worker = house.start("worker")
    ring()
    wait_until(lambda: is_held(sink), seconds=30, what=house.said())
    house.kill_children(worker)
    let_leases_end(db)
    house.start("clock")
    wait_until(lambda: all_left(db, 1), seconds=20, what=house.said())
    assert worker.poll() is None
    assert len(sink.mails) == 1


@on_sqlite
def test_what_redis_forgets_again_and_again_still_leaves_once(
    db: Database, house: Processes, sink: SmtpSink, valkey: Valkey
) -> None:
    make_due(db, 40)
    valkey.flush()
    house.start("clock")
    house.start("worker")
    until = time.monotonic() + 30
    while not all_left(db, 40) and time.monotonic() < until:
        valkey.flush()
        time.sleep(0.2)
    assert all_left(db, 40), house.said()
    assert len({mail.recipients for mail in sink.mails}) == len(sink.mails) == 40


@on_sqlite
def test_when_redis_dies_the_clock_sends(
    db: Database, house: Processes, sink: SmtpSink, valkey: Valkey
) -> None:
    house.start("clock")
    house.start("worker")
    time.sleep(2)
    valkey.kill()
    make_due(db, 5)
    began = time.monotonic()
    wait_until(lambda: all_left(db, 5), seconds=20, what=house.said())
    assert time.monotonic() - began < 15
    assert len(sink.mails) == 5


@on_sqlite
def test_two_clocks_and_two_workers_say_everything_once(
    db: Database, house: Processes, sink: SmtpSink, valkey: Valkey
) -> None:
    for name in ("clock", "clock", "worker", "worker"):
        house.start(name)
    make_due(db, 30)
    wait_until(lambda: all_left(db, 30), seconds=30, what=house.said())
    assert len({mail.recipients for mail in sink.mails}) == len(sink.mails) == 30
