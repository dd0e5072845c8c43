"""Who presses for papers, and who scans them."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.world import World, signed_in


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def phone(app: Flask) -> FlaskClient:
    """A browser that knows nobody."""
    return app.test_client(use_cookies=False)
