from datetime import datetime
from pathlib import Path

import pytest
from time_machine import Traveller

from pillweb.base.db import Database
from tests.conftest import use_settings
from tests.house.conftest import cast
from tests.jobs.conftest import Moment, moment, told

__all__ = ["cast", "moment", "told"]


class Days:
    """Both clocks: the one that pages read, and the database's."""

    def __init__(self, moment: Moment, pinned: Traveller) -> None:
        self._moment, self._pinned = moment, pinned

    @property
    def now(self) -> datetime:
        return self._moment.now

    def move(self, **how_long: float) -> None:
        self._pinned.move_to(self._moment.move(**how_long), tick=False)


@pytest.fixture
def days(moment: Moment, pinned: Traveller) -> Days:
    return Days(moment, pinned)


@pytest.fixture(autouse=True)
def own_var(db: Database, tmp_path: Path) -> Path:
    """A folder of this test's own for the ledger beside the database."""
    (tmp_path / "var").mkdir()
    use_settings(VAR_DIR=str(tmp_path / "var"))
    return tmp_path / "var"
