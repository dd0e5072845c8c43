"""A minute of kills and forgetting, on both databases: `make faults`.

Too long for every test run; it prints what it counted.
"""

import random
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from pillweb.base.db import Database
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.rules import LEASE, LONGEST_PAUSE_S
from tests.faults.test_kills import house, make_due, states
from tests.running import Processes
from tests.services import SmtpSink, Valkey

__all__ = ["house"]

STORM_S = 60.0
# A refused mail waits up to four minutes, and then perhaps for a lease.
CALM_S = LONGEST_PAUSE_S + LEASE.total_seconds() + 15
PEOPLE = 300
AT_A_TIME = 15
LINES = ("worker", "worker", "worker", "clock")


@pytest.mark.timeout(600)
def test_a_storm_loses_nothing_and_repeats_only_what_was_under_way(
    db: Database, house: Processes, sink: SmtpSink, valkey: Valkey
) -> None:
    dice = random.Random(82)  # noqa: S311 - the same storm every time
    running = [(line, house.start(line)) for line in LINES]
    done: Counter[str] = Counter()
    made = 0
    began = time.monotonic()
    while time.monotonic() - began < STORM_S:
        if made < PEOPLE:
            make_due(db, AT_A_TIME)
            made += AT_A_TIME
        deed = dice.choice(["kill", "kill", "flush", "refuse", "rest"])
        done[deed] += 1
        if deed == "kill":
            number = dice.randrange(len(running))
            line, process = running[number]
            house.kill(process)
            running[number] = (line, house.start(line))
        elif deed == "flush":
            valkey.flush()
        elif deed == "refuse":
            sink.fail_next(2)
        time.sleep(dice.uniform(0.3, 2.0))
    # Refusals that nobody met yet belong to the storm, too.
    sink.relent()
    calm = time.monotonic()
    while set(states(db)) != {"accepted"} or len(states(db)) < made:
        assert time.monotonic() - calm < CALM_S, Counter(states(db))
        time.sleep(0.2)
    took = time.monotonic() - calm
    with db.reading() as session:
        unknown = session.scalar(
            sa.select(sa.func.count()).where(Attempt.ended_at.is_(None))
        )
        count = session.scalar(sa.select(sa.func.count()).select_from(Delivery))
    names = Counter(mail.message["Message-ID"] for mail in sink.mails)
    repeated = sum(names.values()) - len(names)
    print(  # noqa: T201 - the figures are what it is run for
        f"\n{dict(done)}: {made} due, {len(names)} arrived, {repeated} repeated, "
        f"{unknown} attempts left open, calm after {took:.0f} s"
    )
    assert count == made
    assert len(names) == made
    assert repeated <= (unknown or 0)
