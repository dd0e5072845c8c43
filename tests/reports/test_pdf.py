"""The printed page: one page, tagged, and never a crash, whatever the names."""

import io
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from sqlalchemy.orm import Session

from jobs.build_reports import print_report
from pillweb.base.i18n import Speech, speaking
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.portals.actions import load_demo
from pillweb.reports.queries import gather_report
from pillweb.reports.rules import ReportPage, period_ending
from tests.world import make_patient, plan, prescribe

A_DAY = timedelta(days=1)


def page_of(session: Session, patient: int, now: datetime) -> ReportPage:
    first, last = period_ending(now.date() - A_DAY)
    return gather_report(session, patient, first=first, last=last, now=now)


def printed(page: ReportPage) -> PdfReader:
    return PdfReader(io.BytesIO(print_report(page)))


def test_the_demo_family_fits_one_tagged_page(session: Session, now: datetime) -> None:
    load_demo(session, password="-" * 9, now=now)
    patient = session.scalars(sa.select(Patient.id)).one()
    page = page_of(session, patient, now)
    pdf = printed(page)
    assert len(pdf.pages) == 1
    resources: Any = pdf.pages[0]["/Resources"]
    page_fonts = resources["/Font"]
    named = {str(font.get_object()["/BaseFont"]) for font in page_fonts.values()}
    assert all("Atkinson" in name for name in named), named
    root: Any = pdf.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert bool(root["/MarkInfo"]["/Marked"])
    assert "/StructTreeRoot" in root
    assert bool(root["/ViewerPreferences"]["/DisplayDocTitle"])
    assert pdf.metadata is not None
    assert pdf.metadata.title == f"Medicine record, {page.period_words}"
    text = " ".join(pdf.pages[0].extract_text().split())
    assert "Medicine record of Rosa" in text
    for row in page.rows:
        assert row.name in text
        assert row.taken_words in text


def test_shares_are_written_as_the_language_has_them(
    session: Session, now: datetime
) -> None:
    load_demo(session, password="-" * 9, now=now)
    patient = session.scalars(sa.select(Patient.id)).one()
    told = {}
    for language in ("en", "pl"):
        with speaking(Speech(language)):
            told[language] = [
                row.on_time_words for row in page_of(session, patient, now).rows
            ]
    numbers = [re.sub(r"[^0-9,]", "", words) for words in told["pl"]]
    assert numbers == [
        words.removesuffix("%").removesuffix(".0").replace(".", ",")
        for words in told["en"]
    ]
    assert any("," in number for number in numbers)


@pytest.mark.parametrize("count", [8, 12, 16])
def test_medicines_with_long_names_fit_one_page(
    session: Session, now: datetime, count: int
) -> None:
    began = now - 28 * A_DAY
    patient = make_patient(session, name="Rosa", now=began)
    for number in range(count):
        prescribe(
            session,
            patient,
            "08:00",
            "20:00",
            now=began,
            name=f"Hydrochlorothiazide with amiloride and potassium {number}",
        )
    at = began
    while at <= now:
        plan(session, patient, now=at)
        at += 6 * A_DAY
    page = page_of(session, patient.id, now)
    assert len(page.rows) == count
    assert len(printed(page).pages) == 1


def test_a_record_without_anything_is_one_page_that_claims_nothing(
    session: Session, now: datetime
) -> None:
    patient = make_patient(session, name="Rosa", now=now)
    page = page_of(session, patient.id, now)
    pdf = printed(page)
    assert page.rows == ()
    assert len(pdf.pages) == 1
    assert "%" not in pdf.pages[0].extract_text()


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f475\U0001f3fd Rosa",
        "\u0631\u0648\u0632\u0627 \u0623\u0644\u0641\u0627\u0631\u064a\u0632",
        "\u0930\u094b\u091c\u093c\u093e",
        "\u7f57\u838e",
        "Zo\u0142\u0105d\u017a",
        "<b>Rosa</b> & {{ 7 * 7 }}",
        "R" * 200,
    ],
)
def test_a_name_of_any_script_never_stops_the_printer(
    session: Session, now: datetime, name: str
) -> None:
    patient = make_patient(session, name="Rosa", now=now - A_DAY)
    patient.name = name
    prescribe(session, patient, "08:00", now=now - A_DAY)
    plan(session, patient, now=now - A_DAY)
    medication = session.scalars(sa.select(Medication)).one()
    medication.name = name
    page = replace(page_of(session, patient.id, now), patient_name=name)
    pdf = printed(page)
    assert len(pdf.pages) == 1
    if name.startswith("<b>"):
        assert name in " ".join(pdf.pages[0].extract_text().split())
