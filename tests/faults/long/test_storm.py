"""Minutes of kills, errors and forgetting: `make faults`. Too long for every run."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pillweb.base.clock import now
from pillweb.base.db import Database
from pillweb.outbox.models import Delivery
from tests.faults.checks import assert_nothing_lost
from tests.faults.long.figures import RECOVERY_S, Figures
from tests.faults.rig import EMAIL, PUSH, SMS, crash_postgres, make_due
from tests.faults.test_races import race
from tests.jobs.conftest import Moment, moment
from tests.providers import Provider, Reply, error
from tests.running import Processes
from tests.services import Answer, SmtpSink, Valkey

__all__ = ["moment"]

pytestmark = pytest.mark.timeout(900)
on_sqlite = pytest.mark.parametrize("db", ["sqlite"], indirect=True)
Note = Callable[[Figures], None]
PEOPLE, FORGETFUL, AT_A_TIME = 1000, 400, 100
# Half is due as the storm begins, the rest a minute later, in the midst of it.
STORM_S, FORGETTING_S, HANG_S = 80.0, 60.0, 20.0
LINES = ("worker", "worker", "worker", "clock")
ALL = (EMAIL, PUSH, SMS)
ROUNDS = 500
DEEDS = ("kill", "kill", "kill", "flush", "refuse", "kill_valkey", "crash")


@dataclass
class Weather:
    """What goes wrong, at random but the same every time."""

    db: Database
    house: Processes
    sink: SmtpSink
    provider: Provider
    valkey: Valkey
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice = random.Random(82)  # noqa: S311 - it keeps no secret
        self.running = [(line, self.house.start(line)) for line in LINES]

    @property
    def database(self) -> str:
        """The name of the database."""
        return self.db.engine.dialect.name

    def kill(self) -> None:
        """Kill a worker or the clock with all its children, and start another."""
        number = self.dice.randrange(len(self.running))
        line, process = self.running[number]
        self.house.kill(process)
        self.running[number] = (line, self.house.start(line))

    def flush(self) -> None:
        """Let Valkey forget everything."""
        self.valkey.flush()

    def kill_valkey(self) -> None:
        """Let Valkey be away for a second, and come back empty."""
        self.valkey.kill()
        time.sleep(1)
        self.valkey.start()

    def crash(self) -> None:
        """Let Postgres throw all out; SQLite has no server."""
        if self.database == "postgresql":
            crash_postgres(self.db)

    def refuse(self) -> None:
        """Let a few of the next calls fail, and one of each provider hang."""
        self.provider.script(*[error(503)] * 5, Reply(503, after=HANG_S))
        self.sink.fail_next(2)
        self.sink.script(Answer("451 4.3.0 Later", after=HANG_S))

    def strike(self) -> None:
        """Do one of these."""
        deed = self.dice.choice(DEEDS)
        self.done[deed] += 1
        getattr(self, deed)()

    def revive(self) -> None:
        """Start again what ended by itself, as a supervisor does."""
        for number, (line, process) in enumerate(self.running):
            if process.poll() is not None:
                self.done["revived"] += 1
                self.running[number] = (line, self.house.start(line))

    def relent(self) -> None:
        """End the storm: nothing is refused any more, and all processes run."""
        self.sink.relent()
        self.provider.relent()
        self.revive()


@pytest.fixture
def weather(
    db: Database,
    house: Processes,
    sink: SmtpSink,
    provider: Provider,
    valkey: Valkey,
) -> Weather:
    """Three workers and a clock, and what will happen to them."""
    return Weather(db, house, sink, provider, valkey)


def waiting(db: Database, people: int) -> int:
    """Return how many people wait for a message that was not taken over yet."""
    try:
        with db.reading() as session:
            told = session.scalar(
                sa.select(sa.func.count(Delivery.patient_id.distinct())).where(
                    Delivery.kind == "dose_due", Delivery.state == "accepted"
                )
            )
    except sa.exc.OperationalError:
        return people
    return people - (told or 0)


def until_calm(weather: Weather, people: int) -> float:
    """Wait until everybody was told; return after how many seconds that was."""
    began = time.monotonic()
    while left := waiting(weather.db, people):
        took = time.monotonic() - began
        assert took < RECOVERY_S * 3, (left, weather.done)
        weather.revive()
        time.sleep(0.2)
    return time.monotonic() - began


def due_next_minute(weather: Weather, people: int, *, minutes: int = 1) -> None:
    """Let so many people have a dose due in one minute, and wait until it is.

    Or in so many minutes one after the other, and wait for the first.
    """
    at = (now() + timedelta(seconds=150)).replace(second=0, microsecond=0)
    for number in range(people // AT_A_TIME):
        minute = at + timedelta(minutes=number % minutes, seconds=1)
        make_due(
            weather.db,
            AT_A_TIME,
            channels=ALL,
            provider=weather.provider,
            ahead=minute - now(),
        )
    assert now() < at
    time.sleep((at - now()).total_seconds())


def test_a_storm_loses_nothing_and_repeats_only_what_was_under_way(
    weather: Weather, note: Note
) -> None:
    due_next_minute(weather, PEOPLE, minutes=2)
    began = time.monotonic()
    while time.monotonic() - began < STORM_S:
        weather.strike()
        weather.revive()
        time.sleep(weather.dice.uniform(0.3, 2.0))
    weather.relent()
    took = until_calm(weather, PEOPLE)
    print(f"\n{dict(weather.done)}")  # noqa: T201 - what it is run for
    found = assert_nothing_lost(weather.db, weather.sink, weather.provider)
    figures = Figures("storm", weather.database, found, took)
    note(figures)
    figures.judge(is_storm=True)


def test_a_calm_burst_repeats_nothing(weather: Weather, note: Note) -> None:
    due_next_minute(weather, PEOPLE)
    took = until_calm(weather, PEOPLE)
    found = assert_nothing_lost(weather.db, weather.sink, weather.provider)
    figures = Figures("calm burst", weather.database, found, took)
    note(figures)
    figures.judge(is_storm=False)


@on_sqlite
def test_a_redis_that_forgets_for_a_minute(weather: Weather, note: Note) -> None:
    due_next_minute(weather, FORGETFUL)
    began = time.monotonic()
    while waiting(weather.db, FORGETFUL) and time.monotonic() - began < FORGETTING_S:
        weather.flush()
        time.sleep(2)
    until_calm(weather, FORGETFUL)
    found = assert_nothing_lost(weather.db, weather.sink, weather.provider)
    figures = Figures("forgetful Redis", weather.database, found)
    note(figures)
    figures.judge(is_storm=False)


def test_taken_races_the_claim_five_hundred_times(db: Database, moment: Moment) -> None:
    found = [race(db, moment.now, number) for number in range(ROUNDS)]
    assert [allowed for allowed, _ in found] == [ended for _, ended in found]
    # Each side won some of them.
    assert {ended for _, ended in found} == {0, 1}
