"""No dose lost or doubled: every kind of line, two years, a hundred zones."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillweb.base import zones
from pillweb.schedules.rules.line_json import line_from_json, meals_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.occurrences import Occurrence, occurrences

Rule = dict[str, Any]
Window = tuple[datetime, datetime]

START = date(2025, 1, 1)
DAYS = 730
TWO_YEARS = (datetime(2024, 12, 29, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC))
ENDS = {"start_date": "2025-01-01", "end_date": "2026-12-31"}
CLOCKS = ["00:00", "02:15", "08:00", "23:45"]
DATES = [START + timedelta(days=number) for number in range(DAYS)]
EACH_ZONE = pytest.mark.parametrize("place", zones.all_zones()[::4])

PATTERNS: dict[str, tuple[Rule, list[date]]] = {
    "daily": ({}, DATES),
    "weekly": (
        {"weekdays": ["wed", "sun"], "every_n_weeks": 2},  # 1 January is a Wednesday
        [
            day
            for number, day in enumerate(DATES)
            if day.weekday() in (2, 6) and (number + 2) // 7 % 2 == 0
        ],
    ),
    "cyclic": (
        {"cycle": [21, 7]},
        [day for number, day in enumerate(DATES) if number % 28 < 21],
    ),
    "monthly": (
        {"month_day": 31},
        [day for day in DATES if (day + timedelta(days=1)).day == 1],
    ),
}


def test_there_are_a_hundred_zones() -> None:
    assert len(zones.all_zones()[::4]) >= 100


@EACH_ZONE
@pytest.mark.parametrize("kind", PATTERNS)
def test_every_date_of_a_pattern_has_its_slots_once(place: str, kind: str) -> None:
    days, dates = PATTERNS[kind]
    rule = {"kind": "clock", **ENDS, "times": CLOCKS, "days": days or {"every": 1}}
    found = occurrences(line_from_json(rule), place, TWO_YEARS)
    expected = [(day, slot) for day in dates for slot in range(len(CLOCKS))]
    assert sorted((one.nominal_date, one.slot) for one in found) == expected
    assert all(one.due_at < other.due_at for one, other in pairwise(found))


@EACH_ZONE
def test_every_interval_is_real_hours(place: str) -> None:
    rule = {"kind": "interval", "first": "2025-01-01T02:30", "interval_hours": 8}
    found = occurrences(line_from_json(rule), place, (TWO_YEARS[0], TWO_YEARS[1]))
    apart = {other.due_at - one.due_at for one, other in pairwise(found)}
    assert apart == {timedelta(hours=8)}
    assert len(found) >= DAYS * 3
    assert len({(one.nominal_date, one.slot) for one in found}) == len(found)


@pytest.mark.parametrize("place", zones.all_zones())
def test_the_midnight_of_a_steady_day_tells_all_its_minutes(place: str) -> None:
    here = zones.zone(place)
    unsteady = 0
    for day in DATES:
        begin = zones.steady_midnight(here, day)
        unsteady += begin is None
        for minute in (0, 45, 150, 1439):
            if begin is None:
                break
            assert begin + timedelta(minutes=minute) == zones.instant(here, day, minute)
    assert unsteady <= 8  # two a year, twice that with the clock of Ramadan


PLACES = st.sampled_from(
    ["Europe/London", "America/Nuuk", "Africa/Cairo", "Australia/Lord_Howe", "UTC"]
)
WALLS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 20))  # noqa: DTZ001
CHANGES = st.lists(
    st.builds(
        lambda at, place: {"at": f"{at:%Y-%m-%dT%H:%MZ}", "zone": place}, WALLS, PLACES
    ),
    max_size=2,
    unique_by=lambda change: change["at"],
).map(lambda changes: sorted(changes, key=lambda change: change["at"]))
PAUSES = st.lists(
    st.builds(
        lambda first, days: {
            "from": f"{first:%Y-%m-%d}",
            "to": f"{first + timedelta(days=days):%Y-%m-%d}",
        },
        WALLS,
        st.integers(0, 5),
    ),
    max_size=2,
)
MEAL = st.fixed_dictionaries(
    {
        "meal": st.sampled_from(["breakfast", "bedtime"]),
        "offset_min": st.integers(-120, 180).filter(bool),
        "dose": st.just("1/3 tablet"),
    },
)
KINDS: dict[str, st.SearchStrategy[Rule]] = {
    "meal": st.fixed_dictionaries(
        {
            "kind": st.just("clock"),
            "start_date": WALLS.map(lambda wall: f"{wall:%Y-%m-%d}"),
            "times": MEAL.map(lambda one: [one, {"meal": "lunch"}]),
            "meals": st.just(
                {
                    "breakfast": "07:45",
                    "lunch": "12:00",
                    "bedtime": "23:00",
                    "weekend": {"bedtime": "23:59"},
                }
            ),
        },
        optional={"count": st.integers(1, 30)},
    ),
    "interval": st.fixed_dictionaries(
        {
            "kind": st.just("interval"),
            "first": WALLS.map(lambda wall: f"{wall:%Y-%m-%dT%H:%M}"),
            "interval_hours": st.sampled_from([1, 7, "12.5", 72]),
            "dose": st.just("1/3 tablet"),
        },
        optional={"count": st.integers(1, 30)},
    ),
    "once": st.fixed_dictionaries(
        {
            "kind": st.just("once"),
            "at": WALLS.map(lambda wall: f"{wall:%Y-%m-%dT%H:%M}"),
        }
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(st.data(), PLACES, st.integers(0, 60 * 24 * 30), st.integers(0, 60 * 24 * 30))
def test_a_window_is_its_pieces_and_twice_is_once(
    kind: str, data: st.DataObject, place: str, begin: int, cut: int
) -> None:
    rule: Rule = dict(data.draw(KINDS[kind]))
    rule |= {"zone_changes": data.draw(CHANGES), "pauses": data.draw(PAUSES)}
    line = line_from_json(rule)
    low = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=begin)
    middle = low + timedelta(minutes=cut)
    high = low + timedelta(days=31)
    whole = occurrences(line, place, (low, high))
    first, rest = (low, middle), (middle, high)
    assert occurrences(line, place, first) + occurrences(line, place, rest) == whole
    assert occurrences(line, place, (low, high)) == whole
    assert len({one[1:4] for one in whole}) == len({one.due_at for one in whole})
    assert line_from_json(line_to_json(line)) == line


def test_one_line_may_serve_people_with_other_meal_times() -> None:
    line = line_from_json(
        {
            "kind": "clock",
            "start_date": "2026-06-01",
            "times": [{"meal": "lunch"}],
        }
    )
    window = (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC))

    def at(lunch: str) -> list[Occurrence]:
        meals = meals_from_json({"lunch": lunch})
        return list(occurrences(line, "UTC", window, meals=meals))

    told = [at(lunch)[0].local_label for lunch in ("12:00", "13:30", "12:00")]
    assert told == ["12:00", "13:30", "12:00"]
