"""Once a day keys are locked by the newest of FIELD_KEYS."""

from jobs import rotate_keys
from pillweb.base.db import Database
from tests.jobs.conftest import Moment
from tests.keys import FIRST, SECOND, keys_change, with_keys
from tests.world import World

KEYS = 3


def test_once_a_day_a_job_locks_keys_anew(
    db: Database, world: World, moment: Moment
) -> None:
    """Those of two patients and of the house."""
    with keys_change():
        with_keys(SECOND, FIRST)
        assert rotate_keys.run() == KEYS
        with_keys(FIRST, SECOND)
        assert rotate_keys.run() == 0
        moment.move(days=1, seconds=1)
        assert rotate_keys.run() == KEYS
