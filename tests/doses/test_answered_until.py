"""Until when a copy of today's page may offer something to take."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from pillweb.base.zones import zone
from pillweb.doses.rules.days import OPEN, TAKEN, DoseFacts, answered_until

DAY = date(2026, 11, 20)
MADRID = zone("Europe/Madrid")
MIDNIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def dose(missed_at: datetime, state: str = OPEN) -> DoseFacts:
    """Return a dose that counts as missed from then."""
    return DoseFacts(
        id=1,
        name="Amlodipine",
        strength="",
        unit="tablet",
        reason="",
        instruction="",
        amount=Decimal(1),
        dose_text=None,
        action=None,
        nominal_date=DAY,
        clock=time(8),
        due_at=missed_at - timedelta(hours=2),
        missed_at=missed_at,
        state=state,
        recorded_at=None,
        taken_at=None,
        zone=MADRID.key,
    )


@pytest.mark.parametrize(
    ("missed", "state", "hours"),
    [(-12, OPEN, 0), (1, OPEN, 1), (9, OPEN, 4), (1, TAKEN, 0)],
)
def test_a_page_counts_until_the_day_ends_or_its_last_dose_is_over(
    missed: int, state: str, hours: int
) -> None:
    one = dose(MIDNIGHT + timedelta(hours=missed), state)
    now = MIDNIGHT - timedelta(hours=15)
    found = answered_until([one], place=MADRID, now=now)
    assert found == MIDNIGHT + timedelta(hours=hours)


def test_a_day_without_doses_ends_at_its_midnight() -> None:
    now = MIDNIGHT - timedelta(minutes=1)
    assert answered_until([], place=MADRID, now=now) == MIDNIGHT
