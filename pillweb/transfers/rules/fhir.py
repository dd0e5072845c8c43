"""Everything of a patient as FHIR R4 resources, in one Bundle.

What is planned is written by `schedules.rules.fhir.export`, so that our own importer
reads it. One recorded dose, or one intake, is one MedicationAdministration; a dose
without a record is none, for nobody knows what became of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from pillweb.base.zones import Zone
from pillweb.doses.rules.days import PART, TAKEN
from pillweb.schedules.rules.fhir.export import Kind, Told, resource_of
from pillweb.schedules.rules.fhir.written import Json, json_text
from pillweb.schedules.rules.line import Line

GIVEN = frozenset({TAKEN, PART})


@dataclass(frozen=True, slots=True)
class Shown:
    """A medicine, as resources about it name it."""

    number: int
    name: str
    unit: str
    reason: str = ""
    instruction: str = ""
    codings: Sequence[Json] = ()
    is_stopped: bool = False

    @property
    def concept(self) -> Json:
        """The medicine as a CodeableConcept."""
        coded: Json = {"coding": list(self.codings)} if self.codings else {}
        return coded | {"text": self.name}


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file: resources that name each other by addresses of this file alone."""

    file: UUID
    patient: int
    zone: Zone

    def url(self, kind: str, number: int) -> str:
        """Return the address of a resource."""
        return uuid5(self.file, f"{kind}/{number}").urn

    def link(self, kind: str, number: int) -> Json:
        """Return a Reference to a resource."""
        return {"reference": self.url(kind, number)}

    @property
    def subject(self) -> Json:
        """The Reference to whom all of it is about."""
        return self.link("Patient", self.patient)

    def entry(self, kind: str, number: int, resource: Json) -> str:
        """Return one entry as JSON."""
        return json_text({"fullUrl": self.url(kind, number), "resource": resource})

    def planned(
        self,
        kind: Kind,
        number: int,
        medicine: Shown,
        *,
        lines: Sequence[Line],
        status: str,
        said_on: date,
    ) -> Json:
        """Return a version of a plan, or how a medicine is taken now."""
        told = Told(
            identity=f"{kind.lower()}-{number}",
            medicine=medicine.name,
            status=status,
            lines=lines,
            zone=self.zone,
            unit=medicine.unit,
            subject=self.url("Patient", self.patient),
            said_on=said_on,
            instruction=medicine.instruction,
            reason=medicine.reason,
            codings=medicine.codings,
        )
        return resource_of(kind, told)

    def administration(self, identity: str, medicine: Shown, said: Json) -> Json:
        """Return what became of one dose, or one intake."""
        return {
            "resourceType": "MedicationAdministration",
            "id": identity,
            "medicationCodeableConcept": medicine.concept,
            "subject": self.subject,
            **said,
        }

    def of_dose(self, dose: Mapping[str, Any], medicine: Shown) -> Json:
        """Return a recorded dose, given in the values of its row in the file."""
        is_given = dose["state"] in GIVEN
        said: Json = {
            "status": "completed" if is_given else "not-done",
            "effectiveDateTime": dose["taken_at"] or dose["due_at"],
            "request": self.link("MedicationRequest", dose["plan"]),
            "note": [{"text": f"Planned for {dose['due_at']}."}],
        }
        if not is_given:
            said["statusReason"] = [{"text": dose["skip_reason"] or dose["state"]}]
        elif amount := _amount(dose["taken_amount"], dose["dose_text"]):
            said["dosage"] = amount
        return self.administration(f"dose-{dose['id']}", medicine, said)

    def of_intake(self, intake: Mapping[str, Any], medicine: Shown) -> Json:
        """Return an intake that no dose was planned for."""
        is_undone = intake["undone_at"] is not None
        said: Json = {
            "status": "entered-in-error" if is_undone else "completed",
            "effectiveDateTime": intake["taken_at"],
        }
        if amount := _amount(intake["amount"], intake["dose_text"]):
            said["dosage"] = amount
        return self.administration(f"intake-{intake['id']}", medicine, said)


def _amount(amount: str | None, words: str | None) -> Json | None:
    """Return how much was taken; a number that is not the plan's stands first."""
    told = words or amount
    if told is None:
        return None
    also = f" ({amount} taken)" if amount and words and amount != words else ""
    return {"text": told + also}
