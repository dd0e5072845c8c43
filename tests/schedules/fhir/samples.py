"""Dosages and resources to try, made small."""

import json
from datetime import date
from typing import Any

from pillweb.schedules.rules.fhir.reader import Reading, read_fhir
from tests.services import ROOT

SAMPLES = ROOT / "tests/data/fhir"
TODAY = date(2026, 11, 20)
Json = dict[str, Any]
UCUM = {"system": "http://unitsofmeasure.org"}
TABLET = {
    "value": 1,
    "unit": "tablet",
    "system": "http://snomed.info/sct",
    "code": "428673006",
}
DOSE = [{"doseQuantity": TABLET}]
START = {"start": "2026-12-01"}
EIGHT = {"timeOfDay": ["08:00:00"]}
TWICE = {"timeOfDay": ["08:00:00", "20:00:00"]}
FROM = {"boundsPeriod": START}
FIRST = {"boundsPeriod": {"start": "2026-12-01T06:00:00+00:00"}}
PRN = {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}
NEEDED: Json = {"asNeededBoolean": True}


def days(number: float) -> Json:
    return {"value": number, "unit": "day", "code": "d", **UCUM}


def mg(number: float) -> list[Json]:
    return [{"doseQuantity": {"value": number, "unit": "mg", "code": "mg", **UCUM}}]


def most(number: float, unit: str, span: float = 24, of: str = "h") -> Json:
    return {
        "numerator": {"value": number, "unit": unit},
        "denominator": {"value": span, "unit": of, "code": of, **UCUM},
    }


def dosage(repeat: Json | None = None, **more: object) -> Json:
    """Return a Dosage of one tablet; a keyword of None leaves that element out."""
    given = {"timing": {"repeat": repeat}, "doseAndRate": DOSE, **more}
    if repeat is None:
        del given["timing"]
    return {key: value for key, value in given.items() if value is not None}


def request(*dosages: Json, **more: object) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": "one",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Amlodipine 5 mg tablet"},
        "subject": {"reference": "Patient/ada"},
        "dosageInstruction": list(dosages),
        **more,
    }


def statement(*dosages: Json, **more: object) -> Json:
    return {
        "resourceType": "MedicationStatement",
        "id": "two",
        "status": "active",
        "medicationCodeableConcept": {"text": "Bisoprolol 2.5 mg tablet"},
        "subject": {"reference": "Patient/ada"},
        "dosage": list(dosages),
        **more,
    }


def bundle(*resources: Json) -> Json:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def read(resource: Json, zone: str | None = None) -> list[Reading]:
    return read_fhir(json.dumps(resource), TODAY, zone)


def read_one(given: Json, zone: str | None = None) -> Reading:
    """Return the reading of one Dosage."""
    (reading,) = read(request(given), zone)
    return reading
