"""Rosa's browser, for the pages of her medicines."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.world import World, signed_in


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)
