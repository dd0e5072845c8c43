"""What the clock does by itself: side by side, and none of it twice at once."""

import threading
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from jobs import clock
from jobs.crew import Crew
from jobs.timetable import Job
from pillweb.base.db import Database
from tests.jobs.conftest import Moment

LONG_S = 10.0


def oldest(_session: Session, now: datetime) -> datetime:
    return now


class Slow:
    """A job that hangs until it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun, self.let_go = threading.Event(), threading.Event()

    def run(self) -> int:
        self.runs += 1
        self.begun.set()
        assert self.let_go.wait(LONG_S)
        return 1


def test_a_job_that_hangs_holds_up_no_other_and_is_not_begun_again(
    db: Database, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, said = Slow(), threading.Semaphore(0)

    def speak() -> int:
        said.release()
        return 1

    timetable = (
        Job("slow", oldest, slow.run, "reminders", 30),
        Job("quick", oldest, speak, "reminders", 30),
    )
    monkeypatch.setattr(clock, "TIMETABLE", timetable)
    crew = Crew()
    for _ in range(3):
        clock.tick(crew.begin)
        assert said.acquire(timeout=LONG_S)
        assert slow.begun.wait(LONG_S)
    assert slow.runs == 1
    slow.let_go.set()
    crew.wait(LONG_S)
    clock.tick(crew.begin)
    crew.wait(LONG_S)
    assert slow.runs == 2


def test_a_job_that_fails_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def fail() -> int:
        runs.append(1)
        raise RuntimeError("broken on purpose")

    crew = Crew()
    for _ in range(2):
        crew.begin(Job("broken", oldest, fail, "reminders", 30))
        crew.wait(LONG_S)
    assert len(runs) == 2
