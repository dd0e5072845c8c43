"""What is in the file: everything of one person, and nothing of anybody else."""

import csv
import json
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from pillweb.base.db import Base, Database
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import RECORDED
from pillweb.medications.actions import show_looks
from pillweb.medications.models import Medication
from pillweb.papers.actions import want_paper
from pillweb.patients.models import Patient
from pillweb.reports.models import Report
from pillweb.schedules.rules.fhir.reader import read_fhir
from pillweb.transfers.queries.rows import MODELS
from pillweb.transfers.rules.csv_files import csv_cell
from pillweb.transfers.rules.reading import read_archive
from pillweb.transfers.rules.rows import HORIZON, PATIENT, ROWS, WISHES, schema
from tests.services import ROOT
from tests.supply.cupboard import Cupboard
from tests.transfers.lives import Life, brought, taken_out
from tests.world import World, make_patient, prescribe

PNG = BytesIO()
Image.new("RGB", (64, 64), "red").save(PNG, "PNG")
# Columns that go along in no file, and why.
LEFT_OUT = {
    "patient_id": "the file is about one",
    "owner_id": "says of an account what it agreed to",
    "key": "addresses of pages here",
    "kind": "as `rule` says",
    "whole": "stands beside it as a picture",
    "small": "made of the whole one",
    "picture_key": "made anew",
    "import_key": "only this installation can compare it",
    "later_until": "about reminders, which are not brought in",
    "press": "forms that were pressed here",
    "check_at": "worked out anew",
    "reminded_at": "about reminders",
    "seen_event_id": "as `after_event`",
    "is_demo": "nobody brought in is of the demo",
    "plan_revision": "counts here alone; `is_current` says what matters",
    "account_id": "a patient has none",
    "mark": "made anew: never given twice",
    "leaves_at": "about leaving here",
    "kept_in_at": "about sharing here, which is not brought in",
}


@pytest.fixture
def life(session: Session, now: datetime) -> Life:
    """Somebody with a bit of everything."""
    told = Life(session, now - timedelta(days=5))
    for deed in ("receive", "take", "extra", "undo", "travel", "part", "sleep", "skip"):
        told.tell(deed, 0, 1)
        told.tell(deed, 1, 0)
    return told


def opened(raw: bytes) -> ZipFile:
    return ZipFile(BytesIO(raw))


def told_of(life: Life) -> tuple[ZipFile, dict[str, Any]]:
    raw = taken_out(life.own.session, life.own.patient.id, now=life.own.now)
    return opened(raw), json.loads(opened(raw).read("pillweb.json"))


def table(file: ZipFile, name: str) -> list[dict[str, str]]:
    text = file.read(name).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text[1:], newline="")))


def columns(row: type[Base]) -> set[str]:
    return {column.key for column in sa.inspect(row).columns}


def test_every_column_is_in_the_file_or_left_out_for_a_reason() -> None:
    """A new column fails here until somebody says whether it comes along."""
    for kind, row in MODELS.items():
        said = {one.column for one in ROWS[kind]}
        assert columns(row) - said - {"id"} <= LEFT_OUT.keys(), kind
        assert said <= columns(row), kind
    for row, fields in ((Patient, PATIENT),):
        said = {one.column for one in fields}
        assert columns(row) - said - {"id"} <= LEFT_OUT.keys()
    assert {one.column for one in WISHES} | {one.column for one in HORIZON}


def keys_of(told: dict[str, Any]) -> set[str]:
    return set(told["properties"])


def test_the_file_is_as_its_schema_says(life: Life) -> None:
    _, told = told_of(life)
    said = schema()
    properties: Any = said["properties"]
    assert told.keys() == properties.keys() == set(said["required"])  # type: ignore[call-overload]
    for kind in ROWS:
        for row in told[kind]:
            assert row.keys() == keys_of(properties[kind]["items"]), kind
    assert told["patient"].keys() == keys_of(properties["patient"])


def test_the_schema_in_the_docs_is_the_one_of_the_code() -> None:
    """What others read by may not change unseen: `make docs`, and a new VERSION."""
    kept = ROOT / "docs" / "pillweb.schema.json"
    assert json.loads(kept.read_text("utf-8")) == json.loads(json.dumps(schema()))


def test_tables_and_resources_agree_with_the_data(life: Life) -> None:
    file, told = told_of(life)
    for kind in ("medicines", "plans", "doses", "events", "intakes", "supply"):
        rows = table(file, f"{kind}.csv")
        assert [row["id"] for row in rows] == [str(row["id"]) for row in told[kind]]
    assert {row["medicine_name"] for row in table(file, "doses.csv")} == {
        "A 5 mg",
        "B 5 mg",
    }
    fhir = json.loads(file.read("fhir.json"))
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in fhir["entry"]:
        kind = entry["resource"]["resourceType"]
        found.setdefault(kind, []).append(entry["resource"])
    recorded = [row for row in told["doses"] if row["state"] in RECORDED]
    given = found["MedicationAdministration"]
    assert len(given) == len(recorded) + len(told["intakes"])
    assert len(found["MedicationRequest"]) == len(told["plans"])
    assert len(found["MedicationStatement"]) == len(told["medicines"])
    assert len(found["Patient"]) == len(found["Provenance"]) == 1
    statuses = {one["status"] for one in given}
    assert statuses == {"completed", "not-done"}


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if "reference" in value else []
        return own + [one for some in value.values() for one in references(some)]
    if isinstance(value, list):
        return [one for some in value for one in references(some)]
    return []


def test_every_reference_of_the_bundle_is_to_something_in_it(life: Life) -> None:
    file, _ = told_of(life)
    bundle = json.loads(file.read("fhir.json"))
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert set(references(bundle)) <= set(urls)
    ids = [
        (entry["resource"]["resourceType"], entry["resource"].get("id"))
        for entry in bundle["entry"]
    ]
    assert len(set(ids)) == len(ids)


def test_pictures_and_reports_are_in_it_and_codes_are_not(
    session: Session, life: Life, now: datetime
) -> None:
    pills = session.get_one(Medication, life.pills[0].id)
    show_looks(session, pills, whole=_jpeg(), crop="middle", now=now)
    session.add(_report(session, life.own.patient.id, now=now))
    sheet = want_paper(
        session,
        session.get_one(Patient, life.own.patient.id),
        kind="week",
        first=now.date(),
        clocks=["08:00"],
        show_names=False,
        look="",
        made_by_id=None,
        now=now,
    )
    sheet.state, sheet.pdf = "ready", b"%PDF with codes"
    file, _ = told_of(life)
    pdf = [name for name in file.namelist() if name.startswith("reports/")]
    assert [file.read(name) for name in pdf] == [b"%PDF report"]
    assert file.read(f"pictures/{pills.id}.jpg")[:2] == b"\xff\xd8"
    assert b"with codes" not in b"".join(file.read(name) for name in file.namelist())
    raw = taken_out(session, life.own.patient.id, now=life.own.now)
    there = brought(session, raw, now=life.own.now)
    found = session.scalars(
        sa.select(Medication).where(Medication.patient_id == there)
    ).all()
    assert [one.picture_key is not None for one in found] == [True, False]
    assert found[0].picture_key != pills.picture_key


def _jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (300, 300), "white").save(out, "JPEG")
    return out.getvalue()


def _report(session: Session, patient_id: int, *, now: datetime) -> Report:
    from_order = sa.text(
        "insert into report_order (patient_id, doctor_name, email, every, language,"
        " created_at) values (:p, :n, :n, 'never', 'en', :at) returning id"
    )
    values = {"p": patient_id, "n": b"", "at": now}
    return Report(
        patient_id=patient_id,
        order_id=session.scalar(from_order, values),
        occasion="once",
        first_on=now.date(),
        last_on=now.date(),
        state="ready",
        created_at=now,
        pdf=b"%PDF report",
    )


def test_nobody_else_is_in_it(db: Database, world: World, now: datetime) -> None:
    """No addresses, no secrets, no other patient; helpers by name only (58)."""
    with db.standing_still() as session:
        raw = taken_out(session, world.patient, now=now)
    file = opened(raw)
    everything = b"\n".join(file.read(name) for name in file.namelist()).decode()
    assert "Rosa" in everything
    assert "Amlodipine" in everything
    for secret in ("@family.example", "Bruno", "Eve", world.link_token, "clinic"):
        assert secret not in everything


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\0=1"]


@pytest.mark.parametrize("words", FORMULAS)
def test_no_cell_is_a_formula(words: str) -> None:
    """What people typed never begins as a formula does (8)."""
    cell = csv_cell(words)
    assert cell[0] == "'"
    assert "\0" not in cell


def test_what_people_typed_stays_in_its_cell(session: Session, now: datetime) -> None:
    """Quotes, commas and line ends of a name make no other cells (8)."""
    name = '=HYPERLINK("http://evil.example","Ana"),\nx'
    patient = make_patient(session, now=now)
    prescribe(session, patient, "08:00", now=now, name=name)
    rows = table(opened(taken_out(session, patient.id, now=now)), "medicines.csv")
    assert [row["name"] for row in rows] == [f"'{name}"]


def test_our_own_importer_reads_the_plans(life: Life) -> None:
    file, told = told_of(life)
    text = file.read("fhir.json").decode()
    found = read_fhir(text, life.own.now.date(), "Europe/London")
    assert len(found) >= len(told["medicines"])


def test_what_is_recorded_while_it_is_written_is_not_half_in_it(
    db: Database, world: World, now: datetime
) -> None:
    with db.standing_still() as session:
        before = session.scalars(sa.select(Dose.state)).all()
        with db.transaction() as other:
            own = Cupboard(other, other.get_one(Patient, world.patient), now)
            assert own.take(own.doses()[0].id)
        raw = taken_out(session, world.patient, now=now)
        assert session.scalars(sa.select(Dose.state)).all() == before
    found = read_archive(raw)
    assert not found.rows["events"]
    assert {values["state"] for _, values in found.rows["doses"]} == {"open"}
