"""The two weeks that are shown before a plan starts; pauses; and the offered class."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest

from pillweb.base.zones import zone
from pillweb.schedules.rules.life import USUAL_MEALS
from pillweb.schedules.rules.line import Line, Pause
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.occurrences import occurrences
from pillweb.schedules.rules.offered_class import offered_class
from pillweb.schedules.rules.pausing import pause_to_come, paused, resumed
from pillweb.schedules.rules.two_weeks import PreviewDay, preview

DAILY = {"kind": "clock", "start_date": "2026-01-01"}
FRIDAY = date(2026, 11, 20)


def line(**more: Any) -> Line:  # noqa: ANN401
    times = [{"at": "02:30", "dose": "1"}]
    return line_from_json({**DAILY, "times": times, **more})


def shown(
    *lines: Line,
    place: str = "Europe/London",
    first: date = FRIDAY,
    since: datetime | None = None,
) -> dict[str, PreviewDay]:
    here = zone(place)
    occur = partial(_occur, place)
    return {
        day.day: day
        for day in preview(lines, occur, here, first, "tablet", since=since)
    }


def _occur(place: str, line: Line, window: Any) -> Any:  # noqa: ANN401
    return occurrences(line, place, window, meals=USUAL_MEALS)


def test_every_one_of_fourteen_days_is_told_those_without_doses_too() -> None:
    found = shown(line(days={"every": 3}))
    assert len(found) == 14
    assert next(iter(found)) == "Friday 20 November"
    assert list(found)[-1] == "Thursday 3 December"
    taken = [day.doses for day in found.values() if day.doses]
    assert taken == [(("2.30am", "1 tablet"),)] * 5
    assert not any(day.note for day in found.values())


def test_doses_of_all_parts_stand_in_their_order() -> None:
    second = line(times=[{"meal": "bedtime", "dose": "5 mg", "action": "apply"}])
    day = shown(line(), second)["Friday 20 November"]
    assert day.doses == (("2.30am", "1 tablet"), ("10pm", "apply 5 mg"))


@pytest.mark.parametrize(
    ("place", "first", "day", "note", "at"),
    [
        (
            "Europe/London",
            date(2027, 3, 22),
            "Sunday 28 March",
            "The clocks go forward 1 hour.",
            "2.30am",
        ),
        (
            "Europe/Paris",
            date(2027, 3, 22),
            "Sunday 28 March",
            "The clocks go forward 1 hour.",
            "3.30am",
        ),
        (
            "America/New_York",
            date(2026, 10, 26),
            "Sunday 1 November",
            "The clocks go back 1 hour.",
            "2.30am",
        ),
        (
            "Australia/Lord_Howe",
            date(2026, 9, 28),
            "Sunday 4 October",
            "The clocks go forward 30 minutes.",
            "2.30am",
        ),
    ],
)
def test_the_day_on_which_the_clocks_change_is_marked(
    place: str, first: date, day: str, note: str, at: str
) -> None:
    found = shown(line(), place=place, first=first)
    assert [one for one in found if found[one].note] == [day]
    assert found[day].note == note
    assert [when for when, _ in found[day].doses] == [at]


def test_a_day_left_out_of_the_calendar_is_told() -> None:
    begun = line(start_date="2011-12-01")
    found = shown(begun, place="Pacific/Apia", first=date(2011, 12, 25))
    assert found["Friday 30 December"].doses == ()
    assert found["Friday 30 December"].note == "This day is left out of the calendar."


def test_paused_days_and_what_is_over_are_marked() -> None:
    held = line(pauses=[{"from": "2026-11-21", "to": "2026-11-22"}])
    found = shown(held, since=datetime(2026, 11, 20, 8, tzinfo=UTC))
    assert found["Friday 20 November"] == (
        "Friday 20 November",
        (),
        "Earlier times of this day are over.",
    )
    assert found["Saturday 21 November"].note == "Paused."
    assert found["Sunday 22 November"].doses == ()
    assert found["Monday 23 November"].doses


def test_a_line_taken_again_keeps_what_was_paused_and_no_pause_to_come() -> None:
    past = Pause(date(2026, 10, 1), date(2026, 10, 3))
    now = Pause(date(2026, 11, 18), None, "operation")
    coming = Pause(date(2026, 12, 1), date(2026, 12, 3))
    held = paused(paused(paused(line(), past), now), coming)
    assert paused(held, now) == held
    assert pause_to_come(held, FRIDAY) == now
    again = resumed(held, FRIDAY)
    assert again.pauses == (past, Pause(now.start, date(2026, 11, 19), "operation"))
    assert pause_to_come(again, FRIDAY) is None
    assert resumed(again, FRIDAY) == again


def test_a_pause_shifts_no_cycle() -> None:
    cycle = line(days={"cycle": [3, 2]}, start_date="2026-11-20")
    held = paused(cycle, Pause(date(2026, 11, 21), date(2026, 11, 22)))
    plain, left = shown(cycle), shown(held)
    for day in list(plain)[3:]:
        assert plain[day].doses == left[day].doses


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("Madopar 125", "time_critical"),
        ("Insulin glargine (Lantus)", "time_critical"),
        ("WARFARIN", "high_alert"),
        ("Methotrexate 2.5 mg", "high_alert"),
        ("Amlodipine", "ordinary"),
        ("Paracetamol", "ordinary"),
        ("", "ordinary"),
    ],
)
def test_a_name_offers_a_class(name: str, offered: str) -> None:
    assert offered_class(name) == offered
