"""The cast at the doors, and apps under other settings."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import pytest
from flask import Flask

from pillweb.base.db import Database
from pillweb.factory import create_app
from pillweb.web.security import limiter
from tests.conftest import use_settings
from tests.house.cast import Cast, make_cast
from tests.world import World


# Settings of a PillWeb that others can reach.
PUBLIC = {
    "PUBLIC_URL": "https://pills.example",
    "SMTP_URL": "smtp://127.0.0.1:9?tls=off",
}


class MakeApp(Protocol):
    """Makes an app under other settings."""

    def __call__(self, **settings: str) -> Flask:
        """Return the app; the settings hold until the test ends."""
        ...


@pytest.fixture
def cast(app: Flask, db: Database, world: World, now: datetime, pinned: object) -> Cast:
    return make_cast(app, db, world, now=now)


@pytest.fixture
def make_app(db: Database) -> Iterator[MakeApp]:
    """Make apps; afterwards the one limiter serves the shared app as before."""
    kept = dict(vars(limiter))
    options = dict(kept["_storage_options"])

    def make(**settings: str) -> Flask:
        use_settings(**settings)
        # init_app keeps what an earlier app was told.
        vars(limiter)["_storage_options"] = {}
        return create_app()

    yield make
    vars(limiter).clear()
    vars(limiter).update(kept, _storage_options=options)
