"""Who presses, and what she takes as needed."""

from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.patients.models import Patient
from pillweb.schedules.rules.line import Prn, PrnLimit
from tests.doses.needed import add_needed
from tests.world import World, signed_in


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def paracetamol(db: Database, world: World, now: datetime) -> int:
    prn = Prn(min_interval_minutes=240, max=PrnLimit(Decimal(24), doses=4))
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        return add_needed(session, patient, now=now, prn=prn)
