from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.outbox.rules import (
    FIRST_PAUSE_S,
    LEASE,
    LONGEST_PAUSE_S,
    SEND_LIMIT,
    Leased,
    Sent,
    backoff,
    next_try,
)

NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("most", "attempts", "is_tried_again"),
    [(None, 9, True), (2, 0, True), (2, 1, False), (2, 5, False)],
)
def test_what_is_pointless_after_so_many_tries_is_not_tried_on(
    most: int | None, attempts: int, *, is_tried_again: bool
) -> None:
    leased = Leased(
        *(1, "lease", "dose_due", "email", "rosa@family.example", None, "key"),
        *(None, None, None, None),
        *(NOW, None, NOW + timedelta(hours=1), attempts),
    )
    sent = Sent(leased, error="smtp_550", most_tries=most)
    assert (next_try(sent, now=NOW, chance=0.0) is not None) is is_tried_again
