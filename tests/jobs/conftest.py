from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

import jobs.clock
import jobs.deliver
import jobs.runtime


@pytest.fixture(autouse=True)
def told() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of printing it."""
    with capture_logs() as logs:
        yield logs


@dataclass
class Moment:
    """What the database's clock says to every job, on both databases."""

    now: datetime

    def move(self, **how_long: float) -> datetime:
        self.now += timedelta(**how_long)
        return self.now


@pytest.fixture
def moment(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Moment:
    made = Moment(now)
    for module in (jobs.runtime, jobs.clock, jobs.deliver):
        monkeypatch.setattr(module, "database_now", lambda _: made.now)
    monkeypatch.setattr(jobs.clock, "database_clock", lambda _: made.now)
    return made
