"""Who is told when: the usual ladders, and which a person may keep."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.base.zones import zone
from pillweb.reminders.rules.ladder import (
    HELPER1,
    HELPER2,
    PATIENT,
    RINGING,
    Ladder,
    Rung,
    most_urgent,
    next_rung_at,
    of_patient,
    patient_rungs,
    read_ladder,
    rung_due,
    usual_ladder,
    write_ladder,
)

LONDON = zone("Europe/London")
DUE = datetime(2026, 11, 20, 8, tzinfo=LONDON)
DAY, HALF = timedelta(days=1), timedelta(hours=12)
WEEK = timedelta(days=7)
ORDINARY = patient_rungs((0, 15, 45))


def minutes(ladder: Ladder, to: str) -> list[int]:
    return [rung.after // timedelta(minutes=1) for rung in ladder if rung.to == to]


def after(minute: float) -> datetime:
    return DUE + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("category", "apart", "patient", "first", "second"),
    [
        ("time_critical", HALF, [0, 10, 20], [30], [60]),
        ("high_alert", HALF, [0, 20, 45], [60], [90]),
        ("high_alert", DAY, [0, 20, 45], [120], [150]),
        # This evening at six, tomorrow morning at nine.
        ("high_alert", WEEK, [0, 20, 45], [600, 1500], [1530]),
        ("high_alert", None, [0, 20, 45], [600, 1500], [1530]),
        ("ordinary", HALF, [0, 15, 45], [], []),
        ("of some later version", DAY, [0, 15, 45], [], []),
    ],
)
def test_every_class_has_its_usual_ladder(
    category: str,
    apart: timedelta | None,
    patient: list[int],
    first: list[int],
    second: list[int],
) -> None:
    ladder = usual_ladder(category, DUE, apart)
    assert minutes(ladder, PATIENT) == patient
    assert minutes(ladder, HELPER1) == first
    assert minutes(ladder, HELPER2) == second
    loud = [rung.loudest for rung in of_patient(ladder)]
    assert loud == [0, 1, 2]


def test_the_next_morning_is_nine_by_the_clock_in_the_night_clocks_change() -> None:
    saturday = datetime(2026, 10, 24, 20, tzinfo=LONDON)
    ladder = usual_ladder("high_alert", saturday, WEEK)
    assert minutes(ladder, HELPER1) == [14 * 60]
    told = saturday.astimezone(UTC) + timedelta(hours=14)
    assert told.astimezone(LONDON).hour == 9


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ([], (0, 15, 45)),
        (["ordinary"], (0, 15, 45)),
        (["ordinary", "high_alert"], (0, 20, 45)),
        (["high_alert", "time_critical", "ordinary"], (0, 10, 20)),
    ],
)
def test_the_most_urgent_medicine_sets_the_ladder(
    categories: list[str], expected: tuple[int, ...]
) -> None:
    ladders = [(one, usual_ladder(one, DUE, DAY)) for one in categories]
    assert most_urgent(ladders) == patient_rungs(expected)


@pytest.mark.parametrize(
    ("minute", "number", "following"),
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
def test_the_ladder_climbs_rung_by_rung(
    minute: float, number: int | None, following: int | None
) -> None:
    assert rung_due(DUE, ORDINARY, now=after(minute)) == number
    expected = None if following is None else after(following)
    assert next_rung_at(DUE, ORDINARY, now=after(minute)) == expected


CLASSES = st.sampled_from(["ordinary", "high_alert", "time_critical"])
APART = st.none() | st.timedeltas(timedelta(minutes=30), timedelta(days=14))
DUES = st.integers(0, 4 * 365 * 24 * 60).map(
    lambda minute: (DUE - 2 * 365 * DAY) + timedelta(minutes=minute)
)


@given(category=CLASSES, due=DUES, apart=APART, minute=st.integers(-60, 3000))
def test_the_next_rung_lies_ahead_and_is_the_one_after_this(
    category: str, due: datetime, apart: timedelta | None, minute: int
) -> None:
    rungs = of_patient(usual_ladder(category, due, apart))
    now = due + timedelta(minutes=minute)
    number = rung_due(due, rungs, now=now)
    following = next_rung_at(due, rungs, now=now)
    if following is None:
        assert number == len(rungs) - 1
    else:
        assert following > now
        assert rung_due(due, rungs, now=following) == (number or 0) + (
            number is not None
        )


@given(category=CLASSES, due=DUES, apart=APART)
def test_every_usual_ladder_may_be_kept_and_is_read_as_it_was(
    category: str, due: datetime, apart: timedelta | None
) -> None:
    ladder = usual_ladder(category, due, apart)
    in_minutes = [
        Rung(rung.after // timedelta(minutes=1) * timedelta(minutes=1), *rung[1:])
        for rung in ladder
    ]
    assert read_ladder(write_ladder(ladder)) == tuple(in_minutes)
    assert ladder[0] == Rung(timedelta(0), PATIENT, 0)
    assert all(rung.loudest == RINGING for rung in ladder if rung.to == HELPER2)


def rung(**other: object) -> dict[str, object]:
    return {"after": 0, "to": "patient", "loudest": 0} | other


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        "[]",
        {},
        [[]],
        [rung(after=5)],
        [rung(after=-5)],
        [rung(after=0.0)],
        [rung(after=True)],
        [rung(after="0")],
        [rung(after=3000)],
        [rung(loudest=3)],
        [rung(loudest=None)],
        [rung(to="everybody")],
        [rung(also="this")],
        [{"after": 0, "to": "patient"}],
        [rung(), rung()],
        [rung(), rung(after=30), rung(after=15)],
        [rung(), rung(to="helper2", after=60)],
        [rung(), rung(to="helper1", after=60), rung(to="helper2", after=30)],
        [rung(after=minute) for minute in range(13)],
        [rung(to="helper1", after=30)],
    ],
)
def test_what_is_no_ladder_is_not_read(kept: Any) -> None:  # noqa: ANN401
    assert read_ladder(kept) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["after", "to", "loudest", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(kept=JSON)
def test_reading_whatever_is_kept_never_fails(kept: object) -> None:
    ladder = read_ladder(kept)
    if ladder is not None:
        assert write_ladder(ladder) == kept
