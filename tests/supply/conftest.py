"""A cupboard with one medicine."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from pillweb.medications.models import Medication
from tests.supply.cupboard import Cupboard
from tests.world import make_patient, plan, prescribe


@pytest.fixture
def cupboard(session: Session, now: datetime) -> Cupboard:
    return Cupboard(session, make_patient(session, now=now), now)


@pytest.fixture
def pills(cupboard: Cupboard) -> Medication:
    found = prescribe(
        cupboard.session, cupboard.patient, "08:00", "20:00", now=cupboard.now
    )
    plan(cupboard.session, cupboard.patient, now=cupboard.now)
    return found
