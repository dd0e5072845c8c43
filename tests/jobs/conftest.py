from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

import jobs.clock
import jobs.runtime


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
    for module in (jobs.runtime, jobs.clock):
        monkeypatch.setattr(module, "database_now", lambda _: made.now)
    return made
