from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from jobs import build_reports, deliver, order_reports
from pillweb.base.built_rows import LEASE, MOST_TRIES, claim_row, keep_pdf
from pillweb.base.db import Database
from pillweb.base.i18n import Speech, speech
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.reports.actions import (
    end_order,
    want_report,
)
from pillweb.reports.models import Report, ReportOrder
from pillweb.reports.queries import gather_report
from pillweb.reports.rules import ReportPage
from tests.at_once import at_once
from tests.jobs.conftest import Moment
from tests.services import SmtpSink
from tests.world import World

YESTERDAY = date(2026, 11, 19)
PDF = b"%PDF-1.7 a stand-in"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose reports were printed, by a printer that is quick."""
    names: list[str] = []

    def quick(page: ReportPage) -> bytes:
        names.append(page.patient_name)
        if page.patient_name == "Poison":
            raise ValueError("broken on purpose")
        return PDF

    monkeypatch.setattr(build_reports, "print_report", quick)
    return names


def want(db: Database, order_id: int, occasion: str, moment: Moment) -> bool:
    with db.transaction() as session:
        order = session.get_one(ReportOrder, order_id)
        return want_report(
            session, order, last=YESTERDAY, occasion=occasion, now=moment.now
        )


def repeat(db: Database, order_id: int, every: str, next_on: date) -> None:
    with db.transaction() as session:
        order = session.get_one(ReportOrder, order_id)
        order.every, order.next_on = every, next_on
        order.next_at = datetime(*next_on.timetuple()[:3], 8, tzinfo=UTC)


def reports(db: Database) -> list[tuple[str, date, date]]:
    with db.reading() as session:
        wanted = sa.select(Report.state, Report.first_on, Report.last_on)
        return [(a, b, c) for a, b, c in session.execute(wanted.order_by(Report.id))]


def test_building_twice_is_one_report_and_one_mail(
    db: Database, world: World, moment: Moment, sink: SmtpSink, printed: list[str]
) -> None:
    assert want(db, world.order, "asked:1", moment)
    assert not want(db, world.order, "asked:1", moment)
    assert build_reports.run() == 1
    assert build_reports.run() == 0
    assert printed == ["Rosa"]
    assert deliver.run() == 1
    (mail,) = sink.mails
    assert mail.recipients == ("chen@clinic.example",)
    (file,) = mail.message.iter_attachments()
    assert file.get_filename() == "medicine-record-2026-11-19.pdf"
    assert file.get_content() == PDF


def test_a_report_and_its_mail_speak_the_language_of_their_order(
    db: Database,
    world: World,
    moment: Moment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoken: list[str] = []

    def listen(page: ReportPage) -> bytes:
        spoken.extend((speech().language, page.made_words))
        return PDF

    monkeypatch.setattr(build_reports, "print_report", listen)
    with db.transaction() as session:
        session.get_one(ReportOrder, world.order).language = "ar"
    want(db, world.order, "asked:1", moment)
    assert build_reports.run() == 1
    assert spoken[0] == "ar"
    assert "نوفمبر" in spoken[1]
    assert speech() == Speech()
    with db.reading() as session:
        mail = compose_message(session.scalars(sa.select(Delivery)).one())
    assert '<html lang="ar" dir="rtl">' in mail.html


def test_builders_at_once_build_each_report_once(
    db: Database, world: World, moment: Moment, printed: list[str]
) -> None:
    for number in range(6):
        want(db, world.order, f"asked:{number}", moment)
    assert sum(at_once(3, lambda _: build_reports.run())) == 6
    assert len(printed) == 6


def test_a_report_is_leased_for_two_minutes_and_then_tried_again(
    db: Database, world: World, moment: Moment
) -> None:
    want(db, world.order, "asked:1", moment)
    with db.transaction() as session:
        assert claim_row(session, Report, now=moment.now)
    with db.transaction() as session:
        assert claim_row(session, Report, now=moment.now + LEASE / 2) is None
        assert claim_row(session, Report, now=moment.now + LEASE)


def test_a_builder_that_wakes_up_late_changes_nothing(
    db: Database, world: World, moment: Moment, printed: list[str]
) -> None:
    want(db, world.order, "asked:1", moment)
    build_reports.run()
    with db.transaction() as session:
        assert not keep_pdf(session, Report, 1, pdf=b"late", now=moment.now)
    with db.reading() as session:
        assert session.scalars(sa.select(Report.pdf)).all() == [PDF]
        assert len(session.scalars(sa.select(Delivery)).all()) == 1


def test_a_report_that_cannot_be_built_is_given_up_and_stops_no_other(
    db: Database, world: World, moment: Moment, printed: list[str]
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        patient.name = "Poison"
    want(db, world.order, "asked:1", moment)
    moment.move(seconds=1)
    want(db, world.other_order, "asked:1", moment)
    assert build_reports.run() == 1
    assert [state for state, *_ in reports(db)] == ["wanted", "ready"]
    for _ in range(MOST_TRIES):
        moment.now += LEASE
        assert build_reports.run() == 0
    assert [state for state, *_ in reports(db)] == ["failed", "ready"]
    moment.now += LEASE
    with db.reading() as session:
        assert build_reports.oldest(session, moment.now) is None


def test_a_report_whose_facts_cannot_be_gathered_stops_no_other(
    db: Database,
    world: World,
    moment: Moment,
    printed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def fail_for_rosa(session: Session, patient_id: int, **days: date) -> ReportPage:
        if patient_id == world.patient:
            raise ValueError("broken on purpose")
        return gather_report(session, patient_id, **days)  # type: ignore[arg-type]

    monkeypatch.setattr(build_reports, "gather_report", fail_for_rosa)
    want(db, world.order, "asked:1", moment)
    moment.move(seconds=1)
    want(db, world.other_order, "asked:1", moment)
    assert build_reports.run() == 1
    assert printed == ["Bruno"]


@pytest.mark.parametrize(
    ("every", "due", "following"),
    [
        ("week", date(2026, 11, 16), date(2026, 11, 23)),
        ("month", date(2026, 11, 1), date(2026, 12, 1)),
    ],
)
def test_a_regular_report_is_ordered_once_and_then_for_its_next_day(
    db: Database,
    world: World,
    moment: Moment,
    *,
    every: str,
    due: date,
    following: date,
) -> None:
    repeat(db, world.order, every, due)
    assert order_reports.run() == 1
    assert order_reports.run() == 0
    assert reports(db) == [("wanted", YESTERDAY - timedelta(days=27), YESTERDAY)]
    with db.reading() as session:
        order = session.get_one(ReportOrder, world.order)
        assert order.next_on == following
        at = datetime(*following.timetuple()[:3], 8, tzinfo=UTC)
        assert order.next_at == at


@pytest.mark.parametrize("every", ["week", "month"])
def test_after_a_long_silence_one_report_leaves(
    db: Database, world: World, moment: Moment, every: str
) -> None:
    repeat(db, world.order, every, date(2026, 6, 1))
    assert order_reports.run() == 1
    assert len(reports(db)) == 1
    with db.reading() as session:
        assert order_reports.oldest(session, moment.now) is None


def test_an_order_that_was_ended_or_never_repeats_sends_nothing(
    db: Database, world: World, moment: Moment
) -> None:
    repeat(db, world.order, "week", date(2026, 11, 16))
    with db.transaction() as session:
        end_order(session.get_one(ReportOrder, world.order), now=moment.now)
    moment.move(days=40)
    assert order_reports.run() == 0
    assert reports(db) == []
