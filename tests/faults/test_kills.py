"""Real processes, real servers, real kills: nothing is lost, and little is repeated.

F1 to F3, F11 and F12 of `table.py`. What differs between the databases is tried on
both.
"""

import time
from functools import partial

import pytest
import sqlalchemy as sa

from pillweb.base.db import Database
from pillweb.base.queue import wake
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import CRASHES_ALLOWED, LEASE
from tests.faults.checks import assert_nothing_lost
from tests.faults.rig import (
    EMAIL,
    HELD_S,
    PUSH,
    all_left,
    hold,
    is_held,
    let_leases_end,
    make_due,
    outcomes,
    ring,
    states,
)
from tests.providers import Provider, Reply
from tests.running import Processes, wait_until
from tests.services import Answer, SmtpSink, Valkey

on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("db", ["postgres"], indirect=True)


@on_postgres
def test_a_worker_killed_alone_leaves_a_child_that_finishes(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    make_due(db, 1)
    sink.script(Answer(after=4))
    first = house.start("worker")
    ring()
    wait_until(lambda: is_held(sink), seconds=30, what=house.said())
    house.kill_head(first)
    house.start("clock")
    house.start("worker")
    wait_until(lambda: all_left(db, 1), seconds=20, what=house.said())
    assert len(sink.mails) == 1
    assert outcomes(db) == ["accepted"]
    assert_nothing_lost(db, sink)


def test_killed_between_the_accept_and_the_commit_it_is_sent_again_under_its_name(
    db: Database, house: Processes, provider: Provider
) -> None:
    make_due(db, 1, channels=[PUSH], provider=provider)
    # Taken over and noted at once; only the answer is late.
    provider.script(Reply(after=HELD_S))
    worker = house.start("worker")
    ring()
    wait_until(lambda: provider.accepted, seconds=30, what=house.said())
    assert house.kill(worker) == 2
    assert states(db) == ["leased"]
    let_leases_end(db)
    house.start("clock")
    wait_until(lambda: all_left(db, 1), seconds=20, what=house.said())
    first, second = provider.accepted
    assert (first.path, first.twin) == (second.path, second.twin)
    # Nobody knows how the first one ended, and nobody says so.
    assert outcomes(db) == ["None", "accepted"]
    assert assert_nothing_lost(db, None, provider).repeated == 1


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
    assert len({mail.recipients for mail in sink.mails}) == len(sink.mails) == 3
    # Only what was under way counts as a crash; its neighbours had not begun.
    assert outcomes(db) == ["None", "accepted", "accepted", "accepted"]
    assert_nothing_lost(db, sink)


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
    assert_nothing_lost(db, sink)


@on_sqlite
def test_two_clocks_and_two_workers_say_everything_once(
    db: Database, house: Processes, sink: SmtpSink, valkey: Valkey
) -> None:
    for name in ("clock", "clock", "worker", "worker"):
        house.start(name)
    make_due(db, 30)
    wait_until(lambda: all_left(db, 30), seconds=30, what=house.said())
    assert len({mail.recipients for mail in sink.mails}) == len(sink.mails) == 30
    assert_nothing_lost(db, sink)


@on_postgres
def test_what_a_deploy_cuts_off_is_finished_by_the_new_version(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    make_due(db, 6)
    hold(sink)
    old = house.start("worker")
    ring()
    wait_until(lambda: is_held(sink), seconds=30, what=house.said())
    # Old and new overlap; then the whole group of the old is told to end.
    house.start("worker")
    house.start("clock")
    house.ask_all_to_end(old)
    old.wait(15)
    let_leases_end(db)
    wait_until(lambda: all_left(db, 6), seconds=30, what=house.said())
    assert len({mail.recipients for mail in sink.mails}) == len(sink.mails) == 6
    assert_nothing_lost(db, sink)


@on_sqlite
def test_a_message_that_kills_its_sender_dies_after_three_and_stops_nobody(
    db: Database, house: Processes, sink: SmtpSink, provider: Provider
) -> None:
    poisoned, *_ = make_due(db, 4, channels=[PUSH, EMAIL], provider=provider)
    path = f"/push/p{poisoned}"
    provider.behave(Reply(503, after=HELD_S), path=path)
    worker = house.start("worker")
    ring()

    def calls() -> int:
        return sum(call.path == path for call in provider.calls)

    def sends(many: int) -> bool:
        wake("deliver")
        return calls() >= many

    for crash in range(1, CRASHES_ALLOWED + 1):
        wait_until(partial(sends, crash), seconds=20, what=house.said())
        # Its neighbours by the other channel do not wait for it.
        wait_until(lambda: len(sink.mails) >= 2, seconds=10, what=house.said())
        house.kill_children(worker)
        let_leases_end(db)
    house.start("clock")
    wait_until(
        lambda: set(states(db)) == {"accepted", "dead"},
        seconds=30,
        what=house.said(),
    )
    with db.reading() as session:
        errors = session.scalars(sa.select(Delivery.last_error)).all()
    assert {*errors} == {None, "crashed"}
    assert calls() == CRASHES_ALLOWED
    assert worker.poll() is None
    assert_nothing_lost(db, sink, provider)
