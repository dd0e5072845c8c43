"""Whole files: who is meant by a reference, what is none, what is being taken."""

from typing import Any

import pytest

from tests.schedules.fhir.samples import (
    EIGHT,
    START,
    Json,
    bundle,
    dosage,
    read,
    request,
    statement,
)

MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "Ramipril"}}


def pointing(reference: str, **more: object) -> Json:
    given = request(dosage(EIGHT), **more)
    del given["medicationCodeableConcept"]
    return {**given, "medicationReference": {"reference": reference}}


def with_address(resource: Json, address: str) -> Json:
    return {"fullUrl": address, "resource": resource}


@pytest.mark.parametrize(
    ("reference", "own", "address"),
    [
        ("urn:uuid:1f", "urn:uuid:2f", "urn:uuid:1f"),
        ("Medication/m1", "https://a.example/MedicationRequest/one", ""),
        (
            "Medication/m1",
            "https://a.example/fhir/MedicationRequest/one",
            "https://a.example/fhir/Medication/m1",
        ),
        (
            "https://a.example/fhir/Medication/m1",
            "urn:uuid:2f",
            "https://a.example/fhir/Medication/m1",
        ),
        ("Medication/m1/_history/3", "", ""),
    ],
)
def test_a_reference_finds_its_medicine(reference: str, own: str, address: str) -> None:
    given: Json = {
        "resourceType": "Bundle",
        "entry": [
            with_address(pointing(reference), own),
            with_address(MEDICATION, address),
        ],
    }
    (reading,) = read(given)
    assert (reading.medication, reading.missing) == ("Ramipril", ())


def test_a_contained_medicine_is_found_and_a_lost_one_is_told() -> None:
    contained = {**MEDICATION, "id": "c"}
    (found,) = read(pointing("#c", contained=[contained]))
    assert found.medication == "Ramipril"
    (lost,) = read(pointing("Medication/nowhere"))
    assert (lost.medication, lost.missing) == ("", ("medication",))
    shown = pointing("Medication/nowhere")
    shown["medicationReference"]["display"] = "Ramipril 5 mg"
    assert read(shown)[0].medication == "Ramipril 5 mg"


def test_two_medicines_of_one_name_are_neither() -> None:
    other = {**MEDICATION, "code": {"text": "Warfarin"}}
    (reading,) = read(bundle(pointing("Medication/m1"), MEDICATION, other))
    assert reading.missing == ("medication",)


@pytest.mark.parametrize(
    "coding",
    [
        {"system": "http://snomed.info/sct", "code": "787481004"},
        {
            "system": "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
            "code": "no-known-medications",
        },
        {
            "system": "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
            "code": "no-medication-info",
        },
    ],
)
def test_no_known_medicine_is_no_medicine(coding: Json) -> None:
    none = statement()
    none["medicationCodeableConcept"] = {"coding": [coding]}
    assert read(bundle(none)) == []


def test_a_medicine_without_any_dosage_is_not_lost() -> None:
    given = statement()
    del given["dosage"]
    (reading,) = read(given)
    assert (reading.index, reading.line) == (0, None)
    assert reading.missing == ("timing", "dose")


def test_other_resources_are_passed_over() -> None:
    patient = {"resourceType": "Patient", "id": "ada"}
    assert read(bundle(patient)) == []
    assert read({"resourceType": "Bundle", "type": "searchset"}) == []


@pytest.mark.parametrize(
    ("more", "taken", "checked"),
    [
        ({}, True, False),
        ({"intent": "plan"}, False, False),
        ({"intent": "plan", "reportedBoolean": True}, True, False),
        ({"intent": "plan", "reportedReference": {"reference": "P/1"}}, True, False),
        ({"intent": "proposal"}, False, False),
        ({"intent": "filler-order"}, True, False),
        ({"status": "on-hold"}, False, False),
        ({"status": "stopped"}, False, False),
        ({"status": "completed"}, False, False),
        ({"status": "cancelled"}, False, False),
        ({"status": "draft"}, False, False),
        ({"status": "unknown"}, False, True),
        ({"status": "entered-in-error"}, False, True),
        ({"status": "Active"}, False, True),
        ({"doNotPerform": True}, False, True),
        ({"doNotPerform": False}, True, False),
    ],
)
def test_only_what_is_being_taken_may_start(
    more: dict[str, Any], taken: bool, checked: bool
) -> None:
    (reading,) = read(request(dosage(EIGHT), **more))
    assert (reading.may_start_reminders, reading.needs_checking) == (taken, checked)
    assert taken or reading.reasons


@pytest.mark.parametrize(
    "repeat",
    [
        {**EIGHT, "boundsPeriod": {"start": "2026-01-01", "end": "2026-02-01"}},
        {**EIGHT, "count": 3, "boundsPeriod": {"start": "2026-01-01"}},
    ],
)
def test_what_is_over_does_not_start(repeat: Json) -> None:
    (reading,) = read(request(dosage(repeat)))
    assert (reading.needs_checking, reading.may_start_reminders) == (False, False)
    assert reading.reasons == ("Its doses are over.",)


def test_the_period_of_a_statement_bounds_its_dosage() -> None:
    period = {"start": "2026-12-01", "end": "2026-12-31"}
    (reading,) = read(statement(dosage(EIGHT), effectivePeriod=period))
    assert reading.line is not None
    assert str(reading.line.start_date) == "2026-12-01"
    assert str(reading.line.end_date) == "2026-12-31"
    assert reading.missing == ()
    early = {**EIGHT, "boundsPeriod": {"start": "2026-11-01"}}
    late = {**EIGHT, "boundsPeriod": {**START, "end": "2027-01-01"}}
    for repeat in (early, late):
        (reading,) = read(statement(dosage(repeat), effectivePeriod=period))
        assert reading.needs_checking


def test_the_newer_standard_is_not_taken_for_this_one() -> None:
    given = statement(dosage(EIGHT, asNeeded=True))
    given["medication"] = {"concept": {"text": "Ramipril"}}
    del given["medicationCodeableConcept"]
    (reading,) = read(given)
    assert reading.medication == "Ramipril"
    assert {"medication", "timing"} <= set(reading.missing)
    assert reading.line is None
