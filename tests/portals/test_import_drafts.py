"""`flask --app app schedules import FILE --patient ID`."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.models import Plan, PlanDraft
from pillweb.schedules.queries import answers_in
from tests.schedules.fhir.samples import SAMPLES, dosage, request
from tests.schedules.pages import count, newest_draft
from tests.world import World

FILES = sorted(path.name for path in SAMPLES.glob("*.json"))


def run(app: Flask, *arguments: object) -> Result:
    args: Sequence[str] = ["schedules", "import", *map(str, arguments)]
    return app.test_cli_runner().invoke(args=args)


@pytest.mark.parametrize("name", FILES)
def test_every_sample_becomes_drafts_once(
    name: str, app: Flask, world: World, db: Database, pinned: object
) -> None:
    kept = [count(db, row) for row in (Medication, Plan, Dose)]
    dry = json.loads(run(app, SAMPLES / name).output)
    drafts = 0 if name == "aups-noknownx.json" else 1
    for _ in range(2):
        result = run(app, SAMPLES / name, "--patient", world.patient)
        assert result.exit_code == 0, result.stderr
        told = json.loads(result.stdout)
        assert [one["resource"] for one in told] == [one["resource"] for one in dry]
        said = "1 medicine waits" if drafts else "0 medicines wait"
        assert result.stderr.startswith(said)
        assert count(db, PlanDraft) == drafts
    assert [count(db, row) for row in (Medication, Plan, Dose)] == kept


def test_the_patient_gives_the_zone(
    app: Flask,
    world: World,
    db: Database,
    tmp_path: Path,
    pinned: object,
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).zone = "America/New_York"
    given = dosage()
    given["timing"] = {"event": ["2026-12-20T03:00:00Z"]}
    file = tmp_path / "once.json"
    file.write_text(json.dumps(request(given)), "utf-8")
    (told,) = json.loads(run(app, file, "--patient", world.patient).stdout)
    assert told["line"]["at"] == "2026-12-19T22:00"
    row, answers = newest_draft(db)
    assert (row.source, row.account_id) == ("import", None)
    assert answers.parts[0].line["at"] == "2026-12-19T22:00"
    assert answers_in(row).medicine["name"] == "Amlodipine 5 mg tablet"


@pytest.mark.parametrize("number", ["9999", str(2**63 - 1)])
def test_an_unknown_patient_gets_a_sentence(
    app: Flask, world: World, db: Database, number: str
) -> None:
    result = run(app, SAMPLES / "nhs-simple1.json", "--patient", number)
    assert result.exit_code == 1
    assert result.stderr == f"Error: There is no patient with the number {number}.\n"
    assert count(db, PlanDraft) == 0


def test_a_bad_file_keeps_nothing(
    app: Flask, world: World, db: Database, tmp_path: Path
) -> None:
    file = tmp_path / "file.json"
    file.write_text("[]")
    result = run(app, file, "--patient", world.patient)
    assert result.exit_code == 1
    assert "not an object" in result.stderr
    assert count(db, PlanDraft) == 0


def test_a_zone_beside_a_patient_is_refused(app: Flask, world: World) -> None:
    file = SAMPLES / "nhs-simple1.json"
    result = run(app, file, "--patient", world.patient, "--zone", "Europe/London")
    assert result.exit_code == 2
