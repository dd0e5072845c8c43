"""Everything of a patient, written into one ZIP file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import IO, Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.audit.queries import told_record
from pillweb.base.zones import zone
from pillweb.devices.queries import photo_of
from pillweb.doses.rules.days import RECORDED
from pillweb.medications.models import MedicationPicture
from pillweb.medications.rules import unit_of
from pillweb.papers.models import Paper
from pillweb.papers.rules.card import CARD
from pillweb.reports.models import Report
from pillweb.schedules.rules.fhir.written import Json
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.words import in_words
from pillweb.transfers.models import PastEntry
from pillweb.transfers.queries.rows import (
    told_horizon,
    told_patient,
    told_rows,
    told_wishes,
)
from pillweb.transfers.rules.archive import MEGABYTE
from pillweb.transfers.rules.csv_files import csv_lines
from pillweb.transfers.rules.fhir import Bundle, Shown
from pillweb.transfers.rules.reading import FILE, PORTRAIT, picture_file
from pillweb.transfers.rules.rows import MOST_WORDS, NAME, ROWS, UNNUMBERED, VERSION

# The newest PDFs; there is more in the data than in any of them.
MOST_PDFS = 20 * MEGABYTE
TABLES = ("medicines", "plans", "doses", "events", "intakes", "supply")


@dataclass(frozen=True, slots=True)
class _Patient:
    """Whose everything it is, and the few rows that all the others name."""

    id: int
    told: Mapping[str, Any]
    medicines: Mapping[object, Shown]
    lines: Mapping[object, list[Line]]
    is_own: bool


def write_everything(
    session: Session, patient_id: int, out: IO[bytes], *, is_own: bool, now: datetime
) -> None:
    """Write all there is of a patient into a ZIP file, a thousand rows at a time.

    The session is to stand still, so that all its parts say the same. `is_own` says
    that it is for the patient, who alone reads what was hidden from whom.
    """
    who = _Patient(
        patient_id,
        told_patient(session, patient_id),
        _medicines(session, patient_id),
        _lines(session, patient_id),
        is_own,
    )
    with ZipFile(out, "w", ZIP_DEFLATED) as file:
        _write(file, FILE, _own_json(session, who, now=now))
        _write(file, "fhir.json", _fhir(session, who, now=now))
        for kind in TABLES:
            table = csv_lines(_columns(kind), _table(session, kind, who))
            _write(file, f"{kind}.csv", table)
        record = csv_lines(["at", "words"], _record(session, who))
        _write(file, "record.csv", record)
        for name, content in _files(session, patient_id):
            file.writestr(ZipInfo(name), content, ZIP_STORED)


def _write(file: ZipFile, name: str, pieces: Iterable[str]) -> None:
    # Parts of more than 2 GB would need another kind of ZIP; ours are far below.
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    with file.open(entry, "w") as raw:
        for piece in pieces:
            raw.write(piece.encode())


def _medicines(session: Session, patient_id: int) -> Mapping[object, Shown]:
    return {
        row["id"]: Shown(
            number=row["id"],
            name=f"{row['name']} {row['strength']}".strip(),
            unit=unit_of(row["form"]),
            reason=row["reason"],
            instruction=row["instruction"],
            codings=row["codes"] or (),
            is_stopped=row["stopped_at"] is not None,
        )
        for row in _any(told_rows(session, "medicines", patient_id))
    }


def _any(rows: Iterable[dict[str, object]]) -> Iterator[dict[str, Any]]:
    yield from rows


def _lines(session: Session, patient_id: int) -> Mapping[object, list[Line]]:
    found: dict[object, list[Line]] = {}
    for row in _any(told_rows(session, "lines", patient_id)):
        found.setdefault(row["plan"], []).append(line_from_json(row["rule"]))
    return found


def _own_json(session: Session, who: _Patient, *, now: datetime) -> Iterator[str]:
    first = {
        "format": NAME,
        "version": VERSION,
        "made_at": now.isoformat(),
        "patient": who.told,
        "wishes": told_wishes(session, who.id),
        "horizon": told_horizon(session, who.id),
    }
    for before, (name, value) in zip("{,,,,,", first.items(), strict=True):
        yield f"{before}\n{_json(name)}: {_json(value)}"
    for kind in ROWS:
        yield from _array(kind, told_rows(session, kind, who.id))
    yield from _array("record", _record(session, who))
    yield "\n}\n"


def _array(name: str, rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    yield f",\n{_json(name)}: ["
    between = "\n"
    for row in rows:
        yield between + _json(row)
        between = ",\n"
    yield "\n]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _record(session: Session, who: _Patient) -> Iterator[dict[str, object]]:
    """Yield who looked and who changed, here and before, newest first."""
    name = who.told["name"]
    told = told_record(session, who.id, patient_name=name, is_own=who.is_own)
    for at, words in told:
        yield {"at": at.isoformat(), "words": words[:MOST_WORDS]}
    past = select(PastEntry).where(PastEntry.patient_id == who.id)
    for row in session.scalars(past.order_by(PastEntry.at.desc(), PastEntry.id)):
        yield {"at": row.at.isoformat(), "words": row.words}


def _columns(kind: str) -> list[str]:
    names = [one.name for one in ROWS[kind]]
    more = {"plans": ["how_taken"], "supply": ["quantity"]}.get(kind, [])
    medicine = ["medicine_name"] if "medicine" in names else []
    return [*([] if kind in UNNUMBERED else ["id"]), *names, *medicine, *more]


def _table(session: Session, kind: str, who: _Patient) -> Iterator[dict[str, object]]:
    for row in _any(told_rows(session, kind, who.id)):
        shown = who.medicines.get(row.get("medicine"))
        if shown is not None:
            row["medicine_name"] = shown.name
        if kind == "plans" and shown is not None:
            lines = who.lines.get(row["id"], [])
            row["how_taken"] = "; ".join(in_words(one, shown.unit) for one in lines)
        if kind == "supply":
            row["quantity"] = Fraction(row["numerator"], row["denominator"])
        yield row


def _fhir(session: Session, who: _Patient, *, now: datetime) -> Iterator[str]:
    bundle = Bundle(uuid4(), who.id, zone(who.told["zone"]))
    yield '{"resourceType": "Bundle", "type": "collection", '
    yield f'"timestamp": "{now.isoformat()}", "entry": [\n'
    yield bundle.entry("Patient", who.id, _person(who))
    made: Json = {
        "resourceType": "Provenance",
        "target": [bundle.subject],
        "recorded": now.isoformat(),
        "agent": [{"who": {"display": "PillWeb"}}],
    }
    yield ",\n" + bundle.entry("Provenance", who.id, made)
    for piece in _resources(session, who, bundle):
        yield ",\n" + piece
    yield "\n]}\n"


def _person(who: _Patient) -> dict[str, object]:
    told = {
        "resourceType": "Patient",
        "id": f"patient-{who.id}",
        "name": [{"text": who.told["name"]}],
    }
    return told | ({"birthDate": who.told["born"]} if who.told["born"] else {})


def _resources(session: Session, who: _Patient, bundle: Bundle) -> Iterator[str]:
    newest: dict[object, Any] = {}
    for row in _any(told_rows(session, "plans", who.id)):
        newest[row["medicine"]] = row
        yield bundle.entry("MedicationRequest", row["id"], _plan(who, bundle, row))
    for key, shown in who.medicines.items():
        if key in newest:
            resource = bundle.planned(
                "MedicationStatement",
                shown.number,
                shown,
                lines=who.lines.get(newest[key]["id"], ()),
                status="stopped" if shown.is_stopped else "active",
                said_on=_day(newest[key]["valid_from"]),
            )
            yield bundle.entry("MedicationStatement", shown.number, resource)
    for row in _any(told_rows(session, "doses", who.id)):
        if row["state"] in RECORDED:
            resource = bundle.of_dose(row, who.medicines[row["medicine"]])
            yield bundle.entry("Dose", row["id"], resource)
    for row in _any(told_rows(session, "intakes", who.id)):
        resource = bundle.of_intake(row, who.medicines[row["medicine"]])
        yield bundle.entry("Intake", row["id"], resource)


def _plan(who: _Patient, bundle: Bundle, row: Mapping[str, Any]) -> dict[str, object]:
    shown = who.medicines[row["medicine"]]
    resource = bundle.planned(
        "MedicationRequest",
        row["id"],
        shown,
        lines=who.lines.get(row["id"], ()),
        status="active" if row["valid_to"] is None else "stopped",
        said_on=_day(row["valid_from"]),
    )
    if row["replaces"] is not None:
        before = bundle.link("MedicationRequest", row["replaces"])
        resource["priorPrescription"] = before
    return resource


def _day(instant: str) -> date:
    return datetime.fromisoformat(instant).date()


def _files(session: Session, patient_id: int) -> Iterator[tuple[str, bytes]]:
    """Yield the photos, and the newest reports and cards.

    A weekly sheet is left out: its codes work for whoever has it.
    """
    photos = select(MedicationPicture).where(MedicationPicture.patient_id == patient_id)
    for photo in session.scalars(photos):
        yield picture_file(photo.medication_id), photo.whole
    if portrait := photo_of(session, patient_id):
        yield PORTRAIT, portrait.photo
    room = MOST_PDFS
    for name, content in _pdfs(session, patient_id):
        room -= len(content)
        if room < 0:
            return
        yield name, content


def _pdfs(session: Session, patient_id: int) -> Iterator[tuple[str, bytes]]:
    reports = select(Report.id).where(Report.patient_id == patient_id)
    for report_id in session.scalars(reports.order_by(Report.id.desc())).all():
        report = session.get_one(Report, report_id)
        if report.pdf:
            yield f"reports/{report.last_on}-{report.id}.pdf", report.pdf
        session.expunge(report)
    cards = select(Paper).where(Paper.patient_id == patient_id, Paper.kind == CARD)
    for card in session.scalars(cards.order_by(Paper.id.desc()).limit(1)):
        if card.pdf:
            yield f"cards/{card.first_on}-{card.id}.pdf", card.pdf
