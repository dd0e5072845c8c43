from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillweb.schedules.rules.dose import decimal_of, read_dose
from pillweb.schedules.rules.line_json import line_from_json, meals_from_json
from pillweb.schedules.rules.line_text import line_to_json, meals_to_json

CLOCK: dict[str, Any] = {
    "kind": "clock",
    "start_date": "2026-06-01",
    "times": ["08:00"],
}
INTERVAL: dict[str, Any] = {
    "kind": "interval",
    "first": "2026-06-01T08:00",
    "interval_hours": 8,
}
PRN: dict[str, Any] = {"kind": "prn"}
AT = {"at": "08:00"}


def with_time(**more: object) -> dict[str, Any]:
    return {**CLOCK, "times": [{**AT, **more}]}


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, "kind"),
        ({"kind": "hourly"}, "kind"),
        ({**CLOCK, "colour": "red"}, "colour"),
        ({"kind": "clock", "times": ["08:00"]}, "start_date"),
        ({"kind": "clock", "start_date": "2026-06-01"}, "times"),
        ({**CLOCK, "start_date": "1 June"}, "start_date"),
        ({**CLOCK, "start_date": "2026-02-30"}, "start_date"),
        ({**CLOCK, "start_date": "20260601"}, "start_date"),
        ({**CLOCK, "start_date": 7}, "start_date"),
        ({**CLOCK, "end_date": "2026-05-31"}, "end_date"),
        ({**CLOCK, "times": []}, "times"),
        ({**CLOCK, "times": ["8am"]}, r"times\[0\]"),
        ({**CLOCK, "times": ["24:00"]}, r"times\[0\]"),
        ({**CLOCK, "times": ["08:00", 9]}, r"times\[1\]"),
        (with_time(dose=0.5), r"times\[0\]\.dose"),
        (with_time(dose=True), r"times\[0\]\.dose"),
        (with_time(dose=" "), r"times\[0\]\.dose"),
        (with_time(dose="-1 mg"), r"times\[0\]\.dose"),
        (with_time(dose="x" * 300), r"times\[0\]\.dose"),
        (with_time(meal="lunch"), r"times\[0\]"),
        (with_time(offset_min=10), r"times\[0\]\.offset_min"),
        (with_time(day_offset=2), r"times\[0\]\.day_offset"),
        (with_time(day_parity="first"), r"times\[0\]\.day_parity"),
        (with_time(weekdays=[]), r"times\[0\]\.weekdays"),
        (with_time(weekdays=["mon", "mon"]), r"times\[0\]\.weekdays"),
        (with_time(weekdays=["someday"]), r"times\[0\]\.weekdays"),
        (with_time(action="x" * 501), r"times\[0\]\.action"),
        ({**CLOCK, "times": [AT, {**AT, "slot": 0}]}, "times"),
        ({**CLOCK, "days": {}}, "days"),
        ({**CLOCK, "days": {"every": 0}}, r"days\.every"),
        ({**CLOCK, "days": {"every": 2, "cycle": [1, 1]}}, "days"),
        ({**CLOCK, "days": {"every": 1.0}}, r"days\.every"),
        ({**CLOCK, "days": {"month_day": 32}}, r"days\.month_day"),
        ({**CLOCK, "days": {"cycle": [21]}}, r"days\.cycle"),
        ({**CLOCK, "days": {"cycle": [0, 7]}}, r"days\.cycle"),
        ({**CLOCK, "count": 0}, "count"),
        ({**CLOCK, "count": True}, "count"),
        ({**CLOCK, "steps": [{"days": 1, "times": ["08:00"]}]}, "times"),
        ({**CLOCK, "interval_hours": 8}, "interval_hours"),
        ({**CLOCK, "pauses": [{"to": "2026-06-02"}]}, r"pauses\[0\]\.from"),
        (
            {**CLOCK, "pauses": [{"from": "2026-06-02", "to": "2026-06-01"}]},
            r"pauses\[0\]\.to",
        ),
        ({**CLOCK, "pauses": {}}, "pauses"),
        ({**CLOCK, "zone_policy": "away"}, "zone_policy"),
        (
            {**CLOCK, "zone_changes": [{"at": "2026-06-02T00:00", "zone": "UTC"}]},
            r"zone_changes\[0\]\.at",
        ),
        (
            {**CLOCK, "zone_changes": [{"at": "2026-06-02T00:00Z", "zone": "Mars"}]},
            "time zone",
        ),
        ({**CLOCK, "meals": {"tea": "16:00"}}, "meals"),
        ({**CLOCK, "meals": ["08:00"]}, "meals"),
        ({**CLOCK, "min_gap_hours_after_zone_change": 0.5}, "min_gap_hours"),
        ({"kind": "interval", "first": "2026-06-01T08:00"}, "interval_hours"),
        ({**INTERVAL, "interval_hours": 0}, "interval_hours"),
        ({**INTERVAL, "interval_hours": "0.001"}, "interval_hours"),
        ({**INTERVAL, "interval_hours": "NaN"}, "interval_hours"),
        ({**INTERVAL, "first": "2026-06-01"}, "first"),
        ({"kind": "once"}, "at"),
        ({**PRN, "max": {"hours": 24}}, "max"),
        ({**PRN, "max": {"doses": 4}}, r"max\.hours"),
        ({**PRN, "max": {"amount": "some", "hours": 24}}, r"max\.amount"),
        ({**PRN, "min_interval_minutes": -1}, "min_interval_minutes"),
    ],
)
def test_a_bad_value_is_refused_and_its_field_named(
    rule: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=field):
        line_from_json(rule)


def test_only_the_last_step_may_be_open_ended() -> None:
    step = {"days": None, "times": ["08:00"]}
    rule = {"kind": "clock", "start_date": "2026-06-01", "steps": [step, step]}
    with pytest.raises(ValueError, match=r"steps\[0\]\.days"):
        line_from_json(rule)


def test_zone_changes_are_in_order() -> None:
    changes = [
        {"at": "2026-06-03T00:00Z", "zone": "Asia/Tokyo"},
        {"at": "2026-06-02T00:00Z", "zone": "Europe/London"},
    ]
    with pytest.raises(ValueError, match="order"):
        line_from_json({**CLOCK, "zone_changes": changes})


@pytest.mark.parametrize(
    "rule",
    [
        {
            **CLOCK,
            "sequence": 2,
            "start_time": "00:00",
            "count": 3,
            "action": "apply",
            "dose": "1 patch",
            "window_min": 0,
            "missed_after_min": 90,
            "alert_profile": "loud",
            "min_gap_hours_after_zone_change": "2.5",
            "next_slot": 4,
            "times": [
                {"at": "00:00", "slot": 3, "day_offset": 1, "weekdays": ["sun", "mon"]},
                {"meal": "wake", "offset_min": 15, "day_parity": 1, "action": "x"},
            ],
            "pauses": [{"from": "2026-06-01", "reason": "trip", "by": "patient"}],
            "meals": {"wake": "07:00", "weekend": {"wake": "09:00"}},
        },
        {**INTERVAL, "interval_hours": "1.5", "dose": "½ tablet"},
        {"kind": "once", "at": "2026-06-01T08:00", "dose": "2 puffs"},
        {
            "kind": "prn",
            "reason": "pain",
            "dose": "1 g",
            "min_interval_minutes": 0,
            "max": {"doses": 4, "amount": "4 g", "hours": "24.5"},
        },
        {"kind": "prn"},
    ],
)
def test_every_field_comes_back(rule: dict[str, Any]) -> None:
    assert line_to_json(line_from_json(rule)) == rule


def test_absent_and_null_are_the_same() -> None:
    assert line_from_json({**CLOCK, "end_date": None}) == line_from_json(CLOCK)


def test_meals() -> None:
    told = {"breakfast": "08:00", "weekend": {"breakfast": "09:30"}}
    assert meals_to_json(meals_from_json(told)) == told


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("40 mg", "40", "mg"),
        ("40mg", "40", "mg"),
        ("0.50 ml", "0.5", "ml"),
        (".5 ml", "0.5", "ml"),
        ("1/2 tablet", "0.5", "tablet"),
        ("1 1/2 tablets", "1.5", "tablets"),
        ("1½ tablets", "1.5", "tablets"),
        ("¾ tablet", "0.75", "tablet"),
        ("10", "10", ""),
        ("100 units", "100", "units"),
        ("apply", None, ""),
        ("1 to 2 tablets", None, ""),
        ("1-2 tablets", None, ""),
        ("1,5 ml", None, ""),
        ("1.2.3 ml", None, ""),
        ("1/0 tablet", None, ""),
    ],
)
def test_read_dose(text: str, amount: str | None, unit: str) -> None:
    found = read_dose(text)
    assert found.text == text
    assert (str(found.amount) if found.amount is not None else None) == amount
    assert found.unit == unit


def test_thirds_stay_exact() -> None:
    found = read_dose("1/3 tablet")
    assert (found.amount, found.fraction) == (None, Fraction(1, 3))


@given(st.fractions(0, 1000, max_denominator=10_000))
def test_decimals_are_exact_or_not_given(exact: Fraction) -> None:
    found = decimal_of(exact)
    if found is None:
        assert any(exact.denominator % prime == 0 for prime in (3, 7, 11, 13)) or (
            exact.denominator > 1
        )
    else:
        assert Fraction(found) == exact
        assert str(found) == str(Decimal(str(found)))


@given(st.decimals(0, 10_000, places=4))
def test_written_decimals_are_read_exactly(number: Decimal) -> None:
    assert read_dose(f"{number:f} mg").amount == number
