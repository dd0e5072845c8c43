"""When a family hears, and what deserves to be said."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from pillweb.adherence.rules.outcome import Outcome
from pillweb.base.zones import zone
from pillweb.digests.rules.day import DayDose, counts_of, gaps_of
from pillweb.digests.rules.rhythm import (
    EVERY_EVENING,
    EVERY_SUNDAY,
    moment,
    newest_date,
    next_date,
)
from pillweb.digests.rules.week import Week, habit_of, week_ending, week_of
from pillweb.digests.rules.words import habit_words, week_words

LONDON = zone("Europe/London")
FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 16)
EVENING = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_an_evening_comes_to_the_second() -> None:
    before = EVENING - timedelta(seconds=1)
    assert newest_date(EVERY_EVENING, LONDON, now=before) == FRIDAY - A_DAY
    assert newest_date(EVERY_EVENING, LONDON, now=EVENING) == FRIDAY


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2026, 11, 22, 17, 59, tzinfo=UTC), date(2026, 11, 15)),
        (datetime(2026, 11, 22, 18, 0, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 28, 23, 0, tzinfo=UTC), date(2026, 11, 22)),
    ],
)
def test_a_week_is_told_on_sunday_and_not_before(now: datetime, newest: date) -> None:
    assert newest_date(EVERY_SUNDAY, LONDON, now=now) == newest
    assert next_date(EVERY_SUNDAY, newest) == newest + 7 * A_DAY


@pytest.mark.parametrize("place", ["Europe/London", "America/New_York", "Asia/Tokyo"])
def test_every_date_has_one_evening_whatever_the_clocks_do(place: str) -> None:
    on, seen = date(2026, 3, 1), []
    for _ in range(270):
        at = moment(EVERY_EVENING, on, zone(place))
        assert newest_date(EVERY_EVENING, zone(place), now=at) == on
        seen.append(at)
        on = next_date(EVERY_EVENING, on)
    apart = {after - before for before, after in pairwise(seen)}
    assert apart <= {23 * HOUR, 24 * HOUR, 25 * HOUR}


@pytest.mark.parametrize(
    ("first_weekday", "first"),
    [(0, MONDAY), (6, date(2026, 11, 15)), (5, date(2026, 11, 14))],
)
def test_the_week_is_one_of_the_readers_calendar(
    first_weekday: int, first: date
) -> None:
    sunday = date(2026, 11, 22)
    found = week_ending(sunday, first_weekday=first_weekday)
    assert found == (first, first + 6 * A_DAY)
    assert found[0].weekday() == first_weekday
    assert found[1] <= sunday


def dose(hour: int, state: str = "open", on: date = FRIDAY, **more: object) -> DayDose:
    due = datetime.combine(on, time(hour), UTC)
    facts: dict[str, object] = {
        "due_at": due,
        "nominal_date": on,
        "clock": time(hour),
        "state": state,
        "missed_at": due + 2 * HOUR,
        "recorded_at": None if state == "open" else due,
        "skip_reason": None,
        "is_our_fault": False,
        "is_alerted": False,
        "name": "Amlodipine",
    }
    return DayDose(**(facts | more))  # type: ignore[arg-type]


def gaps(*doses: DayDose) -> list[tuple[date, int, bool]]:
    found = gaps_of(doses, since=EVENING - A_DAY, until=EVENING)
    return [(gap.on, gap.clock.hour, gap.is_recorded) for gap in found]


def test_what_is_recorded_or_may_still_be_is_no_gap() -> None:
    assert gaps(dose(8, "taken"), dose(19), dose(9, "part"), dose(10, "held")) == []
    excused = dose(8, "skipped", skip_reason="clinician_said")
    assert gaps(excused) == []


def test_every_dose_is_told_of_on_one_evening() -> None:
    bedtime = dose(22, on=FRIDAY - A_DAY)
    assert gaps(bedtime, dose(8)) == [
        (FRIDAY - A_DAY, 22, False),
        (FRIDAY, 8, False),
    ]
    evenings = [EVENING + days * A_DAY for days in range(-3, 4)]
    for one in (bedtime, dose(8), dose(21), dose(18), dose(19, "not_taken")):
        told = [
            evening
            for evening in evenings
            if gaps_of([one], since=evening - A_DAY, until=evening)
        ]
        assert len(told) == 1, one


def test_one_moment_is_one_line_and_says_all_that_is_known() -> None:
    (gap,) = gaps_of(
        [dose(8), dose(8, name="Ramipril", is_alerted=True, is_our_fault=True)],
        since=EVENING - A_DAY,
        until=EVENING,
    )
    assert gap.names == ("Amlodipine", "Ramipril")
    assert gap.is_alerted
    assert gap.is_our_fault


def test_the_counts_are_of_what_is_over() -> None:
    doses = [dose(8, "taken"), dose(9, "skipped"), dose(12), dose(20), dose(9, "held")]
    other_day = [dose(8, on=FRIDAY - A_DAY)]
    assert counts_of(doses + other_day, FRIDAY, until=EVENING) == (2, 3, 1)


def outcome(on: date, hour: int, state: str, *, late: bool = False) -> Outcome:
    due = datetime.combine(on, time(hour), UTC)
    return Outcome(
        due_at=due,
        nominal_date=on,
        state=state,  # type: ignore[arg-type]
        window=HOUR,
        missed_at=due + 2 * HOUR,
        taken_at=due + (3 * HOUR if late else HOUR / 2) if state == "taken" else None,
        local_time=time(hour),
    )


SUNDAY_6PM = datetime(2026, 11, 22, 18, tzinfo=UTC)


def days(first: date, **states: str) -> list[Outcome]:
    """Return a week: by time of day a letter a day, t(aken), l(ate), n(o record)."""
    hours = {"morning": 8, "noon": 12, "evening": 17, "late": 21}
    return [
        outcome(
            first + number * A_DAY,
            hours[name],
            "open" if letter == "n" else "not_taken" if letter == "x" else "taken",
            late=letter == "l",
        )
        for name, letters in states.items()
        for number, letter in enumerate(letters)
    ]


def told(outcomes: list[Outcome], *, run: int = 0) -> Week:
    week = week_of(outcomes, MONDAY, run=run, as_of=SUNDAY_6PM)
    assert week is not None
    return week


LAST = MONDAY - 7 * A_DAY


@pytest.mark.parametrize(
    ("week", "before", "praise"),
    [
        ("ttttttt", "nnnnnnn", "all_taken"),
        ("tttttnn", "tnnnnnn", "more_taken"),
        ("ttttttn", "ttttttt", "on_time"),
        ("lllllln", "ttttttt", None),
        ("tttnnnn", "ttttttt", None),
        ("tttnnnn", "tttnnnn", None),
    ],
)
def test_praise_is_for_what_deserves_it(
    week: str, before: str, praise: str | None
) -> None:
    found = told(days(LAST, morning=before) + days(MONDAY, morning=week))
    assert found.praise == praise
    if praise is None:
        assert "Well done" not in " ".join(week_words(found))


def test_days_in_a_row_are_told_where_they_are_more_than_the_week() -> None:
    found = told(days(MONDAY, morning="ttttttt"), run=12)
    assert week_words(found) == [
        "All was taken on 7 of 7 days.",
        "12 days in a row.",
        "Well done.",
    ]


def test_more_than_before_is_said_with_both_numbers() -> None:
    found = told(days(LAST, morning="tnnnnnn") + days(MONDAY, morning="tttttnn"))
    assert "Taken 5 of 7 times, after 1 of 7 in the week before. That is more." in (
        week_words(found)
    )


def test_the_pattern_is_where_most_has_no_record() -> None:
    week = days(MONDAY, morning="ttttttt", evening="nntnntt")
    habit = habit_of(week, SUNDAY_6PM)
    assert habit is not None
    assert habit_words(habit) == [
        "Most often without a record: in the evening, 4 of 7.",
        "Another time of day may be easier. Ask a pharmacist about moving it.",
    ]


def test_many_times_a_day_ask_about_fewer() -> None:
    week = days(
        MONDAY, morning="ttttttt", noon="ttttttt", evening="nntnntt", late="tttttt"
    )
    habit = habit_of(week, SUNDAY_6PM)
    assert habit is not None
    assert habit_words(habit)[1].startswith("Fewer times a day may be easier.")


def test_what_somebody_decided_is_no_habit() -> None:
    assert habit_of(days(MONDAY, morning="ttttttt", evening="xxxxxxx"), SUNDAY_6PM) is (
        None
    )


def test_of_a_week_without_doses_nothing_is_said() -> None:
    before = days(LAST, morning="ttttttt")
    assert week_of(before, MONDAY, run=0, as_of=SUNDAY_6PM) is None
