"""When "take it now" may be said, and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from pillweb.reminders.rules.lateness import (
    LAST_LOOK,
    TOO_LATE,
    is_too_late,
    told_until,
)

DUE = datetime(2026, 11, 20, 8, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return DUE + timedelta(minutes=minutes)


def test_take_it_now_is_said_for_an_hour_and_no_longer() -> None:
    assert not is_too_late(DUE, now=after(60))
    assert is_too_late(DUE, now=after(60.1))
    assert timedelta(0) < LAST_LOOK < TOO_LATE


@pytest.mark.parametrize(
    ("began", "following", "window", "category", "until"),
    [
        (0, None, 120, "ordinary", 60),
        (0, 24 * 60, 120, "ordinary", 60),
        (0, 60, 60, "ordinary", 30),
        (0, 24 * 60, 30, "time_critical", 30),
        (0, 40, 30, "time_critical", 20),
        (0, None, 10, "high_alert", 60),
        # Put off: an hour from then, but never past the next one.
        (40, 24 * 60, 120, "ordinary", 100),
        (100, 120, 120, "ordinary", 120),
    ],
)
def test_a_dose_is_told_of_until_the_next_one_comes_near(
    began: float, following: float | None, window: int, category: str, until: float
) -> None:
    found = told_until(
        after(began),
        due_at=DUE,
        following_at=None if following is None else after(following),
        window=timedelta(minutes=window),
        category=category,
    )
    assert found == after(until)
