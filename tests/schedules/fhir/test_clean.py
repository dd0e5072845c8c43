"""Dosages that say everything: each must come out complete, as exactly this line."""

import pytest

from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from tests.schedules.fhir.clean_by_clock import BY_CLOCK, WEEK, every
from tests.schedules.fhir.clean_by_hours import BY_HOURS, Q8H, gram
from tests.schedules.fhir.samples import (
    EIGHT,
    FIRST,
    FROM,
    PRN,
    START,
    TWICE,
    Json,
    days,
    dosage,
    mg,
    read,
    read_one,
    request,
    statement,
)

CLEAN = [*BY_CLOCK, *BY_HOURS]
TEXTS: list[tuple[Json, str]] = [
    (EIGHT, "1 tablet at 8am"),
    (EIGHT, "Take ONE tablet at 8:00 every day by mouth with a glass of water."),
    (EIGHT, "1 tablet in the morning"),
    (EIGHT, "Amlodipine 5 mg tablets - 1 tablet - once a day - oral"),
    (EIGHT, "Swallow whole. Do not crush or chew."),
    (EIGHT, "1 tablet daily with food"),
    (EIGHT, "-"),
    (EIGHT, "Take 1 tablet (5 mg) by mouth once daily at 8 a.m."),
    (EIGHT, "amlodipine 5mg tablets: one to be taken each morning"),
    ({"timeOfDay": ["12:00:00"]}, "1 tablet at 12 noon"),
    ({"when": ["CM", "CV"]}, "1 tablet with breakfast and dinner"),
    ({**EIGHT, "dayOfWeek": ["sat", "sun"]}, "1 tablet at weekends at 8am"),
    ({**EIGHT, "dayOfWeek": ["mon"]}, "1 tablet weekly on Monday"),
    ({**EIGHT, **FROM, **every(2, "wk")}, "1 tablet on alternate Tuesdays"),
    ({"when": ["CM", "HS"]}, "1 tablet in the morning and 1 at bedtime"),
    (TWICE, "1 tablet at 8am and 8pm, every day"),
    (TWICE, "1 tablet twice daily"),
    (TWICE, "1 tablet b.d."),
    (TWICE, "one tablet in the morning and one in the evening"),
    (TWICE, "2 times a day at 08:00 and 20:00"),
    ({**EIGHT, **WEEK}, "1 tablet at 8am for 7 days"),
    ({**EIGHT, **WEEK}, "1 tablet at 8am until 7 December 2026"),
    ({**EIGHT, **WEEK}, "from 1 Dec to 7 Dec: 1 tablet each morning, then stop"),
    ({**EIGHT, **FROM, "boundsDuration": days(7)}, ""),
    (
        {**TWICE, **FROM, "count": 14},
        "1 tablet at 8am and 8pm for 7 days, 14 doses in all",
    ),
    (
        {**EIGHT, "dayOfWeek": ["mon", "thu"]},
        "1 tablet on Mondays and Thursdays at 8am",
    ),
    ({**EIGHT, "dayOfWeek": ["mon"]}, "once a week, every Monday"),
    ({**EIGHT, **FROM, **every(2, "d")}, "1 tablet every other day at 8am"),
    ({**EIGHT, **FROM, **every(2, "wk")}, "1 tablet every 2 weeks on Tuesdays"),
    ({**EIGHT, **FROM, **every(1, "mo")}, "1 tablet at 8am, on the 1st of every month"),
    ({"when": ["HS"]}, "1 tablet at night"),
    ({"when": ["HS"]}, "1 tablet at bedtime"),
    ({"when": ["ACM"], "offset": 30}, "1 tablet half an hour before breakfast"),
    (
        {"when": ["ACM"], "offset": 30},
        "1 tablet, 30 minutes before breakfast, every day",
    ),
    ({"when": ["CM", "CD", "CV"]}, "1 tablet three times a day with meals"),
    ({**Q8H, **FIRST}, "1 tablet every eight hours, day and night"),
    ({**Q8H, **FIRST}, "1 tablet three times a day from 1 December at 6am"),
]


@pytest.mark.parametrize(
    ("given", "line"), [one[1:] for one in CLEAN], ids=[one[0] for one in CLEAN]
)
def test_a_dosage_that_says_everything_is_complete(given: Json, line: Json) -> None:
    reading = read_one(given)
    assert (reading.missing, reading.reasons) == ((), ())
    assert reading.line is not None
    assert reading.line == line_from_json(line)
    assert line_from_json(line_to_json(reading.line)) == reading.line
    assert reading.may_start_reminders


@pytest.mark.parametrize(("repeat", "text"), TEXTS)
def test_words_that_say_the_same_do_no_harm(repeat: Json, text: str) -> None:
    if "boundsDuration" in repeat:
        repeat = {key: value for key, value in repeat.items() if key != "boundsPeriod"}
        (reading,) = read(statement(dosage(repeat), effectivePeriod=START))
        assert reading.line is not None
        assert str(reading.line.end_date) == "2026-12-07"
    else:
        reading = read_one(dosage(repeat, text=text))
    assert (reading.missing, reading.reasons) == ((), ())


def test_the_examples_of_the_standard_in_small() -> None:
    meal = {
        "sequence": 1,
        "text": "1 tablet 30 minutes before breakfast",
        "timing": {
            "repeat": {
                "when": ["ACM"],
                "offset": 30,
                "boundsPeriod": {"start": "2026-11-20"},
            }
        },
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
    }
    pain = {
        "text": "1 g when needed for pain, at least 4 hours apart, "
        "at most 4 g in 24 hours",
        "asNeededCodeableConcept": {"text": "pain"},
        "timing": {"repeat": PRN},
        "doseAndRate": gram(1),
        "maxDosePerPeriod": {
            "numerator": {"value": 4, "unit": "g"},
            "denominator": {"value": 1, "unit": "d"},
        },
    }
    assert [one.missing for one in read(request(meal))] == [()]
    assert [one.missing for one in read(request(pain))] == [()]


def test_a_single_event_is_once() -> None:
    given = dosage()
    given["timing"] = {"event": ["2026-12-20T09:00:00+01:00"]}
    reading = read_one(given)
    assert reading.missing == ()
    assert reading.line == line_from_json(
        {"kind": "once", "at": "2026-12-20T09:00", "dose": "1 tablet"}
    )


def test_real_hours_within_days_are_counted() -> None:
    repeat = {**Q8H, "boundsDuration": days(3)}
    given = statement(
        dosage(repeat), effectivePeriod={"start": "2026-12-01T08:00:00+00:00"}
    )
    (reading,) = read(given)
    assert reading.missing == ()
    assert reading.line is not None
    assert reading.line.count == 9
    assert reading.line.end_date is None


def test_steps_follow_each_other() -> None:
    steps = [
        dosage({**EIGHT, "boundsDuration": days(3)}, sequence=1, doseAndRate=mg(40)),
        dosage({**EIGHT, "boundsDuration": days(4)}, sequence=2, doseAndRate=mg(20)),
        dosage(EIGHT, sequence=3, doseAndRate=mg(5), text="then 5 mg at 8am"),
    ]
    readings = read(statement(*steps, effectivePeriod=START))
    assert [one.missing for one in readings] == [(), (), ()]
    lines = [one.line for one in readings if one.line]
    told = [(str(one.start_date), str(one.end_date), one.sequence) for one in lines]
    assert told == [
        ("2026-12-01", "2026-12-03", 1),
        ("2026-12-04", "2026-12-07", 2),
        ("2026-12-08", "None", 3),
    ]


def test_steps_of_real_hours_follow_each_other() -> None:
    steps = [
        dosage({**Q8H, "boundsDuration": days(3)}, sequence=1),
        dosage({**every(12, "h"), "boundsDuration": days(2)}, sequence=2),
    ]
    period = {"start": "2026-12-01T08:00:00+00:00"}
    lines = [one.line for one in read(statement(*steps, effectivePeriod=period))]
    assert [line and (str(line.first), line.count) for line in lines] == [
        ("2026-12-01 08:00:00", 9),
        ("2026-12-04 08:00:00", 4),
    ]


def test_what_holds_together_starts_together() -> None:
    parts = [
        dosage({**EIGHT, **FROM, "dayOfWeek": ["mon", "wed"]}, doseAndRate=mg(3)),
        dosage({**EIGHT, **FROM, "dayOfWeek": ["tue", "thu"]}, doseAndRate=mg(4)),
    ]
    assert [one.missing for one in read(request(*parts))] == [(), ()]
