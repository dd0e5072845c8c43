"""Two in a row without a record are two of which the patient was reminded."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.doses.models import Dose
from pillweb.watch.actions.late import tell_what_was_late
from tests.reminders.steps import after
from tests.reminders.test_family import Family, family, run
from tests.world import plan, prescribe

__all__ = ["family"]
# From the second reminder to an hour after it, when its window is over.
SECOND = (235, 250, 280, 295, 296)


@pytest.fixture
def rosa(session: Session, family: Family, now: datetime) -> Family:
    prescribe(session, family.rosa, "08:05", "12:00", "16:00", now=now)
    plan(session, family.rosa, now=now)
    return family


def alerts(session: Session, now: datetime, *minutes: int) -> list[tuple[int, int]]:
    found = []
    for minute in minutes:
        found += run(session, now, range(minute, minute + 1))
        tell_what_was_late(session, now=after(now, minute), limit=100)
        session.flush()
        session.expire_all()
    return found


@pytest.mark.parametrize("is_fault", [False, True])
def test_a_dose_that_was_our_fault_is_not_the_first_of_two(
    session: Session, rosa: Family, now: datetime, is_fault: bool
) -> None:
    assert alerts(session, now, 0, 15, 45, 61) == []
    session.execute(
        sa.update(Dose).where(Dose.due_at == now).values(system_fault=is_fault)
    )
    told = [] if is_fault else [(295, rosa.marta)]
    assert alerts(session, now, *SECOND) == told


def test_a_dose_nobody_was_reminded_of_is_not_the_first_of_two(
    session: Session, rosa: Family, now: datetime
) -> None:
    assert alerts(session, now, 120, 121, *SECOND) == []
    # The second and the third are.
    assert alerts(session, now, 475, 490, 520, 535) == [(535, rosa.marta)]
