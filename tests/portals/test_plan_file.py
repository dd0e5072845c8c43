"""A patient's plans as FHIR, given out and read again."""

from datetime import datetime

from flask import Flask

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.schedules.actions import set_plan
from pillweb.schedules.rules.fhir.reader import read_fhir
from pillweb.schedules.rules.line_json import line_from_json
from tests.world import World, signed_in

ARABIC = "باراسيتامول"


def test_the_plans_come_back_from_their_file(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    day = f"{now:%Y-%m-%d}"
    line = line_from_json(
        {"kind": "clock", "start_date": day, "times": ["08:00"], "dose": "1/2 tablet"}
    )
    with db.transaction() as session:
        row = session.get_one(Medication, world.medication)
        row.name, row.instruction, row.form = ARABIC, "With water", "tablet"
        row.codes = '[{"system": "http://snomed.info/sct", "code": "387517004"}]'
        set_plan(session, row, lines=[line], author_id=world.rosa, now=now)
    client = signed_in(app, world.rosa, now=now)
    listed = f"/patients/{world.patient}/medicines"
    assert f"{listed}.fhir.json" in client.get(listed).text
    answer = client.get(f"{listed}.fhir.json")
    assert answer.mimetype == "application/fhir+json"
    assert "attachment" in answer.headers["Content-Disposition"]
    (reading,) = read_fhir(answer.text, now.date())
    assert reading.resource == f"MedicationStatement/medicine-{world.medication}"
    assert reading.medication.startswith(ARABIC)
    assert (reading.missing, reading.status) == ((), "active")
    assert reading.may_start_reminders
    assert reading.line is not None
    assert reading.line.dose is not None
    assert reading.line.dose.text == "0.5 tablet"
    assert '"code": "387517004"' in answer.text


def test_a_stopped_medicine_is_told_as_stopped(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        session.get_one(Medication, world.medication).stopped_at = now
    client = signed_in(app, world.rosa, now=now)
    answer = client.get(f"/patients/{world.patient}/medicines.fhir.json")
    (reading,) = read_fhir(answer.text, now.date())
    assert reading.status == "stopped"
    assert not reading.may_start_reminders
