"""Dosages that say everything: each must come out complete, as exactly this line."""

from typing import Any

import pytest

from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from tests.schedules.fhir.samples import (
    DOSE,
    START,
    TABLET,
    UCUM,
    Json,
    days,
    dosage,
    mg,
    most,
    read,
    read_one,
    request,
    statement,
)

EIGHT = {"timeOfDay": ["08:00:00"]}
TWICE = {"timeOfDay": ["08:00:00", "20:00:00"]}
FROM = {"boundsPeriod": START}
WEEK = {"boundsPeriod": {"start": "2026-12-01", "end": "2026-12-07"}}
FIRST = {"boundsPeriod": {"start": "2026-12-01T06:00:00+00:00"}}
Q8H = {"frequency": 1, "period": 8, "periodUnit": "h"}
PRN = {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}
NEEDED: dict[str, Any] = {"asNeededBoolean": True}
BASE = {"kind": "clock", "dose": "1 tablet"}
NOW = {**BASE, "start_date": "2026-11-20"}
DEC = {**BASE, "start_date": "2026-12-01"}


def gram(number: float) -> list[Json]:
    return [{"doseQuantity": {"value": number, "unit": "g", "code": "g", **UCUM}}]


def every(number: float, unit: str, **more: object) -> Json:
    return {"frequency": 1, "period": number, "periodUnit": unit, **more}


CLEAN: list[tuple[str, Json, Json]] = [
    ("from now on", dosage(EIGHT), {**NOW, "times": ["08:00"]}),
    (
        "bounds",
        dosage({**EIGHT, **WEEK}),
        {**DEC, "end_date": "2026-12-07", "times": ["08:00"]},
    ),
    ("two times", dosage({**TWICE, **FROM}), {**DEC, "times": ["08:00", "20:00"]}),
    (
        "hours and minutes",
        dosage({"timeOfDay": ["07:45"]}),
        {**NOW, "times": ["07:45"]},
    ),
    (
        "frequency agrees",
        dosage({**TWICE, "frequency": 2, "period": 1, "periodUnit": "d"}),
        {**NOW, "times": ["08:00", "20:00"]},
    ),
    (
        "once a day agrees",
        dosage({**EIGHT, **every(1, "d")}),
        {**NOW, "times": ["08:00"]},
    ),
    (
        "period alone",
        dosage({**EIGHT, "period": 1, "periodUnit": "d"}),
        {**NOW, "times": ["08:00"]},
    ),
    (
        "for 7 days",
        dosage({**EIGHT, **WEEK}),
        {**DEC, "end_date": "2026-12-07", "times": ["08:00"]},
    ),
    (
        "count",
        dosage({**TWICE, **FROM, "count": 14}),
        {**DEC, "count": 14, "times": ["08:00", "20:00"]},
    ),
    (
        "count inside bounds",
        dosage({**EIGHT, **WEEK, "count": 5}),
        {**DEC, "end_date": "2026-12-07", "count": 5, "times": ["08:00"]},
    ),
    (
        "half a tablet",
        dosage(EIGHT, doseAndRate=[{"doseQuantity": {**TABLET, "value": 0.5}}]),
        {**NOW, "dose": "0.5 tablet", "times": ["08:00"]},
    ),
    (
        "no trailing zero",
        dosage(EIGHT, doseAndRate=mg(2.50)),
        {**NOW, "dose": "2.5 mg", "times": ["08:00"]},
    ),
    (
        "ordered type",
        dosage(
            EIGHT, doseAndRate=[{"type": {"coding": [{"code": "ordered"}]}, **DOSE[0]}]
        ),
        {**NOW, "times": ["08:00"]},
    ),
    (
        "equal range",
        dosage(EIGHT, doseAndRate=[{"doseRange": {"low": TABLET, "high": TABLET}}]),
        {**NOW, "times": ["08:00"]},
    ),
    (
        "drops",
        dosage(
            EIGHT,
            doseAndRate=[
                {"doseQuantity": {"value": 2, "unit": "drops", "code": "[drp]", **UCUM}}
            ],
        ),
        {**NOW, "dose": "2 drop", "times": ["08:00"]},
    ),
    (
        "annotation",
        dosage(
            EIGHT,
            doseAndRate=[{"doseQuantity": {"value": 2, "code": "{puff}", **UCUM}}],
        ),
        {**NOW, "dose": "2 puff", "times": ["08:00"]},
    ),
    (
        "unit in words only",
        dosage(
            EIGHT, doseAndRate=[{"doseQuantity": {"value": 10, "unit": "Milligram(s)"}}]
        ),
        {**NOW, "dose": "10 mg", "times": ["08:00"]},
    ),
    (
        "orderable form",
        dosage(
            EIGHT,
            doseAndRate=[
                {
                    "doseQuantity": {
                        "value": 1,
                        "unit": "TAB",
                        "system": "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm",
                        "code": "TAB",
                    }
                }
            ],
        ),
        {**NOW, "times": ["08:00"]},
    ),
    (
        "international units",
        dosage(
            EIGHT,
            doseAndRate=[
                {"doseQuantity": {"value": 20, "unit": "IU", "code": "[iU]", **UCUM}}
            ],
        ),
        {**NOW, "dose": "20 unit", "times": ["08:00"]},
    ),
    (
        "weekdays",
        dosage({**EIGHT, "dayOfWeek": ["mon", "thu"]}),
        {**NOW, "days": {"weekdays": ["mon", "thu"]}, "times": ["08:00"]},
    ),
    (
        "weekdays and frequency a week",
        dosage(
            {
                **EIGHT,
                "dayOfWeek": ["mon", "wed", "fri"],
                "frequency": 3,
                "period": 1,
                "periodUnit": "wk",
            }
        ),
        {**NOW, "days": {"weekdays": ["mon", "wed", "fri"]}, "times": ["08:00"]},
    ),
    (
        "weekdays and frequency a day",
        dosage(
            {
                **TWICE,
                "dayOfWeek": ["mon"],
                "frequency": 2,
                "period": 1,
                "periodUnit": "d",
            }
        ),
        {**NOW, "days": {"weekdays": ["mon"]}, "times": ["08:00", "20:00"]},
    ),
    (
        "methotrexate",
        dosage({**EIGHT, "dayOfWeek": ["mon"], **every(1, "wk")}, doseAndRate=mg(15)),
        {**NOW, "dose": "15 mg", "days": {"weekdays": ["mon"]}, "times": ["08:00"]},
    ),
    (
        "alternate days",
        dosage({**EIGHT, **FROM, **every(2, "d")}),
        {**DEC, "days": {"every": 2}, "times": ["08:00"]},
    ),
    (
        "weekly from a start",
        dosage({**EIGHT, **FROM, **every(1, "wk")}),
        {**DEC, "days": {"weekdays": ["tue"]}, "times": ["08:00"]},
    ),
    (
        "every 12 weeks",
        dosage({**EIGHT, **FROM, **every(12, "wk")}),
        {**DEC, "days": {"weekdays": ["tue"], "every_n_weeks": 12}, "times": ["08:00"]},
    ),
    (
        "alternate Tuesdays",
        dosage({**EIGHT, **FROM, **every(2, "wk"), "dayOfWeek": ["tue"]}),
        {**DEC, "days": {"weekdays": ["tue"], "every_n_weeks": 2}, "times": ["08:00"]},
    ),
    (
        "monthly",
        dosage({**EIGHT, "boundsPeriod": {"start": "2026-12-31"}, **every(1, "mo")}),
        {
            **BASE,
            "start_date": "2026-12-31",
            "days": {"month_day": 31},
            "times": ["08:00"],
        },
    ),
    (
        "3-monthly",
        dosage({**EIGHT, **FROM, **every(3, "mo")}),
        {**DEC, "days": {"month_day": 1, "every_n_months": 3}, "times": ["08:00"]},
    ),
    (
        "yearly",
        dosage({**EIGHT, **FROM, **every(1, "a")}),
        {**DEC, "days": {"month_day": 1, "every_n_months": 12}, "times": ["08:00"]},
    ),
    ("bedtime", dosage({"when": ["HS"]}), {**NOW, "times": [{"meal": "bedtime"}]}),
    (
        "bedtime, once a day",
        dosage({"when": ["HS"], **every(1, "d")}),
        {**NOW, "times": [{"meal": "bedtime"}]},
    ),
    (
        "with three meals",
        dosage(
            {"when": ["CM", "CD", "CV"], "frequency": 3, "period": 1, "periodUnit": "d"}
        ),
        {
            **NOW,
            "times": [{"meal": "breakfast"}, {"meal": "lunch"}, {"meal": "dinner"}],
        },
    ),
    (
        "before breakfast",
        dosage({"when": ["ACM"], "offset": 30}),
        {**NOW, "times": [{"meal": "breakfast", "offset_min": -30}]},
    ),
    (
        "after dinner",
        dosage({"when": ["PCV"], "offset": 60}),
        {**NOW, "times": [{"meal": "dinner", "offset_min": 60}]},
    ),
    (
        "before two meals",
        dosage({"when": ["ACM", "ACV"], "offset": 15}),
        {
            **NOW,
            "times": [
                {"meal": "breakfast", "offset_min": -15},
                {"meal": "dinner", "offset_min": -15},
            ],
        },
    ),
    ("on waking", dosage({"when": ["WAKE"]}), {**NOW, "times": [{"meal": "wake"}]}),
    (
        "after waking",
        dosage({"when": ["WAKE"], "offset": 20}),
        {**NOW, "times": [{"meal": "wake", "offset_min": 20}]},
    ),
    (
        "dinner on Fridays",
        dosage({"when": ["CV"], "dayOfWeek": ["fri"]}),
        {**NOW, "days": {"weekdays": ["fri"]}, "times": [{"meal": "dinner"}]},
    ),
    (
        "starts in the day",
        dosage({**TWICE, "boundsPeriod": {"start": "2026-12-01T12:00:00+00:00"}}),
        {**DEC, "start_time": "12:00", "times": ["08:00", "20:00"]},
    ),
    (
        "ends at the end of a day",
        dosage(
            {
                **TWICE,
                "boundsPeriod": {
                    "start": "2026-12-01",
                    "end": "2026-12-07T23:59:59+00:00",
                },
            }
        ),
        {**DEC, "end_date": "2026-12-07", "times": ["08:00", "20:00"]},
    ),
    (
        "every 8 hours",
        dosage({**Q8H, **FIRST}),
        {
            "kind": "interval",
            "first": "2026-12-01T06:00",
            "interval_hours": 8,
            "dose": "1 tablet",
        },
    ),
    (
        "a patch of 72 hours",
        dosage(
            {**every(72, "h"), **FIRST},
            doseAndRate=[{"doseQuantity": {"value": 1, "unit": "patch"}}],
        ),
        {
            "kind": "interval",
            "first": "2026-12-01T06:00",
            "interval_hours": 72,
            "dose": "1 patch",
        },
    ),
    (
        "every 90 minutes",
        dosage({**every(90, "min"), **FIRST}),
        {
            "kind": "interval",
            "first": "2026-12-01T06:00",
            "interval_hours": "1.5",
            "dose": "1 tablet",
        },
    ),
    (
        "every 8 hours, 21 doses",
        dosage({**Q8H, **FIRST, "count": 21}),
        {
            "kind": "interval",
            "first": "2026-12-01T06:00",
            "interval_hours": 8,
            "count": 21,
            "dose": "1 tablet",
        },
    ),
    (
        "every 8 hours until a day",
        dosage(
            {
                **Q8H,
                "boundsPeriod": {
                    "start": "2026-12-01T06:00:00+00:00",
                    "end": "2026-12-03",
                },
            }
        ),
        {
            "kind": "interval",
            "first": "2026-12-01T06:00",
            "interval_hours": 8,
            "end_date": "2026-12-03",
            "dose": "1 tablet",
        },
    ),
    (
        "as needed with an amount",
        dosage(PRN, **NEEDED, doseAndRate=gram(1), maxDosePerPeriod=most(4, "g")),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 g",
            "min_interval_minutes": 240,
            "max": {"amount": "4 g", "hours": 24},
        },
    ),
    (
        "as needed, another unit",
        dosage(
            PRN, **NEEDED, doseAndRate=mg(500), maxDosePerPeriod=most(4, "g", 1, "d")
        ),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "500 mg",
            "min_interval_minutes": 240,
            "max": {"amount": "4 g", "hours": 24},
        },
    ),
    (
        "as needed in doses",
        dosage(PRN, **NEEDED, maxDosePerPeriod=most(4, "dose")),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 tablet",
            "min_interval_minutes": 240,
            "max": {"doses": 4, "hours": 24},
        },
    ),
    (
        "as needed, a most alone",
        dosage(None, **NEEDED, maxDosePerPeriod=most(8, "tablet")),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 tablet",
            "max": {"amount": "8 tablet", "hours": 24},
        },
    ),
    (
        "as needed, apart alone",
        dosage(Q8H, **NEEDED),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 tablet",
            "min_interval_minutes": 480,
        },
    ),
    (
        "as needed for pain",
        dosage(
            PRN,
            asNeededCodeableConcept={"text": "pain"},
            maxDosePerPeriod=most(4, "dose"),
        ),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 tablet",
            "reason": "pain",
            "min_interval_minutes": 240,
            "max": {"doses": 4, "hours": 24},
        },
    ),
    (
        "as needed, a range",
        dosage(
            PRN,
            **NEEDED,
            doseAndRate=[
                {"doseRange": {"low": TABLET, "high": {**TABLET, "value": 2}}}
            ],
        ),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 to 2 tablet",
            "min_interval_minutes": 240,
        },
    ),
    (
        "as needed, 4 times a day, 4 at most",
        dosage(
            {"frequency": 4, "period": 1, "periodUnit": "d"},
            **NEEDED,
            maxDosePerPeriod=most(4, "tablet"),
        ),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 tablet",
            "max": {"amount": "4 tablet", "hours": 24},
        },
    ),
    (
        "as needed, a range and a most",
        dosage(
            PRN,
            text="1 to 2 tablets every 4 to 6 hours when needed, max 8 tablets a day",
            asNeededBoolean=True,
            doseAndRate=[
                {"doseRange": {"low": TABLET, "high": {**TABLET, "value": 2}}}
            ],
            maxDosePerPeriod=most(8, "tablet"),
        ),
        {
            "kind": "prn",
            "start_date": "2026-11-20",
            "dose": "1 to 2 tablet",
            "min_interval_minutes": 240,
            "max": {"amount": "8 tablet", "hours": 24},
        },
    ),
    (
        "not only as needed",
        dosage(EIGHT, asNeededBoolean=False),
        {**NOW, "times": ["08:00"]},
    ),
    (
        "a most that fits",
        dosage(TWICE, maxDosePerPeriod=most(2, "tablet")),
        {**NOW, "times": ["08:00", "20:00"]},
    ),
]
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
