"""What became of doses, read from the rows."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.adherence.queries import outcomes_of
from pillweb.doses.models import Dose
from tests.world import make_patient, plan, prescribe

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    "home", ["Europe/London", "Pacific/Kiritimati", "America/Los_Angeles"]
)
def test_a_dose_belongs_to_its_nominal_date_in_every_zone(
    session: Session, now: datetime, home: str
) -> None:
    patient = make_patient(session, now=now, zone=home)
    prescribe(session, patient, "00:10", "23:50", now=now)
    plan(session, patient, now=now)
    for days in range(1, 6):
        on = FRIDAY + timedelta(days=days)
        found = outcomes_of(session, patient.id, first=on, last=on)
        clocks = [f"{one.local_time:%H:%M}" for one in found if one.local_time]
        assert clocks == ["00:10", "23:50"]
        assert {one.nominal_date for one in found} == {on}


def test_cancelled_doses_and_those_of_others_are_left_out(
    session: Session, now: datetime
) -> None:
    patient, other = (make_patient(session, name=name, now=now) for name in "AB")
    for who in (patient, other):
        prescribe(session, who, "08:00", now=now)
        plan(session, who, now=now)
    week = {"first": FRIDAY, "last": FRIDAY + timedelta(days=6)}
    before = len(outcomes_of(session, patient.id, **week))
    dose = session.scalars(sa.select(Dose).where(Dose.patient_id == patient.id)).first()
    assert dose is not None
    dose.state = "cancelled"
    session.flush()
    assert len(outcomes_of(session, patient.id, **week)) == before - 1


@pytest.mark.parametrize(
    ("planned", "taken", "fraction"),
    [
        ("1", "1", Fraction(1)),
        ("1", "0.5", Fraction(1, 2)),
        ("0.3", "0.1", Fraction(1, 3)),
        ("1", "2", Fraction(2)),
        ("1", None, Fraction(1)),
        (None, None, Fraction(1)),
    ],
)
def test_the_part_that_was_taken_is_exact(
    session: Session,
    now: datetime,
    planned: str | None,
    taken: str | None,
    fraction: Fraction,
) -> None:
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:00", now=now)
    plan(session, patient, now=now)
    dose = session.scalars(sa.select(Dose).order_by(Dose.id)).first()
    assert dose is not None
    dose.state, dose.taken_at, dose.recorded_at = "taken", now, now
    dose.amount = None if planned is None else Decimal(planned)
    dose.taken_amount = None if taken is None else Decimal(taken)
    session.flush()
    found = outcomes_of(session, patient.id, first=FRIDAY, last=FRIDAY)
    assert [one.fraction for one in found] == [fraction]
