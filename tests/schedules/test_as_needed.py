from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.schedules.rules.as_needed import Taken, next_allowed
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import Prn, PrnLimit

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(*hours: float) -> list[datetime]:
    return [NOON + timedelta(hours=hour) for hour in hours]


def limit(doses: int) -> Prn:
    return Prn(min_interval_minutes=240, max=PrnLimit(Decimal(24), doses))


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], 0),
        ([-6], 0),
        ([-1], 3),
        ([-20, -15, -10, -5], 4),
        ([-24, -15, -10, -5], 0),
        ([-20, -16, -12, -8, -4], 8),
    ],
)
def test_doses_in_a_day(taken: list[float], expected: float) -> None:
    assert next_allowed(limit(4), at(*taken), NOON) == at(expected)[0]


def test_amounts_in_a_day() -> None:
    gram, half = read_dose("1 g"), read_dose("0.5 g")
    prn = Prn(max=PrnLimit(Decimal(24), amount=read_dose("4 g")))
    taken = [Taken(moment, gram) for moment in at(-20, -15, -10)]
    assert next_allowed(prn, taken, NOON, dose=gram) == NOON
    more = [*taken, Taken(NOON, half)]
    assert next_allowed(prn, more, NOON, dose=half) == NOON
    assert next_allowed(prn, more, NOON, dose=gram) == at(4)[0]
    assert next_allowed(prn, taken, NOON, dose=read_dose("5 g")) is None
    assert next_allowed(prn, at(-20, -15, -10, -5), NOON, dose=gram) == at(4)[0]
    assert next_allowed(prn, at(-1), NOON, dose=read_dose("2 puffs")) == NOON


@given(
    st.lists(st.integers(-3000, 60), max_size=8), st.integers(0, 300), st.integers(1, 4)
)
def test_it_is_the_first_minute_that_keeps_every_limit(
    minutes: list[int], apart: int, doses: int
) -> None:
    taken = [NOON + MINUTE * minute for minute in minutes]
    prn = Prn(min_interval_minutes=apart, max=PrnLimit(Decimal(24), doses))

    def keeps(moment: datetime) -> bool:
        recent = [one for one in taken if one > moment - timedelta(hours=24)]
        far = all(moment - one >= MINUTE * apart for one in taken)
        return far and len(recent) < doses

    found = next_allowed(prn, taken, NOON)
    assert found is not None
    assert keeps(found)
    steps = (found - NOON) // MINUTE
    assert not any(keeps(NOON + MINUTE * step) for step in range(steps))
