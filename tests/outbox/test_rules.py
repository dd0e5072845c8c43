from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.outbox.rules import (
    FIRST_PAUSE_S,
    LEASE,
    LONGEST_PAUSE_S,
    SEND_LIMIT,
    backoff,
)


@given(attempts=st.integers(1, 60), chance=st.floats(0, 1))
def test_a_pause_is_never_under_a_second_nor_over_four_minutes(
    attempts: int, chance: float
) -> None:
    pause = backoff(attempts, chance=chance)
    assert timedelta(seconds=1) <= pause <= timedelta(seconds=LONGEST_PAUSE_S)


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (50, 240)]
)
def test_the_longest_pause_doubles_up_to_four_minutes(
    attempts: int, longest: int
) -> None:
    assert backoff(attempts, chance=1.0) == timedelta(seconds=longest)
    assert backoff(attempts, chance=0.0) == timedelta(seconds=1)
    assert longest >= FIRST_PAUSE_S


def test_a_lease_outlives_two_sends() -> None:
    assert LEASE >= 2 * SEND_LIMIT
