"""Our own line in FHIR and back is the same line, or is marked."""

import json
from dataclasses import replace
from datetime import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pillweb.base.zones import zone
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.fhir.export import Kind, Told, bundle_text, resource_of
from pillweb.schedules.rules.fhir.joined import joined
from pillweb.schedules.rules.fhir.quantity import unit_word
from pillweb.schedules.rules.fhir.reader import Reading, read_fhir
from pillweb.schedules.rules.line import (
    Dose,
    EveryDays,
    Line,
    OnWeekdays,
    TimeOfDay,
    groups_of_times,
)
from pillweb.schedules.rules.line_json import line_from_json
from tests.schedules.fhir.lines import LINES, Rule, line_of
from tests.schedules.fhir.samples import TODAY

LONDON = "Europe/London"


def written(*lines: Line, kind: Kind = "MedicationRequest") -> str:
    told = Told("one", "Amlodipine", "active", lines, zone(LONDON), "tablet")
    return bundle_text([resource_of(kind, told)])


def back(*lines: Line, kind: Kind = "MedicationRequest") -> list[Reading]:
    return read_fhir(written(*lines, kind=kind), TODAY, LONDON)


def plain_dose(dose: Dose | None) -> Dose | None:
    """Return a dose in one spelling: "2 tablets" and "2 tablet" are the same."""
    if dose is None or dose.amount is None:
        words = dose.text.split() if dose else []
        return read_dose(" ".join(map(unit_word, words))) if words else None
    unit = unit_word(dose.unit or "tablet")
    return read_dose(f"{dose.amount:f} {unit}")


def plain_times(times: tuple[TimeOfDay, ...], dose: Dose | None) -> Any:  # noqa: ANN401
    return frozenset(
        replace(entry, dose=plain_dose(entry.dose or dose), slot=0) for entry in times
    )


def plain(line: Line) -> tuple[object, ...]:
    """Return what a line says, without slot numbers and spellings."""
    narrowed = {entry.weekdays for entry in line.times}
    if line.days == EveryDays() and len(narrowed) == 1 and None not in narrowed:
        (weekdays,) = narrowed  # every time on the same weekdays: the line is
        times = tuple(replace(entry, weekdays=None) for entry in line.times)
        line = replace(line, days=OnWeekdays(weekdays or ()), times=times)
    prn = line.prn
    if prn and prn.max and prn.max.amount:
        prn = replace(prn, max=replace(prn.max, amount=plain_dose(prn.max.amount)))
    groups = groups_of_times(line)
    lasting = [step.days for step in line.steps]
    bare = replace(
        line,
        times=(),
        steps=(),
        dose=plain_dose(line.dose) if not line.times + line.steps else None,
        start_time=line.start_time or None if line.start_time != time(0) else None,
        prn=prn,
        next_slot=0,
    )
    return bare, lasting, [plain_times(group, line.dose) for group in groups]


def plain_again(line: Line) -> tuple[object, ...]:
    """Return the same; a taper of one step is only its times."""
    if len(line.steps) == 1:
        (step,) = line.steps
        end = line.end_date
        if step.days and line.start_date:
            last = line.start_date.toordinal() + step.days - 1
            end = line.start_date.fromordinal(last)
        line = replace(line, steps=(), times=step.times, end_date=end)
    return plain(line)


HALF_AN_HOUR_AFTER = [
    {"meal": "wake", "offset_min": 30},
    {"meal": "breakfast", "offset_min": 30},
]


def test_a_number_of_doses_in_several_parts_is_never_taken_for_one_of_each() -> None:
    rule = {"kind": "clock", "start_date": "2026-01-01", "count": 1, "sequence": 1}
    line = line_of({**rule, "dose": "1 tablet", "times": HALF_AN_HOUR_AFTER})
    assert line is not None
    assert all(reading.needs_checking for reading in back(line))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(LINES)
def test_out_and_back_is_the_same_line_or_is_marked(line: Line) -> None:
    readings = back(line)
    assert readings
    if any(reading.needs_checking for reading in readings):
        return
    found = joined([reading.line for reading in readings if reading.line])
    assert [plain(one) for one in found] == [plain_again(line)]


WHOLE: list[Rule] = [
    {"kind": "clock", "times": ["08:00"], "dose": "1 tablet"},
    {"kind": "clock", "times": ["08:00", "20:30"], "dose": "0.5 tablet"},
    {"kind": "clock", "times": ["08:00"], "dose": "40 mg", "end_date": "2026-12-07"},
    {"kind": "clock", "times": ["00:00", "12:00"], "dose": "2 puffs", "count": 14},
    {
        "kind": "clock",
        "times": [{"at": "08:00", "dose": "2 tablets"}, {"meal": "bedtime"}],
        "dose": "1 tablet",
    },
    {
        "kind": "clock",
        "dose": "10 units",
        "times": [{"meal": "breakfast", "offset_min": -30}, {"meal": "dinner"}],
    },
    {
        "kind": "clock",
        "times": [
            {"at": "18:00", "dose": "3 mg", "weekdays": ["mon", "wed", "fri"]},
            {"at": "18:00", "dose": "4 mg", "weekdays": ["tue", "thu", "sat", "sun"]},
        ],
    },
    {
        "kind": "clock",
        "times": ["08:00"],
        "days": {"weekdays": ["mon"]},
        "dose": "15 mg",
    },
    {
        "kind": "clock",
        "times": [{"meal": "bedtime"}],
        "days": {"every": 2},
        "dose": "1 tablet",
    },
    {
        "kind": "clock",
        "times": [{"meal": "breakfast"}],
        "days": {"month_day": 1, "every_n_months": 3},
        "dose": "1 tablet",
    },
    {
        "kind": "clock",
        "times": [{"meal": "breakfast"}],
        "days": {"month_day": 1, "every_n_months": 12},
        "dose": "1 tablet",
    },
    {
        "kind": "clock",
        "steps": [
            {"days": 3, "times": [{"at": "08:00", "dose": "40 mg"}]},
            {"days": 4, "times": [{"at": "08:00", "dose": "20 mg"}]},
            {"days": None, "times": [{"at": "08:00", "dose": "5 mg"}]},
        ],
    },
    {"kind": "interval", "interval_hours": 8, "dose": "1 tablet"},
    {"kind": "interval", "interval_hours": "1.5", "dose": "5 ml", "count": 9},
    {"kind": "once", "dose": "1 tablet"},
    {"kind": "prn", "dose": "1 g", "max": {"amount": "4 g", "hours": 24}},
    {"kind": "prn", "dose": "1 to 2 tablets", "min_interval_minutes": 240},
    {
        "kind": "prn",
        "dose": "2 tablets",
        "reason": "pain",
        "min_interval_minutes": 240,
        "max": {"doses": 4, "hours": 24},
    },
]
NEEDED = {
    "clock": {"start_date": "2026-12-01"},
    "interval": {"first": "2026-12-01T06:00"},
    "once": {"at": "2026-12-01T06:00"},
    "prn": {"start_date": "2026-12-01"},
}


@pytest.mark.parametrize("rule", WHOLE, ids=str)
@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_what_codes_can_say_comes_back_unmarked(rule: Rule, kind: Kind) -> None:
    line = line_from_json({**rule, **NEEDED[rule["kind"]]})
    readings = back(line, kind=kind)
    assert [(one.missing, one.reasons) for one in readings] == [((), ())] * len(
        readings
    )
    found = joined([reading.line for reading in readings if reading.line])
    assert [plain(one) for one in found] == [plain(line)]
    assert all(reading.may_start_reminders for reading in readings)


@pytest.mark.parametrize(
    "more",
    [
        {"days": {"cycle": [21, 7]}},
        {"days": {"cycle": [21, 7]}, "end_date": "2027-03-01"},
        {"days": {"every": 2}},
        {"zone_policy": "home"},
        {"window_min": 30},
        {"action": "apply"},
        {"times": [{"at": "08:00", "day_parity": 0}]},
        {"times": [{"at": "00:30", "day_offset": 1}]},
        {"pauses": [{"from": "2026-12-05"}]},
        {"dose": "apply"},
        {"dose": "1/3 tablet"},
    ],
    ids=str,
)
def test_what_codes_cannot_say_is_marked(more: Rule) -> None:
    rule = {"times": ["08:00"], "dose": "1 tablet", **more}
    line = line_from_json({"kind": "clock", **NEEDED["clock"], **rule})
    readings = back(line)
    assert readings
    assert all(reading.needs_checking for reading in readings)
    assert not any(reading.may_start_reminders for reading in readings)
    assert all(reading.texts for reading in readings)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(LINES)
def test_what_is_written_keeps_the_rules_of_the_standard(line: Line) -> None:
    entries = json.loads(written(line))["entry"]
    for part in entries[0]["resource"]["dosageInstruction"]:
        assert part["text"]
        repeat = part.get("timing", {}).get("repeat", {})
        assert not {"timeOfDay", "when"} <= set(repeat)
        assert not ("timeOfDay" in repeat and {"frequency", "period"} & set(repeat))
        assert not ("dayOfWeek" in repeat and "period" in repeat)
        assert ("period" in repeat) == ("periodUnit" in repeat)
        assert "offset" not in repeat or not {"C", "CM", "CD", "CV"} & set(
            repeat["when"]
        )
        assert not {"asNeededBoolean", "asNeededCodeableConcept"} <= set(part)
        assert len(part.get("doseAndRate", [])) <= 1


def test_amounts_are_written_exactly() -> None:
    line = line_from_json(
        {"kind": "clock", "start_date": "2026-12-01", "times": ["08:00"]}
        | {"dose": "0.1000000001 mg"}
    )
    assert '"value": 0.1000000001,' in written(line)
