"""The printed papers: tagged, large, whole, and built by one job once."""

import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from pypdf.generic import ArrayObject
from sqlalchemy.orm import Session

from jobs import build_papers
from jobs.build_papers import print_paper
from pillweb.base.built_rows import LEASE, MOST_TRIES
from pillweb.base.code import code_of
from pillweb.base.db import Database
from pillweb.base.i18n import Speech, speaking
from pillweb.papers.actions import want_paper
from pillweb.papers.models import Paper
from pillweb.papers.queries import gather_card, gather_sheet
from pillweb.papers.rules.sheet import clocks_of
from pillweb.patients.models import Patient
from tests.at_once import at_once
from tests.jobs.conftest import Moment
from tests.jobs.conftest import moment as moment  # noqa: PLC0414 - a fixture
from tests.world import World, make_patient, prescribe

SMALLEST = 14


def printed(session: Session, told: Any) -> PdfReader:  # noqa: ANN401 - sheet or card
    # The printer takes its time: no transaction waits for it.
    session.rollback()
    return PdfReader(io.BytesIO(print_paper(told)))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def week(session: Session, patient: int, now: datetime) -> Any:  # noqa: ANN401
    bare = gather_sheet(session, patient, first=now.date(), now=now)
    codes = {
        clock: code_of(f"https://pills.example/p/{'x' * 43}")
        for clock in clocks_of(bare)
    }
    return gather_sheet(session, patient, first=now.date(), now=now, codes=codes)


def sizes_of(pdf: PdfReader) -> set[float]:
    """Return the sizes of all letters, in points."""
    found = set()

    def note(text: str, cm: Any, tm: Any, _font: object, size: float) -> None:  # noqa: ANN401
        if text.strip():
            found.add(round(abs(size * tm[3] * cm[3]), 1))

    for page in pdf.pages:
        page.extract_text(visitor_text=note)
    return found


def test_a_usual_week_is_one_tagged_page_of_large_words(
    session: Session, now: datetime
) -> None:
    patient = make_patient(session, name="Rosa", now=now)
    for name in ("Amlodipine", "Ramipril", "Metformin"):
        prescribe(session, patient, "08:00", "13:00", "18:00", now=now, name=name)
    pdf = printed(session, week(session, patient.id, now))
    assert len(pdf.pages) == 1
    root: Any = pdf.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert bool(root["/MarkInfo"]["/Marked"])
    assert "/StructTreeRoot" in root
    assert pdf.metadata is not None
    assert str(pdf.metadata.title).startswith("Medicines of Rosa, Friday 20 November")
    assert min(sizes_of(pdf)) >= SMALLEST
    text = text_of(pdf)
    for words in ("8am", "1pm", "Amlodipine", "1 tablet", "With water", "999"):
        assert words in text
    assert "It does not give medical advice and can fail." in text


def rows_of(node: Any) -> Iterator[list[set[int]]]:  # noqa: ANN401 - pypdf's own
    """Yield each row of a tagged tree: of each cell, the columns of its heads."""
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from rows_of(child)
    elif isinstance(node, dict):
        if node.get("/S") == "/TR":
            yield [heads_of(cell.get_object()) for cell in node["/K"]]
        else:
            yield from rows_of(node.get("/K", ArrayObject()))


def heads_of(cell: Any) -> set[int]:  # noqa: ANN401
    facts = cell.get("/A", ArrayObject())
    told = [one.get_object() for one in facts] if isinstance(facts, list) else [facts]
    heads = [head for one in told for head in one.get("/Headers", [])]
    return {int(str(head).rpartition("-")[2]) for head in heads}


def test_each_box_is_told_by_its_own_day_and_medicine(
    session: Session, now: datetime
) -> None:
    patient = make_patient(session, name="Rosa", now=now)
    for name in ("Amlodipine", "Ramipril"):
        prescribe(session, patient, "08:00", now=now, name=name)
    pdf: Any = printed(session, week(session, patient.id, now))
    _head, *rows = rows_of(pdf.trailer["/Root"]["/StructTreeRoot"])
    assert len(rows) == 2
    for row in rows:
        assert row[2:] == [{1, column} for column in range(2, 9)]


def test_twelve_medicines_take_more_pages_and_lose_no_line(
    session: Session, now: datetime
) -> None:
    patient = make_patient(session, name="Rosa", now=now)
    names = [f"Hydrochlorothiazide {number} with amiloride" for number in range(12)]
    for name in names:
        prescribe(session, patient, "08:00", "20:00", now=now, name=name)
    pdf = printed(session, week(session, patient.id, now))
    assert len(pdf.pages) > 1
    assert min(sizes_of(pdf)) >= SMALLEST
    text = text_of(pdf)
    assert [text.count(name) for name in names] == [2] * 12
    heads = [
        page.extract_text() for page in pdf.pages if "With water" in page.extract_text()
    ]
    assert all("Wednesday" in head for head in heads)


def test_a_card_names_every_medicine(session: Session, now: datetime) -> None:
    patient = make_patient(session, name="Rosa", now=now)
    for number in range(15):
        prescribe(session, patient, "08:00", now=now, name=f"Medicine{number:02}")
    text = text_of(printed(session, gather_card(session, patient.id, now=now)))
    assert all(f"Medicine{number:02}" in text for number in range(15))
    for words in ("Allergies:", "Please call:", "Made on 20 November 2026.", "5 mg"):
        assert words in text


@pytest.mark.parametrize(
    ("zone", "size"),
    [("Europe/London", (595, 842)), ("America/New_York", (612, 792))],
)
def test_the_page_is_as_large_as_the_paper_that_is_sold_there(
    session: Session, now: datetime, zone: str, size: tuple[int, int]
) -> None:
    patient = make_patient(session, name="Rosa", now=now, zone=zone)
    prescribe(session, patient, "08:00", now=now)
    for told in (
        week(session, patient.id, now),
        gather_card(session, patient.id, now=now),
    ):
        (page,) = printed(session, told).pages
        box = page.mediabox
        assert (round(box.width), round(box.height)) == size


@pytest.mark.parametrize("name", ["فاطمة", "रोज़ा", "罗莎", "<b>Rosa</b>", "R" * 200])
def test_a_name_of_any_script_never_stops_the_printer(
    session: Session, now: datetime, name: str
) -> None:
    patient = make_patient(session, name="Rosa", now=now)
    patient.name = name
    prescribe(session, patient, "08:00", now=now, name=name)
    with speaking(Speech("ar")):
        for told in (
            week(session, patient.id, now),
            gather_card(session, patient.id, now=now),
        ):
            pdf = printed(session, told)
            root: Any = pdf.trailer["/Root"]
            assert root["/Lang"] == "ar"


def want(db: Database, moment: Moment, patient_id: int, *, first: date) -> None:
    with db.transaction() as session:
        want_paper(
            session,
            session.get_one(Patient, patient_id),
            kind="week",
            first=first,
            clocks=["08:00"],
            show_names=False,
            look="20.system.es",
            made_by_id=None,
            now=moment.now,
        )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The weekday names of what was printed, by a printer that is quick."""
    names: list[str] = []

    def print_quickly(told: Any) -> bytes:  # noqa: ANN401
        names.append(told.days[0].name)
        if told.patient_name == "Poison":
            raise ValueError("broken on purpose")
        return b"%PDF"

    monkeypatch.setattr(build_papers, "print_paper", print_quickly)
    return names


def test_a_paper_is_built_once_in_the_language_it_was_asked_in(
    db: Database, world: World, moment: Moment, quick: list[str]
) -> None:
    for days in range(4):
        first = moment.now.date() + timedelta(days=days)
        want(db, moment, world.patient, first=first)
    assert sum(at_once(3, lambda _: build_papers.run())) == 4
    assert build_papers.run() == 0
    assert sorted(quick) == ["domingo", "lunes", "sábado", "viernes"]
    with db.reading() as session:
        assert set(session.scalars(sa.select(Paper.state))) == {"ready"}


def test_a_paper_that_cannot_be_built_is_given_up_and_stops_no_other(
    db: Database, world: World, moment: Moment, quick: list[str]
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).name = "Poison"
    want(db, moment, world.patient, first=moment.now.date())
    moment.move(seconds=1)
    want(db, moment, world.other_patient, first=moment.now.date())
    assert build_papers.run() == 1
    for _ in range(MOST_TRIES):
        moment.now += LEASE
        build_papers.run()
    with db.reading() as session:
        found = session.scalars(sa.select(Paper.state).order_by(Paper.id)).all()
        assert found == ["failed", "ready"]
        assert build_papers.oldest(session, moment.now) is None
