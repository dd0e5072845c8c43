from dataclasses import replace
from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from pillweb.schedules.rules.line import (
    Line,
    TimeOfDay,
    free_slot,
    groups_of_times,
)
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.slots import match_slots

CLOCKS = st.lists(
    st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
    max_size=5,
    unique=True,
)


def line(*clocks: str) -> Line:
    times = list(clocks)
    return line_from_json({"kind": "clock", "start_date": "2026-06-01", "times": times})


def of(clocks: list[time]) -> Line:
    times = tuple(TimeOfDay(at=at, slot=place) for place, at in enumerate(clocks))
    return Line(kind="clock", times=times)


def slots(matched: Line) -> list[int]:
    return [entry.slot for entry in matched.times]


def test_equal_times_keep_their_slot_and_a_moved_one_too() -> None:
    old = line("08:00", "20:00")
    assert slots(match_slots(old, line("08:00", "21:00"))) == [0, 1]
    assert slots(match_slots(old, line("20:00", "08:00"))) == [1, 0]
    assert slots(match_slots(old, line("09:00", "21:00"))) == [0, 1]


def test_added_and_removed_times_get_no_used_number() -> None:
    old = line("08:00", "20:00")
    three = match_slots(old, line("08:00", "14:00", "20:00"))
    assert slots(three) == [0, 2, 1]
    one = match_slots(three, line("08:00"))
    assert slots(one) == [0]
    assert slots(match_slots(one, line("08:00", "14:00"))) == [0, 3]


def test_steps_keep_the_slot_of_the_time_before() -> None:
    taper = line_from_json(
        {
            "kind": "clock",
            "start_date": "2026-06-01",
            "steps": [
                {"days": 3, "times": ["20:00"]},
                {"days": 3, "times": ["08:00", "12:00"]},
            ],
        }
    )
    matched = match_slots(line("08:00", "20:00"), taper)
    assert [[one.slot for one in times] for times in groups_of_times(matched)] == [
        [1],
        [0, 1],
    ]


@given(CLOCKS, CLOCKS)
def test_slots_are_stable_unique_and_never_reused(
    before: list[time], after: list[time]
) -> None:
    old = of(before)
    new = match_slots(old, of(after))
    assert [entry.at for entry in new.times] == after
    assert len(set(slots(new))) == len(after)
    known = {entry.at: entry.slot for entry in old.times}
    for entry in new.times:
        if entry.at in known:
            assert entry.slot == known[entry.at]
    left_old = [entry.slot for entry in old.times if entry.at not in after]
    left_new = [entry.slot for entry in new.times if entry.at not in before]
    if len(left_old) == len(left_new):
        assert left_new == left_old
    else:
        assert all(slot >= free_slot(old) for slot in left_new)
    assert free_slot(new) >= max([free_slot(old), *(slot + 1 for slot in slots(new))])
    assert match_slots(new, replace(new)) == new
