from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.adherence.rules.calendar import (
    SHAPES,
    WORDS,
    DayState,
    day_state,
    month_calendar,
)
from pillweb.adherence.rules.outcome import (
    EXCUSED_REASONS,
    OTHER_REASONS,
    Outcome,
    State,
    timing,
)
from pillweb.adherence.rules.pattern import patterns
from pillweb.adherence.rules.supply import persistence, supply
from pillweb.adherence.rules.tally import by_medicine, percent, tally

START = datetime(2026, 6, 1, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
AS_OF = START + timedelta(days=10)
STATES: tuple[State, ...] = (
    "open",
    "taken",
    "part",
    "skipped",
    "not_taken",
    "held",
    "cancelled",
)


def dose(state: State, day: int = 0, hour: int = 0, **more: object) -> Outcome:
    due = START + timedelta(days=day, hours=hour)
    given: dict[str, Any] = {
        "due_at": due,
        "nominal_date": due.date(),
        "state": state,
        "window": HOUR,
        "missed_at": due + 6 * HOUR,
        "taken_at": due if state in ("taken", "part") else None,
        "fraction": Fraction(1, 2) if state == "part" else Fraction(1),
        "local_time": time(8 + hour),
    }
    return Outcome(**{**given, **more})


OUTCOMES = st.lists(
    st.builds(
        dose,
        st.sampled_from(STATES),
        st.integers(0, 12),
        st.integers(0, 12),
        reason=st.sampled_from(sorted(EXCUSED_REASONS | OTHER_REASONS)),
        as_needed=st.sampled_from([False, False, True]),
        extra=st.integers(0, 1),
        medicine=st.integers(0, 2),
    ),
    max_size=40,
)


@given(OUTCOMES)
def test_counted_is_the_sum_of_its_parts(outcomes: list[Outcome]) -> None:
    found = tally(outcomes, AS_OF)
    parts = found.taken + found.partial + found.no_record + found.not_taken
    assert found.counted == parts
    assert found.on_time + found.late + found.early == found.taken + found.partial
    assert found.full_days <= found.due_days <= 13
    assert found.current_run <= found.best_run <= found.full_days
    assert sum(found.gaps_of_3_or_more) <= found.due_days - found.full_days
    asked = sum(one.as_needed and one.state != "cancelled" for one in outcomes)
    gone = sum(one.state == "cancelled" for one in outcomes)
    rest = found.excused + found.held + found.open
    assert found.counted + rest + asked + gone == len(outcomes)
    if found.counted:
        assert found.taken_pct is not None
        assert 0 <= found.taken_pct <= 100
    else:
        assert (found.taken_pct, found.on_time_pct) == (None, None)
        assert found.meets_threshold is None


@given(OUTCOMES)
def test_medicines_add_up_to_the_whole(outcomes: list[Outcome]) -> None:
    each = [one for _, one in by_medicine(outcomes, AS_OF)]
    assert sum(one.counted for one in each) == tally(outcomes, AS_OF).counted


@given(OUTCOMES)
def test_extra_as_needed_held_and_cancelled_never_move_a_percentage(
    outcomes: list[Outcome],
) -> None:
    more = [
        dose("taken", as_needed=True),
        dose("held"),
        dose("cancelled", extra=3),
        dose("skipped", reason="in_hospital"),
    ]
    plain, full = tally(outcomes, AS_OF), tally([*outcomes, *more], AS_OF)
    assert (plain.taken_pct, plain.on_time_pct) == (full.taken_pct, full.on_time_pct)
    assert plain.full_days_pct == full.full_days_pct
    assert plain.best_run == full.best_run


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (30, 32, "93.8"),
        (Fraction(7963, 100), 100, "79.6"),
        (1, 3, "33.3"),
        (2, 3, "66.7"),
        (1, 2000, "0.1"),
        (0, 5, "0.0"),
        (5, 5, "100.0"),
    ],
)
def test_percent(part: Fraction | int, whole: int, expected: str) -> None:
    assert str(percent(part, whole)) == expected
    assert percent(part, 0) is None


def test_a_threshold_compares_the_exact_fraction() -> None:
    doses = [dose("taken", day) for day in range(7996)]
    doses += [dose("not_taken", 8000 + day) for day in range(2004)]
    found = tally(doses, AS_OF + timedelta(days=20_000))
    assert (found.taken_pct, found.meets_threshold) == (Decimal("80.0"), False)


def test_today_breaks_a_run_only_when_something_is_missed() -> None:
    run = [dose("taken", 0), dose("taken", 1)]
    later = dose("open", 2, 12)
    as_of = START + timedelta(days=2, hours=7)
    assert tally([*run, later], as_of).current_run == 2
    assert tally([*run, dose("taken", 2), later], as_of).current_run == 2
    assert tally([*run, dose("open", 2), later], as_of).current_run == 0
    assert tally([*run, dose("held", 2)], as_of).current_run == 2


def test_no_record_begins_at_missed_at() -> None:
    one = dose("open")
    before = tally([one], one.missed_at - timedelta(seconds=1))
    assert (before.open, before.counted, before.taken_pct) == (1, 0, None)
    assert tally([one], one.missed_at).no_record == 1


def test_a_taken_dose_without_a_time_is_not_called_late() -> None:
    assert timing(dose("taken", taken_at=None)) is None
    found = tally([dose("taken", taken_at=None)], AS_OF)
    assert (found.taken, found.on_time, found.late) == (1, 0, 0)


def test_who_entered_and_why_are_told() -> None:
    doses = [
        dose("taken", entered_at=START + 25 * HOUR, entered_by_carer=True),
        dose("skipped", 1, reason="forgot"),
        dose("skipped", 2, reason="in_hospital"),
        dose("not_taken", 3, reason="forgot"),
    ]
    found = tally(doses, AS_OF)
    assert (found.entered_by_carer, found.entered_late) == (1, 1)
    assert found.reasons == (("forgot", 2), ("in_hospital", 1))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "not_due"),
        (["cancelled"], "not_due"),
        (["taken", "taken"], "taken"),
        (["taken", "late"], "late"),
        (["taken", "held"], "taken"),
        (["taken", "part"], "part"),
        (["taken", "skipped"], "part"),
        (["late", "open"], "part"),
        (["not_taken"], "not_taken"),
        (["open"], "no_record"),
        (["open", "not_taken"], "no_record"),
        (["skipped"], "skipped"),
        (["skipped", "not_taken"], "not_taken"),
        (["excused"], "skipped"),
        (["held"], "paused"),
        (["held", "excused"], "paused"),
        (["future"], "to_come"),
        (["taken", "future"], "to_come"),
        (["open", "future"], "no_record"),
        (["held", "future"], "to_come"),
    ],
)
def test_one_state_a_day(states: list[str], expected: DayState) -> None:
    kinds: dict[str, Outcome] = {
        "late": dose("taken", taken_at=START + 2 * HOUR),
        "excused": dose("skipped", reason="clinician_said"),
        "future": dose("open", missed_at=AS_OF + HOUR),
    } | {state: dose(state) for state in STATES}
    assert day_state([kinds[state] for state in states], AS_OF) == expected
    assert day_state([dose("taken", as_needed=True)], AS_OF) == "not_due"


def test_every_state_has_its_own_word_and_shape() -> None:
    assert len(set(WORDS.values())) == len(WORDS) == len(set(SHAPES.values()))
    assert WORDS.keys() == SHAPES.keys()


def test_month_calendar() -> None:
    doses = [dose("taken", 0), dose("part", 1), dose("taken", 1, 12), dose("open", 2)]
    weeks = month_calendar(doses, 2026, 6, date(2026, 6, 11), AS_OF)
    assert {len(week) for week in weeks} == {7}
    assert weeks[0][0].on == date(2026, 6, 1)
    assert all(week[0].on.weekday() == 0 for week in weeks)
    first, second, third, fourth = weeks[0][:4]
    assert (first.state, first.word, first.shape) == ("taken", "Taken", "tick")
    assert (second.word, second.shape) == ("Some taken, 1 of 2", "part-ring")
    assert (third.word, fourth.word) == ("No record", "Not due")
    cells = [day for week in weeks for day in week]
    assert [day.on for day in cells if day.is_today] == [date(2026, 6, 11)]
    assert sum(day.in_month for day in cells) == 30


def test_the_evening_pattern_is_found() -> None:
    doses = [dose("taken", day) for day in range(9)]
    doses += [dose("open", day, 10) for day in range(4)]
    doses += [dose("taken", day, 10) for day in range(4, 9)]
    found = patterns(doses, AS_OF)
    evening = next(one for one in found if one.weekday is None)
    assert (evening.band, evening.counted) == ("evening", 9)
    assert (evening.not_taken, evening.elsewhere) == (
        Fraction(4, 9),
        Fraction(0),
    )
    assert all(one.counted >= 4 for one in found)


def test_few_doses_or_small_differences_are_no_pattern() -> None:
    three = [dose("not_taken", day, 10) for day in range(3)]
    assert patterns([*three, *(dose("taken", day) for day in range(9))], AS_OF) == ()
    assert patterns([dose("not_taken", 7 * day) for day in range(9)], AS_OF) == ()
    no_time = [dose("taken", 7 * day, local_time=None) for day in range(9)]
    assert patterns(no_time, AS_OF) == ()


@given(
    st.lists(
        st.tuples(st.dates(date(2026, 1, 1), date(2026, 6, 30)), st.integers(1, 90)),
        max_size=8,
    )
)
def test_supply_covers_each_day_once(fills: list[tuple[date, int]]) -> None:
    period = (date(2026, 2, 1), date(2026, 5, 31))
    found = supply(period, fills)
    assert 0 <= found.covered_days <= found.period_days
    assert found.covered_days <= found.days_supply
    if found.index_date is None:
        assert found.pdc_pct is None
        return
    stock = covered = 0
    for day in range(found.period_days):
        today = found.index_date + timedelta(days=day)
        stock += sum(days for on, days in fills if on == today)
        covered += stock > 0
        stock -= stock > 0
    assert covered == found.covered_days


def test_supply_needs_two_fills_and_91_days_for_the_measure() -> None:
    period = (date(2026, 1, 1), date(2026, 4, 1))
    one, two = (date(2026, 1, 1), 30), (date(2026, 2, 1), 30)
    assert supply(period, [one, two]).is_eligible
    assert not supply(period, [one, one]).is_eligible
    assert not supply((period[0], date(2026, 3, 31)), [one, two]).is_eligible


@pytest.mark.parametrize(
    ("days", "as_of", "expected"),
    [
        ([], 100, (None, 0, None)),
        ([1], 1, (None, 1, True)),
        ([1, 32], 32, (None, 32, True)),
        ([1, 33], 33, (1, 1, False)),
        ([1], 32, (None, 1, True)),
        ([1], 33, (1, 1, False)),
        ([1, 5, 60], 61, (5, 5, False)),
    ],
)
def test_persistence(
    days: list[int], as_of: int, expected: tuple[int | None, int, bool | None]
) -> None:
    new_year = date(2025, 12, 31)
    on = [new_year + timedelta(days=day) for day in days]
    found = persistence(on, new_year + timedelta(days=as_of))
    stopped, length, still = expected
    end = None if stopped is None else new_year + timedelta(days=stopped)
    assert (found.stopped_after, found.persistence_days, found.still_taking) == (
        end,
        length,
        still,
    )
