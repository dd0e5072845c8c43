"""What is in the file: everything of one person, and nothing of anybody else."""

import csv
import json
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from migrations.tables import metadata
from pillweb.base.db import Base, Database, table_of
from pillweb.devices.actions.photos import keep_photo
from pillweb.devices.queries import photo_of
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
from pillweb.transfers.rules.fhir import _how_much
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


def test_how_much_was_taken_is_a_number_with_its_unit_or_a_note(life: Life) -> None:
    """Rule mad-1 of R4: a dosage has a dose or a rate; words alone are invalid."""
    file, _ = told_of(life)
    given = [
        one["resource"]
        for one in json.loads(file.read("fhir.json"))["entry"]
        if one["resource"]["resourceType"] == "MedicationAdministration"
        and one["resource"]["status"] != "not-done"
    ]
    amounts = {
        (one["dosage"]["text"], one["dosage"]["dose"]["value"])
        for one in given
        if "dosage" in one
    }
    assert ("1 tablet", 1) in amounts
    assert {one["dosage"]["dose"]["unit"] for one in given if "dosage" in one} == {
        "tablet"
    }
    assert all("dosage" in one or one["note"] for one in given)


@pytest.mark.parametrize(
    ("amount", "words", "told"),
    [
        ("1", None, {"text": "1 tablet", "value": 1}),
        ("0.5", "1", {"text": "1 tablet (0.5 taken)", "value": Decimal("0.5")}),
        (None, "1/2 tablet", {"text": "1/2 tablet", "value": Decimal("0.5")}),
        (None, "1/3 tablet", None),
        (None, "apply", None),
        (None, " ", None),
    ],
)
def test_each_amount_is_told_as_exactly_as_it_is_known(
    amount: str | None, words: str | None, told: dict[str, Any] | None
) -> None:
    said = _how_much(amount, words, "tablet")
    if told is None:
        assert said == {"note": [{"text": f"Taken: {words}."}]}
    else:
        dose = {"value": told["value"], "unit": "tablet"}
        assert said == {"dosage": {"text": told["text"], "dose": dose}}


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
        sa.select(Medication)
        .where(Medication.patient_id == there)
        .order_by(Medication.id)
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


@pytest.mark.parametrize(
    ("quantity", "cell"),
    [(Fraction(1, 2), "0.5"), (Fraction(-29, 2), "-14.5"), (Fraction(3), "3.0")],
)
def test_a_quantity_is_a_number_in_every_spreadsheet(
    quantity: Fraction, cell: str
) -> None:
    """They read 1/2 as a day of January, and -1/2 as a formula (8)."""
    assert csv_cell(quantity) == cell


def test_the_photo_of_the_person_comes_along(life: Life) -> None:
    own = life.own
    facts: dict[str, Any] = {"photo": _jpeg(), "now": own.now}
    keep_photo(own.session, patient_id=own.patient.id, **facts)
    raw = taken_out(own.session, own.patient.id, now=own.now)
    new = brought(own.session, raw, now=own.now)
    kept = photo_of(own.session, new)
    assert kept is not None
    assert kept.photo.startswith(b"\xff\xd8")


# What goes along under another name, is made anew there, or is of this house alone.
ALONG = {"preference", "horizon", "report", "paper", "past_entry", "patient_photo"}
OF_THIS_HOUSE = {"audit_entry", "audit_head", "data_key", "set_up", "taken_out"}
# Named under "Not in it" in docs/export.md.
NOT_IN_IT = {
    "addresses": {"contact_point", "unreachable", "digest_clock"},
    "secrets": {"device_place", "device_pairing"},
    "links and grants": {
        *("share_link", "feed_link", "reminder_link"),
        *("access_grant", "invitation", "asking_code"),
    },
    "weekly sheets": {"paper_code"},
    "begun and not started": {"plan_draft"},
    "messages that were": {"reminder", "delivery", "replay"},
    "from whom a medicine is": {"hidden_medication"},
    "report_order": {"report_order"},
}


def test_every_table_of_a_patient_comes_along_or_is_named() -> None:
    """A new table fails here until somebody says whether it comes along."""
    own = {one.name for one in metadata.sorted_tables if "patient_id" in one.columns}
    known = {table_of(one).name for one in MODELS.values()} | ALONG | OF_THIS_HOUSE
    assert own - known == set().union(*NOT_IN_IT.values())
    page = (ROOT / "docs" / "export.md").read_text("utf-8")
    said = page.partition("**Not in it:**")[2].partition("\n## ")[0].replace("\n", " ")
    assert [words for words in NOT_IN_IT if words not in said] == []
