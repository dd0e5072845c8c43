"""Firing in batches, beside others who write."""

import pytest
from sqlalchemy.orm import Session

from jobs import fire_reminders, runtime
from pillweb.base.db import Database

BATCHES = 3


def test_others_may_write_between_two_batches(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [0, *[1] * BATCHES]
    pauses: list[float] = []

    def some(_session: Session, **_how: object) -> int:
        return left.pop()

    monkeypatch.setattr("jobs.runtime.time.sleep", pauses.append)
    monkeypatch.setattr(fire_reminders, "fire_reminders", some)
    assert fire_reminders.run() == BATCHES
    only_one_writes = db.engine.dialect.name == "sqlite"
    assert pauses == [runtime.PAUSE_S] * (BATCHES if only_one_writes else 0)
