"""A life of several clocks: what is asked, held, left out, and by which clock told."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from pillweb.schedules.rules.journey import (
    hours_apart,
    pharmacist_words,
    policy_of,
    with_policy,
)
from pillweb.schedules.rules.life import Life
from pillweb.schedules.rules.line import Meals, ZoneChange
from pillweb.schedules.rules.line_json import line_from_json

LONDON, TOKYO, NEW_YORK = "Europe/London", "Asia/Tokyo", "America/New_York"
FLIGHT = datetime(2026, 6, 10, 18, 0, tzinfo=UTC)
WEEK = (datetime(2026, 6, 8, tzinfo=UTC), datetime(2026, 6, 15, tzinfo=UTC))
AT_EIGHT: dict[str, Any] = {
    "kind": "clock",
    "start_date": "2026-06-01",
    "times": ["08:00"],
    "dose": "1",
}


def life(*changes: tuple[datetime, str], home: str = LONDON) -> Life:
    return Life(home, home, tuple(ZoneChange(at, zone) for at, zone in changes))


def test_home_times_keep_instants_and_are_told_by_the_clock_there() -> None:
    line = line_from_json({**AT_EIGHT, "zone_policy": "home"})
    away, here = life((FLIGHT, TOKYO)), life()
    found = away.occurrences(line, WEEK)
    assert [one.due_at for one in found] == [
        one.due_at for one in here.occurrences(line, WEEK)
    ]
    told = {(one.zone, one.local_label) for one in found if one.due_at > FLIGHT}
    assert told == {(TOKYO, "16:00")}
    following = away.next_after(line, FLIGHT)
    assert following is not None
    assert following.local_label == "16:00"


def test_a_moved_home_moves_home_times() -> None:
    moved = Life(
        LONDON,
        LONDON,
        (ZoneChange(FLIGHT, NEW_YORK),),
        (ZoneChange(FLIGHT, NEW_YORK),),
    )
    line = line_from_json({**AT_EIGHT, "zone_policy": "home"})
    last = moved.occurrences(line, WEEK)[-1]
    assert (last.zone, last.local_label, last.due_at.hour) == (NEW_YORK, "08:00", 12)
    assert (moved.home_at(WEEK[0]), moved.home_at(FLIGHT)) == (LONDON, NEW_YORK)
    assert moved.zone_at(FLIGHT - timedelta(seconds=1)) == LONDON


def test_a_slot_too_near_after_a_flight_is_told_as_moved_and_asked_by_nobody() -> None:
    line = line_from_json({**AT_EIGHT, "times": ["18:30", "06:00"]})
    west = life((FLIGHT, NEW_YORK))
    left_out = west.moved_by_travel(line, WEEK)
    # 6.30pm in London was at 5.30pm UTC; in New York it comes five hours later.
    assert [one.due_at.isoformat() for one in left_out] == ["2026-06-10T22:30:00+00:00"]
    asked = {one.due_at for one in west.occurrences(line, WEEK)}
    assert not asked & {one.due_at for one in left_out}
    assert life().moved_by_travel(line, WEEK) == []


def test_an_interval_keeps_its_hours_and_every_dose_its_identity() -> None:
    rule = {"kind": "interval", "first": "2026-06-08T08:00", "interval_hours": 8}
    line = line_from_json({**rule, "dose": "1"})
    west = life((FLIGHT, LONDON), home=TOKYO)
    found = west.occurrences(line, WEEK)
    apart = {b.due_at - a.due_at for a, b in pairwise(found)}
    assert apart == {timedelta(hours=8)}
    identities = {(one.zone_epoch, one.nominal_date, one.slot) for one in found}
    assert len(identities) == len(found)


@pytest.mark.parametrize(
    ("more", "held", "asked"),
    [
        ({}, [10, 11], [8, 9, 12, 13, 14]),
        ({"count": 10}, [10, 11], [8, 9, 12]),
        ({"count": 9}, [], [8, 9]),
        ({"end_date": "2026-06-10"}, [10], [8, 9]),
    ],
)
def test_pauses_hold_what_would_have_been_asked(
    more: dict[str, Any], held: list[int], asked: list[int]
) -> None:
    pause = {"from": "2026-06-10", "to": "2026-06-11", "reason": "operation"}
    line = line_from_json({**AT_EIGHT, "pauses": [pause], **more})
    assert [one.nominal_date.day for one in life().held(line, WEEK)] == held
    assert [one.nominal_date.day for one in life().occurrences(line, WEEK)] == asked


def test_meals_of_the_life_are_used() -> None:
    line = line_from_json({**AT_EIGHT, "times": [{"meal": "breakfast"}]})
    late = Life(LONDON, LONDON, meals=Meals((("breakfast", time(9, 45)),)))
    assert {one.local_label for one in life().occurrences(line, WEEK)} == {"08:00"}
    assert {one.local_label for one in late.occurrences(line, WEEK)} == {"09:45"}


def test_clocks_are_apart_by_what_they_show() -> None:
    assert hours_apart(LONDON, NEW_YORK, FLIGHT) == timedelta(hours=5)
    assert hours_apart(TOKYO, LONDON, FLIGHT) == timedelta(hours=8)


@pytest.mark.parametrize(
    ("names", "hours", "words"),
    [
        (["Amlodipine"], 4.5, ""),
        (["Amlodipine"], 5, "The clocks there are 5 hours different."),
        (["Warfarin", "Lantus SoloStar"], 1, "how Warfarin and Lantus SoloStar must"),
        (["Co-careldopa"], 0, "how Co-careldopa must be taken."),
        (["Microgynon 30"], 9, "9 hours different. Travel can change how Microgynon"),
    ],
)
def test_a_pharmacist_is_named_for_far_journeys_and_special_medicines(
    names: list[str], hours: float, words: str
) -> None:
    said = pharmacist_words(names, timedelta(hours=hours))
    assert words in said
    assert said.startswith("Ask your pharmacist before you travel.") or not said
    assert bool(said) == bool(words)


def test_home_or_local_times_are_a_question_only_where_the_clock_matters() -> None:
    hours = {"kind": "interval", "first": "2026-06-08T08:00", "interval_hours": 8}
    every = line_from_json({**hours, "dose": "1"})
    daily = line_from_json(AT_EIGHT)
    assert policy_of([every]) is None
    assert policy_of([daily, every]) == "follow"
    assert policy_of(with_policy([daily, every], "home")) == "home"
    assert with_policy([every], "home") == [every]
