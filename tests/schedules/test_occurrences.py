from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillweb.base import zones
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.occurrences import (
    Occurrence,
    next_after,
    occurrences,
)
from tests.schedules import oracle

Rule = dict[str, Any]
PLACES = (
    "Europe/London",
    "America/New_York",
    "America/Nuuk",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Tokyo",
)
CLOCKS = st.sampled_from(
    [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 15, 30, 59)]
)
WEEKDAYS = st.lists(st.sampled_from(oracle.NAMES), min_size=1, unique=True)
DATES = st.dates(date(2025, 1, 1), date(2026, 12, 31))
DOSES = st.sampled_from(["40 mg", "1/2 tablet", "1", "apply", "1 to 2 puffs"])


def optional(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Rule]:
    return st.fixed_dictionaries({}, optional=parts)


@st.composite
def times(draw: st.DrawFn) -> list[Any]:
    clocks = draw(st.lists(CLOCKS, min_size=1, max_size=4, unique=True))
    extra = optional(
        dose=DOSES,
        weekdays=WEEKDAYS,
        day_parity=st.integers(0, 1),
        day_offset=st.sampled_from([1]),
    )
    return [{"at": at, "dose": "1 tablet", **draw(extra)} for at in sorted(clocks)]


DAYS = st.one_of(
    st.builds(lambda n: {"every": n}, st.integers(2, 40)),
    st.builds(
        lambda on, n: {"weekdays": on, "every_n_weeks": n}, WEEKDAYS, st.integers(2, 5)
    ),
    st.builds(
        lambda on, n: {"month_day": on, "every_n_months": n},
        st.integers(1, 31),
        st.integers(2, 14),
    ),
    st.builds(
        lambda on, off: {"cycle": [on, off]}, st.integers(1, 30), st.integers(0, 9)
    ),
)


def make_possible(entry: Rule, days: Rule) -> None:
    """Take away what would keep a time from ever coming."""
    if days.get("every", 1) % 2 == 0:
        entry.pop("day_parity", None)
    if not set(days.get("weekdays", oracle.NAMES)) & set(entry.get("weekdays", ())):
        entry.pop("weekdays", None)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    start = draw(DATES)
    rule: Rule = {"kind": "clock", "start_date": start.isoformat()}
    if draw(st.booleans()):
        steps = draw(st.lists(st.integers(1, 20), min_size=1, max_size=3))
        rule["steps"] = [{"days": days, "times": draw(times())} for days in steps]
    else:
        rule["times"] = draw(times())
    ends = st.integers(0, 200).map(lambda days: str(start + timedelta(days=days)))
    counts = st.integers(1, 60)
    rule |= draw(optional(start_time=CLOCKS, end_date=ends, days=DAYS, count=counts))
    for group in [rule, *rule.get("steps", [])]:
        for entry in group.get("times", []):
            make_possible(entry, rule.get("days", {}))
    if draw(st.booleans()):
        first = start + timedelta(days=draw(st.integers(-3, 40)))
        last = first + timedelta(days=draw(st.integers(0, 12)))
        rule["pauses"] = [{"from": str(first), "to": str(last)}]
    return rule


Window = tuple[datetime, datetime]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, Window]:
    """Return a rule and a window that mostly meets it."""
    rule = draw(rules())
    start = datetime.fromisoformat(f"{rule['start_date']}T00:00Z")
    far = draw(st.sampled_from([10, 60, 400]))
    start += timedelta(minutes=draw(st.integers(-1440, far * 1440)))
    return rule, (start, start + timedelta(hours=draw(st.integers(1, 2000))))


def due(rule: Rule, place: str, start: str, end: str) -> list[Occurrence]:
    window = (datetime.fromisoformat(start), datetime.fromisoformat(end))
    return list(occurrences(line_from_json(rule), place, window))


def dues(rule: Rule, place: str, start: str, end: str) -> list[str]:
    return [f"{one.due_at:%m-%dT%H:%M}" for one in due(rule, place, start, end)]


@settings(max_examples=150, deadline=None)
@given(cases(), st.sampled_from(PLACES))
def test_a_slow_oracle_agrees(case: tuple[Rule, Window], place: str) -> None:
    rule, window = case
    found = occurrences(line_from_json(rule), place, window)
    simple = [(one.due_at, one.nominal_date, one.slot) for one in found]
    assert simple == oracle.expected(rule, place, *window)


def changes_about(start: datetime) -> st.SearchStrategy[list[Rule]]:
    """Return flights from two days before an instant to 40 days after it."""
    return st.lists(
        st.builds(
            lambda hours, place: {
                "at": f"{start + timedelta(hours=hours):%Y-%m-%dT%H:%MZ}",
                "zone": place,
            },
            st.integers(-48, 960),
            st.sampled_from((*PLACES, "Pacific/Kiritimati", "Pacific/Honolulu")),
        ),
        max_size=3,
        unique_by=lambda change: change["at"],
    ).map(lambda changes: sorted(changes, key=lambda change: change["at"]))


@settings(max_examples=100, deadline=None)
@given(cases(), st.data(), st.sampled_from(PLACES), st.integers(1, 400))
def test_travel_pieces_make_the_whole_and_identities_are_unique(
    case: tuple[Rule, Window], data: st.DataObject, place: str, hours: int
) -> None:
    rule, window = case
    changes = data.draw(changes_about(window[0]))
    line = line_from_json({**rule, "zone_changes": changes})
    whole = occurrences(line, place, window)
    cut = min(window[0] + timedelta(hours=hours), window[1])
    pieces = occurrences(line, place, (window[0], cut))
    assert pieces + occurrences(line, place, (cut, window[1])) == whole
    assert len({one[1:4] for one in whole}) == len(whole)
    assert len({one.due_at for one in whole}) == len(whole)
    assert list(whole) == sorted(whole, key=lambda one: one.due_at)


@settings(max_examples=100, deadline=None)
@given(rules(), changes_about(datetime(2026, 1, 1, tzinfo=UTC)))
def test_json_round_trip(rule: Rule, changes: list[Rule]) -> None:
    line = line_from_json({**rule, "zone_changes": changes})
    assert line_from_json(line_to_json(line)) == line


TRIP: Rule = {
    "kind": "clock",
    "start_date": "2026-06-01",
    "times": ["08:00"],
    "zone_changes": [{"at": "2026-06-10T09:00Z", "zone": "Pacific/Honolulu"}],
}


def test_a_daily_date_may_come_twice_with_another_epoch() -> None:
    found = due(TRIP, "Europe/London", "2026-06-10T00:00Z", "2026-06-11T00:00Z")
    assert [(str(one.due_at.time()), one.zone_epoch) for one in found] == [
        ("07:00:00", 0),
        ("18:00:00", 1),
    ]
    assert {str(one.nominal_date) for one in found} == {"2026-06-10"}


def test_a_weekly_date_never_comes_twice_nor_is_jumped_over() -> None:
    weekly = {**TRIP, "days": {"weekdays": ["wed"]}}
    span = ("2026-06-09T00:00Z", "2026-06-18T00:00Z")
    assert dues(weekly, "Europe/London", *span) == ["06-10T07:00", "06-17T18:00"]
    weekly["times"] = ["20:00"]
    weekly["zone_changes"] = [{"at": "2026-06-10T18:00Z", "zone": "Asia/Tokyo"}]
    assert dues(weekly, "Europe/London", *span) == ["06-10T19:00", "06-17T11:00"]


@pytest.mark.parametrize(
    ("gap", "is_kept"), [(None, False), ("5.5", False), (5, True), (0, True)]
)
def test_a_slot_too_close_after_a_flight_is_dropped(
    gap: object, *, is_kept: bool
) -> None:
    # London 08:00 and 19:00 are 07:00Z and 18:00Z; Tokyo 08:00 is 23:00Z, 5 h later,
    # and half the shortest planned gap (11 h) is 5 h 30 min.
    rule: Rule = {
        "kind": "clock",
        "start_date": "2026-06-10",
        "times": ["08:00", "19:00"],
        "zone_changes": [{"at": "2026-06-10T18:30Z", "zone": "Asia/Tokyo"}],
    }
    if gap is not None:
        rule["min_gap_hours_after_zone_change"] = gap
    found = dues(rule, "Europe/London", "2026-06-10T00:00Z", "2026-06-12T00:00Z")
    assert ("06-10T23:00" in found) is is_kept
    assert [one for one in found if one != "06-10T23:00"] == [
        "06-10T07:00",
        "06-10T18:00",
        "06-11T10:00",
        "06-11T23:00",
    ]


def test_home_time_keeps_instants() -> None:
    rule = {**TRIP, "zone_policy": "home"}
    found = due(rule, "Europe/London", "2026-06-10T00:00Z", "2026-06-12T00:00Z")
    assert [one.due_at.hour for one in found] == [7, 7]
    assert {(one.zone, one.zone_epoch) for one in found} == {("Europe/London", 0)}


def test_interval_slots_differ_and_pauses_do_not_shift() -> None:
    rule: Rule = {
        "kind": "interval",
        "first": "2026-06-01T06:00",
        "interval_hours": 8,
        "dose": "1 capsule",
        "pauses": [{"from": "2026-06-02", "to": "2026-06-02"}],
        "count": 5,
    }
    found = due(rule, "Europe/London", "2026-06-01T00:00Z", "2026-06-09T00:00Z")
    assert [one.local_label for one in found] == [
        "06:00",
        "14:00",
        "22:00",
        "06:00",
        "14:00",
    ]
    assert [one.nominal_date.day for one in found] == [1, 1, 1, 3, 3]
    assert [one.slot for one in found][:3] == [10_360, 10_840, 11_320]
    assert {one.dose for one in found} == {"1 capsule"}
    rule["end_date"] = "2026-06-01"
    short = due(rule, "Europe/London", "2026-06-01T00:00Z", "2026-06-09T00:00Z")
    assert short == found[:3]


def test_a_single_dose_happens_once_however_one_travels() -> None:
    rule: Rule = {"kind": "once", "at": "2026-06-10T20:00", "dose": "1 mg"}
    for change in ("2026-06-10T10:30Z", "2026-06-10T18:00Z", "2026-06-10T19:30Z"):
        for place in ("Asia/Tokyo", "Pacific/Honolulu"):
            rule["zone_changes"] = [{"at": change, "zone": place}]
            span = ("2026-06-09T00:00Z", "2026-06-13T00:00Z")
            assert len(due(rule, "Europe/London", *span)) == 1


def test_meals_of_the_patient_are_used_and_missing_ones_named() -> None:
    rule: Rule = {
        "kind": "clock",
        "start_date": "2026-06-01",
        "times": [{"meal": "bedtime", "offset_min": 30}],
        "meals": {"bedtime": "23:45"},
    }
    span = ("2026-06-01T00:00Z", "2026-06-02T00:00Z")
    (night,) = due(rule, "UTC", "2026-06-02T00:00Z", "2026-06-02T12:00Z")
    assert (night.local_label, night.nominal_date) == ("00:15", date(2026, 6, 1))
    rule["meals"] = {"lunch": "12:00"}
    with pytest.raises(ValueError, match=r"meals\.bedtime"):
        due(rule, "UTC", *span)


def test_alternate_amounts_count_from_the_start_date() -> None:
    rule: Rule = {
        "kind": "clock",
        "start_date": "2026-06-01",
        "times": [
            {"at": "08:00", "dose": "50 micrograms", "day_parity": 0},
            {"at": "08:00", "dose": "75 micrograms", "day_parity": 1},
        ],
    }
    found = due(rule, "UTC", "2026-06-01T00:00Z", "2026-06-04T00:00Z")
    assert [str(one.amount) for one in found] == ["50", "75", "50"]


def test_naive_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        due(TRIP, "UTC", "2026-06-01T00:00", "2026-06-02T00:00Z")


def test_next_after() -> None:
    line = line_from_json({**TRIP, "days": {"month_day": 31}, "zone_changes": []})
    london = zones.zone("Europe/London")
    found = next_after(line, london, datetime(2026, 6, 30, 7, tzinfo=UTC))
    assert found is not None
    assert found.nominal_date == date(2026, 7, 31)
    ended = line_from_json({**TRIP, "end_date": "2026-06-02"})
    assert next_after(ended, london, datetime(2026, 6, 2, 7, tzinfo=UTC)) is None


@pytest.mark.parametrize("name", zones.all_zones()[::4])
def test_every_planned_slot_of_two_years_happens_once(name: str) -> None:
    clocks = ["00:00", "02:15", "08:00", "23:45"]
    rule = {"kind": "clock", "start_date": "2025-01-01", "times": clocks}
    rule["end_date"] = "2026-12-31"
    found = due(rule, name, "2024-12-30T00:00Z", "2027-01-03T00:00Z")
    assert len({(one.nominal_date, one.slot) for one in found}) == 730 * len(clocks)
    assert len({one.due_at for one in found}) == len(found) == 730 * len(clocks)


INTERVALS = st.fixed_dictionaries(
    {
        "kind": st.just("interval"),
        "first": st.builds(
            lambda day, at: f"{day}T{at}",
            st.dates(date(2026, 3, 1), date(2026, 4, 30)),
            CLOCKS,
        ),
        "interval_hours": st.sampled_from([1, "1.5", 5, 8, 24, 72, 168]),
    },
    optional={
        "count": st.integers(1, 40),
        "end_date": st.dates(date(2026, 5, 1), date(2026, 6, 30)).map(str),
        "pauses": st.lists(
            st.builds(
                lambda day, length: {
                    "from": str(day),
                    "to": str(day + timedelta(days=length)),
                },
                st.dates(date(2026, 3, 1), date(2026, 6, 1)),
                st.integers(0, 20),
            ),
            max_size=3,
        ),
    },
)


def slow_interval(rule: Rule, place: str, until: datetime) -> list[datetime]:
    first = datetime.fromisoformat(rule["first"])
    due_at, _ = oracle.find_instant(first, place)
    found: list[datetime] = []
    while due_at < until and len(found) < rule.get("count", 10_000):
        day = due_at.astimezone(zones.zone(place)).date()
        if str(day) > rule.get("end_date", "9999"):
            break
        if not oracle.is_held(rule, day):
            found.append(due_at)
        due_at += timedelta(hours=float(rule["interval_hours"]))
    return found


@settings(deadline=None)
@given(INTERVALS, st.sampled_from(PLACES), st.integers(0, 100))
def test_intervals_are_real_hours(rule: Rule, place: str, days: int) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=days)
    end = start + timedelta(days=40)
    found = occurrences(line_from_json(rule), place, (start, end))
    slow = [one for one in slow_interval(rule, place, end) if one >= start]
    assert [one.due_at for one in found] == slow
    assert len({one[1:4] for one in found}) == len(found)


def test_an_open_pause_stops_every_kind() -> None:
    span = ("2026-06-01T00:00Z", "2026-07-01T00:00Z")
    pauses = [{"from": "2026-06-03"}]
    every = {"kind": "interval", "first": "2026-06-01T08:00", "interval_hours": 24}
    daily = {"kind": "clock", "start_date": "2026-06-01", "times": ["08:00"]}
    single = {"kind": "once", "at": "2026-06-03T08:00"}
    for rule, number in ((every, 2), (daily, 2), (single, 0)):
        assert len(due({**rule, "pauses": pauses}, "UTC", *span)) == number


def test_of_two_existing_slots_at_one_instant_the_first_planned_stays() -> None:
    late: Rule = {"at": "00:00", "day_offset": 1, "dose": "1 tablet"}
    rule: Rule = {"kind": "clock", "start_date": "2026-03-01", "times": [late, "00:00"]}
    found = due(rule, "UTC", "2026-03-01T12:00Z", "2026-03-02T12:00Z")
    assert [(one.nominal_date.day, one.slot) for one in found] == [(1, 0)]
