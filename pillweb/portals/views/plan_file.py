"""A patient's plans as a file that other systems read."""

import json
from datetime import date

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.zones import local, zone
from pillweb.medications.rules import unit_of
from pillweb.schedules.queries import ListedMedication, medicines_of
from pillweb.schedules.rules.fhir.export import Told, bundle_text, resource_of
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

plan_file = Blueprint("plan_file", __name__)


@plan_file.get("/patients/<int:patient_id>/medicines.fhir.json")
def show_plan_file(patient_id: int) -> ResponseReturnValue:
    """Give out the medicines and their plans as one FHIR R4 Bundle."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    today = local(now(), zone(door.zone)).date()
    told = [_told(one, door, today) for one in medicines_of(session(), patient_id)]
    return Response(
        bundle_text([resource_of("MedicationStatement", one) for one in told]),
        mimetype="application/fhir+json",
        headers={"Content-Disposition": 'attachment; filename="medicines.fhir.json"'},
    )


def _told(found: ListedMedication, door: Door, today: date) -> Told:
    row = found.medication
    return Told(
        identity=f"medicine-{row.id}",
        medicine=f"{row.name} {row.strength}".strip(),
        status="stopped" if row.stopped_at else "active",
        lines=[line_from_json(rule) for rule in found.rules],
        zone=zone(door.zone),
        unit=unit_of(row.form),
        subject=f"Patient/{door.patient_id}",
        said_on=today,
        instruction=row.instruction,
        reason=row.reason,
        codings=json.loads(row.codes) if row.codes else (),
    )
