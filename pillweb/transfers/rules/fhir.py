"""Everything of a patient as FHIR R4 resources, in one Bundle.

What is planned is written by `schedules.rules.fhir.export`, so that our own importer
reads it. One recorded dose, or one intake, is one MedicationAdministration; a dose
without a record is none, for nobody knows what became of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from pillweb.base.zones import Zone
from pillweb.doses.rules.days import PART, TAKEN
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.fhir.export import Kind, Told, resource_of
from pillweb.schedules.rules.fhir.quantity import plain
from pillweb.schedules.rules.fhir.written import Json, json_text, quantity
from pillweb.schedules.rules.line import Dose, Line

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
        }
        planned: Json = {"text": f"Planned for {dose['due_at']}."}
        if is_given:
            much = dose["taken_amount"], dose["dose_text"], medicine.unit
            said |= _how_much(*much, planned)
        else:
            why = dose["skip_reason"] or dose["state"]
            said |= {"statusReason": [{"text": why}], "note": [planned]}
        return self.administration(f"dose-{dose['id']}", medicine, said)

    def of_intake(self, intake: Mapping[str, Any], medicine: Shown) -> Json:
        """Return an intake that no dose was planned for."""
        is_undone = intake["undone_at"] is not None
        said: Json = {
            "status": "entered-in-error" if is_undone else "completed",
            "effectiveDateTime": intake["taken_at"],
        }
        said |= _how_much(intake["amount"], intake["dose_text"], medicine.unit)
        return self.administration(f"intake-{intake['id']}", medicine, said)


def _how_much(amount: str | None, words: str | None, unit: str, *notes: Json) -> Json:
    """Return the dosage, which must say a number (rule mad-1); else words in a note.

    `unit` is the medicine's, for words that name none.
    """
    dose, told = _read(words), Json()
    value = Decimal(amount) if amount else dose.amount
    if value is not None and (unit := dose.unit or unit):
        text = f"{words or plain(value)} {'' if dose.unit else unit}".strip()
        if words and dose.amount != value:
            text += f" ({plain(value)} taken)"
        told["dosage"] = {"text": text, "dose": quantity(value, unit)}
    elif said := words or amount:
        notes = (*notes, {"text": f"Taken: {said}."})
    return told | ({"note": [*notes]} if notes else {})


def _read(words: str | None) -> Dose:
    """Return what an amount in words means; one of elsewhere may mean nothing here."""
    try:
        return read_dose(words or "")
    except ValueError:
        return Dose(words or "")
