"""Dosages every so many hours or as needed that say everything."""

from tests.schedules.fhir.clean_by_clock import NOW, every
from tests.schedules.fhir.samples import (
    EIGHT,
    FIRST,
    NEEDED,
    PRN,
    TABLET,
    TWICE,
    UCUM,
    Json,
    dosage,
    mg,
    most,
)

Q8H = {"frequency": 1, "period": 8, "periodUnit": "h"}


def gram(number: float) -> list[Json]:
    return [{"doseQuantity": {"value": number, "unit": "g", "code": "g", **UCUM}}]


BY_HOURS: list[tuple[str, Json, Json]] = [
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
