"""How it went lately: one slip costs one day, and nobody is shamed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from pillweb.adherence.rules.calendar import week_calendar
from pillweb.adherence.rules.lately import LOOK_BACK, lately_words
from pillweb.adherence.rules.outcome import Outcome, State

TODAY = date(2026, 11, 20)
LONG_ROW = "That is 100 days in a row or more."
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def outcome(back: int, state: State = "taken", hour: int = 8) -> Outcome:
    due = datetime.combine(TODAY - timedelta(days=back), time(hour), UTC)
    return Outcome(
        due_at=due,
        nominal_date=due.date(),
        state=state,
        window=timedelta(hours=2),
        missed_at=due + timedelta(hours=12),
        taken_at=due if state == "taken" else None,
        local_time=time(hour),
    )


def days(back: Iterable[int], state: State = "taken") -> list[Outcome]:
    return [outcome(number, state) for number in back]


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([], ""),
        (days([0]), ""),
        (
            days(range(1, 31)),
            "All was taken on 30 of the last 30 days. 30 days in a row.",
        ),
        # Today is not over, and is no day without a dose.
        (
            [*days(range(1, 31)), outcome(0, "open")],
            "All was taken on 30 of the last 30 days. 30 days in a row.",
        ),
        (
            days(range(31)),
            "All was taken on 30 of the last 30 days. 31 days in a row.",
        ),
        (
            [*days(range(1, 5)), outcome(5, "open"), *days(range(6, 31))],
            "All was taken on 29 of the last 30 days. 4 days in a row.",
        ),
        (
            [outcome(1, "open"), *days(range(2, 31))],
            "All was taken on 29 of the last 30 days.",
        ),
        (
            days(range(1, 4)),
            "In the last 30 days, all was taken on 3 of 3 days. 3 days in a row.",
        ),
        (days([1]), "In the last 30 days, all was taken on 1 of 1 day."),
        (
            days(range(LOOK_BACK.days + 1)),
            f"All was taken on 30 of the last 30 days. {LONG_ROW}",
        ),
    ],
)
def test_one_slip_costs_one_day(outcomes: list[Outcome], said: str) -> None:
    assert lately_words(outcomes, TODAY, NOON) == said


def test_a_week_tells_the_parts_of_each_day() -> None:
    outcomes = [
        outcome(1),
        outcome(1, "open", hour=10),
        outcome(1, "skipped", hour=21),
        outcome(0),
        outcome(0, "open", hour=21),
    ]
    week = week_calendar(outcomes, TODAY - timedelta(days=4), TODAY, NOON)
    assert [day.on.day for day, _ in week] == [16, 17, 18, 19, 20, 21, 22]
    assert [day.state for day, _ in week[:3]] == ["not_due"] * 3
    (before, parts), (today, parts_today) = week[3], week[4]
    assert before.state == "part"
    assert parts == (("morning", "part"), ("bedtime", "skipped"))
    assert (today.is_today, today.word) == (True, "1 of 2 taken so far")
    assert parts_today == (("morning", "taken"), ("bedtime", "to_come"))
