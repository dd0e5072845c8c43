from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.reminders.rules import (
    LADDERS,
    LAST_LOOK,
    TOO_LATE,
    is_too_late,
    ladder_of,
    next_step_at,
    step_due,
)

DUE = datetime(2026, 11, 20, 8, tzinfo=UTC)
ORDINARY = ladder_of(["ordinary"])


def after(minutes: float) -> datetime:
    return DUE + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("categories", "minutes"),
    [
        ([], (0, 15, 45)),
        (["ordinary"], (0, 15, 45)),
        (["ordinary", "high_alert"], (0, 20, 45)),
        (["high_alert", "time_critical", "ordinary"], (0, 10, 20)),
    ],
)
def test_the_most_urgent_medicine_sets_the_ladder(
    categories: list[str], minutes: tuple[int, ...]
) -> None:
    assert [step.seconds // 60 for step in ladder_of(categories)] == list(minutes)


@pytest.mark.parametrize(
    ("minute", "step", "following"),
    [
        (-1, None, 0),
        (0, 0, 15),
        (14.9, 0, 15),
        (15, 1, 45),
        (44, 1, 45),
        (45, 2, None),
        (600, 2, None),
    ],
)
def test_the_ladder_climbs_step_by_step(
    minute: float, step: int | None, following: int | None
) -> None:
    assert step_due(DUE, ORDINARY, now=after(minute)) == step
    expected = None if following is None else after(following)
    assert next_step_at(DUE, ORDINARY, now=after(minute)) == expected


@given(minute=st.integers(-60, 600), category=st.sampled_from(sorted(LADDERS)))
def test_the_next_step_lies_ahead_and_is_the_one_after_this(
    minute: int, category: str
) -> None:
    steps = ladder_of([category])
    now = after(minute)
    step = step_due(DUE, steps, now=now)
    following = next_step_at(DUE, steps, now=now)
    if following is None:
        assert step == len(steps) - 1
    else:
        assert following > now
        assert step_due(DUE, steps, now=following) == (0 if step is None else step + 1)


def test_take_it_now_is_said_for_an_hour_and_no_longer() -> None:
    assert not is_too_late(DUE, now=after(60))
    assert is_too_late(DUE, now=after(60.1))


def test_every_ladder_ends_before_it_is_too_late() -> None:
    assert all(steps[-1] < 60 for steps in LADDERS.values())
    assert timedelta(minutes=60) == TOO_LATE
    assert timedelta(0) < LAST_LOOK
