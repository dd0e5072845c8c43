"""Which line of a new version is which, and how two versions differ in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.schedules.rules.compare import (
    compare,
    is_daily,
    match_lines,
    much_more,
)
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.slots import is_same
from tests.schedules.test_draft import PLANS

DAILY = {"kind": "clock", "start_date": "2026-11-20"}
EIGHT = {"at": "08:00", "dose": "5 mg"}
TWICE = [{"at": "08:00", "dose": "2.5 mg"}, {"at": "20:00", "dose": "2.5 mg"}]
LINES = [line_from_json(rule) for _, rule in PLANS]


def line(**more: Any) -> Line:  # noqa: ANN401
    return line_from_json({**DAILY, "times": [EIGHT], **more})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            line(),
            line(times=TWICE),
            ["Was 5 mg at 8am, now 2.5 mg at 8am and 8pm."],
        ),
        (
            line(),
            line(days={"weekdays": ["mon"]}),
            ["Was every day, now on Mondays."],
        ),
        (
            line(),
            line(end_date="2027-06-07"),
            ["Was without an end, now until 7 June 2027."],
        ),
        (
            line(count=14),
            line(),
            ["Was 14 doses in all, now without an end."],
        ),
        (
            line(),
            line(start_date="2026-12-01"),
            ["Was from 20 November 2026, now from 1 December 2026."],
        ),
        (
            line(),
            line(pauses=[{"from": "2026-12-01"}]),
            ["Paused from 1 December 2026 until further notice."],
        ),
        (
            line(pauses=[{"from": "2026-12-01", "to": "2026-12-02"}]),
            line(),
            ["No longer paused from 1 December 2026 to 2 December 2026."],
        ),
        (
            line(),
            line(zone_policy="home"),
            ["On a journey it now keeps the times of home."],
        ),
        (
            line(),
            line(window_min=30),
            ["Details changed that these words do not tell."],
        ),
        (
            line(),
            line_from_json({"kind": "prn", "dose": "1", "reason": "pain"}),
            ["Was 5 mg at 8am, every day, now 1 tablet when needed for pain."],
        ),
    ],
)
def test_two_versions_are_compared_in_words(
    old: Line, new: Line, said: list[str]
) -> None:
    assert compare([old], [new], "tablet") == said


def test_a_line_that_came_or_went_is_told() -> None:
    one, other = line(), line(times=TWICE)
    assert compare([one], [one, other], "") == [
        "New: 2.5 mg at 8am and 8pm, every day."
    ]
    assert compare([one, other], [other], "") == ["No longer: 5 mg at 8am, every day."]


@given(st.lists(st.sampled_from(LINES), max_size=4))
def test_a_version_like_the_last_differs_in_nothing(lines: list[Line]) -> None:
    assert compare(lines, lines) == []
    assert match_lines(lines, lines) == list(range(len(lines)))


@given(
    st.lists(st.sampled_from(LINES), max_size=4),
    st.lists(st.sampled_from(LINES), max_size=4),
)
def test_no_old_line_is_two_new_ones_and_an_equal_one_is_kept(
    old: list[Line], new: list[Line]
) -> None:
    found = match_lines(old, new)
    kept = [place for place in found if place is not None]
    assert len(set(kept)) == len(kept)
    assert len(found) == len(new)
    assert len(kept) >= sum(min(old.count(one), new.count(one)) for one in set(new))
    if not compare(old, new):
        assert len(old) == len(new)
        assert all(any(is_same(one, line) for one in old) for line in new)


def test_a_line_that_moved_up_stays_the_same_line() -> None:
    one, other = line(), line(times=TWICE)
    assert match_lines([one, other], [other]) == [1]
    assert match_lines([one, other], [other, one]) == [1, 0]
    assert match_lines([one], [line(times=TWICE)]) == [0]
    assert match_lines([one], [LINES[-2]]) == [0]


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ("1", "2", False),
        ("1", "2.5", True),
        ("5 mg", "50 mg", True),
        ("5 mg", "50", False),
        ("0.5", "1 tablet", False),
        ("1", "1 to 5 tablets", False),
        ("1/3", "1", True),
    ],
)
def test_more_than_twice_the_amount_is_noticed(
    before: str, after: str, *, asked: bool
) -> None:
    old, new = (line(times=[{"at": "08:00", "dose": one}]) for one in (before, after))
    assert bool(much_more([old], [new], "tablet")) == asked


def test_a_plan_of_every_day_is_told_from_a_rarer_one() -> None:
    weekly = line(days={"weekdays": ["mon"]})
    assert is_daily([line()])
    assert not is_daily([weekly])
    assert is_daily([line(times=TWICE), weekly])
    assert is_daily([LINES[12]])
