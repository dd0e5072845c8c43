"""Dosages of which no line can be made: name, Dosage and what is missing."""

from tests.schedules.fhir.samples import (
    DOSE,
    EIGHT,
    FIRST,
    FROM,
    NEEDED,
    PRN,
    TABLET,
    TWICE,
    UCUM,
    Json,
    days,
    dosage,
    most,
)


def quantity(**more: object) -> Json:
    return {"doseAndRate": [{"doseQuantity": {**TABLET, **more}}]}


def often(frequency: float, period: float, unit: str, **more: object) -> Json:
    rhythm = {"frequency": frequency, "period": period, "periodUnit": unit}
    return {**rhythm, **more}


NO_LINE: list[tuple[str, Json, set[str]]] = [
    ("nothing", dosage(None, doseAndRate=None), {"dose", "timing"}),
    ("empty timing", dosage({}), {"timing"}),
    ("3 times a day", dosage(often(3, 1, "d")), {"times"}),
    ("once a day", dosage(often(1, 1, "d")), {"times"}),
    ("weekdays without a time", dosage({"dayOfWeek": ["mon"]}), {"times"}),
    ("every 8 hours from when?", dosage(often(1, 8, "h")), {"first"}),
    ("every 8 hours from a day", dosage(often(1, 8, "h", **FROM)), {"first"}),
    (
        "alternate days from when?",
        dosage({**EIGHT, **often(1, 2, "d")}),
        {"start_date"},
    ),
    ("weekly from when?", dosage({**EIGHT, **often(1, 1, "wk")}), {"start_date"}),
    ("monthly from when?", dosage({**EIGHT, **often(1, 1, "mo")}), {"start_date"}),
    (
        "for 7 days from when?",
        dosage({**EIGHT, "boundsDuration": days(7)}),
        {"start_date"},
    ),
    ("14 doses from when?", dosage({**EIGHT, "count": 14}), {"start_date"}),
    ("twice a week", dosage({**EIGHT, **FROM, **often(2, 1, "wk")}), {"times"}),
    ("twice a week, no days", dosage({**FROM, **often(2, 1, "wk")}), {"times", "days"}),
    ("morning", dosage({"when": ["MORN"]}), {"times"}),
    ("early evening", dosage({"when": ["EVE.early"]}), {"times"}),
    ("night", dosage({"when": ["NIGHT"]}), {"times"}),
    ("with some meal", dosage({"when": ["C"]}), {"times"}),
    ("before meals", dosage({"when": ["AC"], "offset": 30}), {"times"}),
    ("before breakfast, how long?", dosage({"when": ["ACM"]}), {"times"}),
    ("30 minutes and bedtime", dosage({"when": ["HS"], "offset": 30}), {"times"}),
    ("offset with a meal (tim-9)", dosage({"when": ["CM"], "offset": 30}), {"times"}),
    ("offset alone (tim-9)", dosage({**EIGHT, "offset": 30}), {"times"}),
    ("times and meals (tim-10)", dosage({**EIGHT, "when": ["HS"]}), {"times"}),
    ("a code unknown", dosage({"when": ["TEATIME"]}), {"times"}),
    ("twice a day, one time", dosage({**EIGHT, **often(2, 1, "d")}), {"times"}),
    ("once a day, two times", dosage({**TWICE, **often(1, 1, "d")}), {"times"}),
    (
        "a period means once",
        dosage({**TWICE, "period": 1, "periodUnit": "d"}),
        {"times"},
    ),
    (
        "two a week, three days",
        dosage({**EIGHT, **often(2, 1, "wk"), "dayOfWeek": ["mon", "wed", "fri"]}),
        {"times"},
    ),
    (
        "days and every 2 days",
        dosage({**EIGHT, **FROM, **often(1, 2, "d"), "dayOfWeek": ["tue"]}),
        {"days"},
    ),
    (
        "days and a month",
        dosage({**EIGHT, **FROM, **often(1, 1, "mo"), "dayOfWeek": ["tue"]}),
        {"days"},
    ),
    (
        "fortnight not from its day",
        dosage({**EIGHT, **FROM, **often(1, 2, "wk"), "dayOfWeek": ["mon"]}),
        {"start_date"},
    ),
    ("3 times in 2 days", dosage({**EIGHT, **FROM, **often(3, 2, "d")}), {"times"}),
    ("hours and a time", dosage({**EIGHT, **FIRST, **often(1, 24, "h")}), {"timing"}),
    ("hours and a meal", dosage({"when": ["HS"], **often(1, 6, "h")}), {"timing"}),
    ("twice in 8 hours", dosage({**FIRST, **often(2, 8, "h")}), {"timing"}),
    ("half a day", dosage({**EIGHT, **FROM, **often(1, 0.5, "d")}), {"days"}),
    ("period 0", dosage({**EIGHT, **often(1, 0, "d")}), {"timing", "days"}),
    ("period below 0", dosage(often(1, -8, "h", **FIRST)), {"timing"}),
    (
        "period as text",
        dosage({**EIGHT, **often(1, 1, "d"), "period": "1"}),
        {"timing"},
    ),
    ("unit unknown", dosage({**EIGHT, **often(1, 1, "fortnight")}), {"timing"}),
    ("no unit", dosage({**EIGHT, "frequency": 1, "period": 1}), {"timing"}),
    ("no period", dosage({**EIGHT, "frequency": 1}), {"timing"}),
    ("periodMax", dosage({**EIGHT, **FROM, **often(1, 2, "d", periodMax=3)}), {"days"}),
    ("every 4 to 6 hours", dosage({**FIRST, **PRN}), {"days"}),
    ("frequencyMax", dosage({**EIGHT, **often(1, 1, "d", frequencyMax=2)}), {"times"}),
    ("countMax", dosage({**EIGHT, **FROM, "count": 3, "countMax": 5}), {"count"}),
    ("duration", dosage({**EIGHT, "duration": 12, "durationUnit": "h"}), {"timing"}),
    (
        "days of the month",
        dosage(
            {
                **EIGHT,
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/timing-dayOfMonth",
                        "valuePositiveInt": 1,
                    }
                ],
            }
        ),
        {"timing"},
    ),
    ("an unknown element", dosage({**EIGHT, "tolerance": 5}), {"timing"}),
    ("time as text", dosage({"timeOfDay": "08:00:00"}), {"times", "timing"}),
    ("not a time", dosage({"timeOfDay": ["8am"]}), {"times", "timing"}),
    ("24:00", dosage({"timeOfDay": ["24:00:00"]}), {"times", "timing"}),
    ("seconds", dosage({"timeOfDay": ["08:00:30"]}), {"times", "timing"}),
    ("a time twice", dosage({"timeOfDay": ["08:00:00", "08:00:00"]}), {"times"}),
    ("a day twice", dosage({**EIGHT, "dayOfWeek": ["mon", "mon"]}), {"days"}),
    ("no day", dosage({**EIGHT, "dayOfWeek": ["Monday"]}), {"days"}),
    ("no dose", dosage(EIGHT, doseAndRate=None), {"dose"}),
    ("dose as an object", dosage(EIGHT, doseAndRate=DOSE[0]), {"dose"}),
    (
        "dose without a unit",
        dosage(EIGHT, doseAndRate=[{"doseQuantity": {"value": 1}}]),
        {"dose"},
    ),
    ("a tablet for each kg", dosage(EIGHT, **quantity(unit="mg/kg")), {"dose"}),
    ("a spoon of 5 ml", dosage(EIGHT, **quantity(unit="5 ml spoon")), {"dose"}),
    ("a day as a dose", dosage(EIGHT, **quantity(unit="days")), {"dose"}),
    ("a dose of 1", dosage(EIGHT, **quantity(unit="1", system=None)), {"dose"}),
    ("dose as text", dosage(EIGHT, **quantity(value="1")), {"dose"}),
    ("dose 0", dosage(EIGHT, **quantity(value=0)), {"dose"}),
    ("dose below 0", dosage(EIGHT, **quantity(value=-1)), {"dose"}),
    ("dose up to", dosage(EIGHT, **quantity(comparator="<=")), {"dose"}),
    ("dose true", dosage(EIGHT, **quantity(value=True)), {"dose"}),
    ("dose enormous", dosage(EIGHT, **quantity(value=10**30)), {"dose"}),
    (
        "units differ",
        dosage(
            EIGHT,
            doseAndRate=[
                {"doseQuantity": {"value": 1, "unit": "g", "code": "mg", **UCUM}}
            ],
        ),
        {"dose"},
    ),
    (
        "a range each day",
        dosage(
            EIGHT,
            doseAndRate=[
                {"doseRange": {"low": TABLET, "high": {**TABLET, "value": 2}}}
            ],
        ),
        {"dose"},
    ),
    (
        "range upside down",
        dosage(
            PRN,
            **NEEDED,
            doseAndRate=[
                {"doseRange": {"low": {**TABLET, "value": 2}, "high": TABLET}}
            ],
        ),
        {"dose"},
    ),
    ("two doses", dosage(EIGHT, doseAndRate=[*DOSE, *DOSE]), {"dose"}),
    ("a rate", dosage(EIGHT, doseAndRate=[{"rateQuantity": TABLET}]), {"dose"}),
    ("needed at bedtime", dosage({"when": ["HS"]}, **NEEDED), {"times"}),
    ("needed at 8", dosage(EIGHT, **NEEDED), {"times"}),
    (
        "needed, two ways",
        dosage(PRN, asNeededBoolean=False, asNeededCodeableConcept={"text": "pain"}),
        {"timing"},
    ),
    ("needed, as text", dosage(PRN, asNeededBoolean="true"), {"timing", "days"}),
    (
        "most in another unit",
        dosage(PRN, **NEEDED, maxDosePerPeriod=most(4, "g")),
        {"max"},
    ),
    (
        "most in months",
        dosage(PRN, **NEEDED, maxDosePerPeriod=most(4, "tablet", 1, "mo")),
        {"max"},
    ),
    (
        "most below one dose",
        dosage(PRN, **NEEDED, **quantity(value=3), maxDosePerPeriod=most(2, "tablet")),
        {"max"},
    ),
    ("most below the plan", dosage(TWICE, maxDosePerPeriod=most(1, "tablet")), {"max"}),
    ("most for life", dosage(PRN, **NEEDED, maxDosePerLifetime=TABLET), {"max"}),
    (
        "shortest above longest",
        dosage({**PRN, "periodMax": 2}, **NEEDED),
        {"min_interval_minutes"},
    ),
    ("needed, 10 doses", dosage({**PRN, "count": 10}, **NEEDED), {"end_date"}),
    (
        "ends before it starts",
        dosage({**EIGHT, "boundsPeriod": {"start": "2026-12-07", "end": "2026-12-01"}}),
        {"end_date", "start_date"},
    ),
    (
        "over, from when?",
        dosage({**EIGHT, "boundsPeriod": {"end": "2026-01-01"}}),
        {"start_date"},
    ),
    (
        "ends at noon",
        dosage(
            {
                **TWICE,
                "boundsPeriod": {
                    "start": "2026-12-01",
                    "end": "2026-12-03T12:00:00+00:00",
                },
            }
        ),
        {"end_date"},
    ),
    (
        "bounds range",
        dosage({**EIGHT, "boundsRange": {"low": days(7), "high": days(10)}}),
        {"end_date"},
    ),
    ("two bounds", dosage({**EIGHT, **FROM, "boundsDuration": days(7)}), {"end_date"}),
    (
        "half a day of bounds",
        dosage({**EIGHT, "boundsDuration": days(0.5)}),
        {"start_date"},
    ),
    (
        "a month only",
        dosage({**EIGHT, "boundsPeriod": {"start": "2026-12"}}),
        {"start_date"},
    ),
    (
        "no such day",
        dosage({**EIGHT, "boundsPeriod": {"start": "2026-02-30"}}),
        {"start_date"},
    ),
]
