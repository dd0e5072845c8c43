"""The cast of the house's own tests."""

from datetime import datetime

import pytest
from flask import Flask

from pillweb.base.db import Database
from tests.house.cast import Cast, make_cast
from tests.world import World


@pytest.fixture
def cast(app: Flask, db: Database, world: World, now: datetime, pinned: object) -> Cast:
    return make_cast(app, db, world, now=now)
