"""A doorbell that forgets, dies, hangs or is full: F4, F5 and F25 of `table.py`."""

import time

import pytest
from flask import Flask

from pillweb.base import queue
from pillweb.base.db import Database
from tests.faults.checks import assert_nothing_lost
from tests.faults.home import PAGE_S, at_home, events
from tests.faults.rig import all_left, make_due
from tests.running import Processes, wait_until
from tests.services import SmtpSink, Valkey

on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)


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
    assert_nothing_lost(db, sink)


@on_sqlite
def test_when_redis_dies_the_clock_sends_and_when_it_is_back_the_worker_does(
    db: Database, house: Processes, sink: SmtpSink, valkey: Valkey
) -> None:
    house.start("clock")
    worker = house.start("worker")
    with valkey.client() as client:
        wait_until(
            lambda: client.exists("rq:workers"), seconds=20, what="no worker came"
        )
    valkey.kill()
    make_due(db, 5)
    began = time.monotonic()
    wait_until(lambda: all_left(db, 5), seconds=20, what=house.said())
    assert time.monotonic() - began < 15
    # It comes back empty. A worker whose job it died under ends, and whoever
    # supervises it starts it again.
    valkey.start()
    if worker.poll() is not None:
        house.start("worker")
    make_due(db, 5)
    wait_until(lambda: all_left(db, 10), seconds=20, what=house.said())
    assert len(sink.mails) == 10
    assert_nothing_lost(db, sink)


@on_sqlite
def test_no_page_waits_for_a_redis_that_hangs(
    app: Flask, db: Database, valkey: Valkey
) -> None:
    home = at_home(app, db)
    valkey.hang()
    try:
        answers = [home.timed_press() for _ in range(4)]
    finally:
        valkey.resume()
    assert [status for status, _ in answers] == [303] * 4
    assert max(took for _, took in answers) < PAGE_S


@on_sqlite
def test_a_full_redis_is_no_reason_for_an_error(
    app: Flask, db: Database, valkey: Valkey
) -> None:
    home = at_home(app, db)
    with valkey.client() as client:
        client.config_set("maxmemory", "1")
        assert not queue.wake("fire_reminders")
        assert home.press() == 303
    assert events(db) == ["taken"]


@on_sqlite
def test_a_worker_refuses_a_redis_that_may_drop_bells(
    db: Database, house: Processes, valkey: Valkey
) -> None:
    with valkey.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    worker = house.start("worker")
    assert worker.wait(20) != 0
    assert "Set it to noeviction" in house.said()
