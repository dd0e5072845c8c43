"""Dosages by days and times of day that say everything: name, Dosage and line."""

from tests.schedules.fhir.samples import (
    DOSE,
    EIGHT,
    FROM,
    TABLET,
    TWICE,
    UCUM,
    Json,
    dosage,
    mg,
)

WEEK = {"boundsPeriod": {"start": "2026-12-01", "end": "2026-12-07"}}
BASE = {"kind": "clock", "dose": "1 tablet"}
NOW = {**BASE, "start_date": "2026-11-20"}
DEC = {**BASE, "start_date": "2026-12-01"}


def every(number: float, unit: str, **more: object) -> Json:
    return {"frequency": 1, "period": number, "periodUnit": unit, **more}


BY_CLOCK: list[tuple[str, Json, Json]] = [
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
]
