"""Ordering, previewing, sending and ending the doctor's report."""

from datetime import datetime
from html import unescape

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs import build_reports
from pillweb.base.db import Database
from pillweb.base.i18n import Speech, speech
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.portals.actions import load_demo
from pillweb.reports.models import Report, ReportOrder
from pillweb.reports.queries import gather_report
from pillweb.reports.rules import period_ending
from tests.world import World, csrf_of, signed_in

ORDER = {
    "doctor_name": "Dr \u0639\u0645\u0631",
    "email": "Omar@Clinic.example",
    "how_often": "month",
    "risk_read": "y",
}


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def send(client: FlaskClient, path: str, **typed: str) -> TestResponse:
    token = csrf_of(client, "/people/new")
    return client.post(path, data={"csrf_token": token, **typed})


def url(world: World, rest: str = "") -> str:
    return f"/patients/{world.patient}/reports{rest}"


def orders(db: Database, world: World) -> list[ReportOrder]:
    with db.reading() as session:
        rows = session.scalars(
            sa.select(ReportOrder)
            .where(
                ReportOrder.patient_id == world.patient, ReportOrder.ended_at.is_(None)
            )
            .order_by(ReportOrder.id)
        )
        return list(rows)


def reports(db: Database) -> list[Report]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Report).order_by(Report.id)))


def test_an_order_is_kept_and_listed(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    assert send(rosa, url(world), **ORDER).status_code == 303
    order = orders(db, world)[-1]
    assert (order.every, order.email) == ("month", "Omar@clinic.example")
    assert order.next_at == datetime.fromisoformat("2026-12-01T08:00Z")
    page = rosa.get(url(world)).text
    assert "On the first day of every month, to" in page
    assert ORDER["doctor_name"] in page


def test_an_order_has_a_language_that_its_report_speaks(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    asked = rosa.get(url(world)).text
    assert '<option selected value="en">English</option>' in asked
    assert send(rosa, url(world), **ORDER, language="ar").status_code == 303
    order = orders(db, world)[-1]
    assert order.speech == Speech("ar")
    listed = rosa.get(url(world)).text
    assert '<bdi lang="ar">العربية</bdi>' in listed
    assert f"{url(world, '/now')}?language=ar" in listed
    twin = rosa.get(url(world, "/now?language=ar")).text
    assert '<html lang="ar" dir="rtl"' in twin
    assert "نوفمبر" in twin
    assert speech() == Speech()
    for other in ("tlh", ""):
        english = rosa.get(url(world, f"/now?language={other}")).text
        assert '<html lang="en"' in english
    again = send(rosa, url(world), **ORDER, language="pl")
    assert again.status_code == 422
    assert send(rosa, url(world), **ORDER, language="tlh").status_code == 422


def test_the_form_offers_the_language_one_reads(
    rosa: FlaskClient, world: World
) -> None:
    polish = rosa.get(url(world), headers={"Accept-Language": "pl"}).text
    assert '<option selected value="pl">Polski</option>' in polish


@pytest.mark.parametrize(
    "case",
    [
        ({"risk_read": ""}, "risk_read", "Please tick this first"),
        ({"doctor_name": " "}, "doctor_name", "Write the doctor's name."),
        ({"doctor_name": "x" * 201}, "doctor_name", "Use at most 200 characters."),
        ({"email": ""}, "email", "Write the e-mail address."),
        ({"email": "chen at clinic"}, "email", "Write a full e-mail address"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "email", "Write a full e-mail"),
        ({"how_often": "hourly"}, "how_often", "Not a valid choice."),
    ],
)
def test_an_order_is_refused_in_plain_words_and_keeps_what_was_typed(
    rosa: FlaskClient,
    world: World,
    db: Database,
    case: tuple[dict[str, str], str, str],
) -> None:
    wrong, field, sentence = case
    answer = send(rosa, url(world), **{**ORDER, **wrong})
    assert answer.status_code == 422
    assert f'id="{field}-error"><b>Error:</b> {sentence}' in unescape(answer.text)
    if "doctor_name" not in wrong:
        assert f'value="{ORDER["doctor_name"]}"' in answer.text
    assert len(orders(db, world)) == 1


def test_an_unticked_risk_is_refused(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    typed = {key: value for key, value in ORDER.items() if key != "risk_read"}
    assert send(rosa, url(world), **typed).status_code == 422
    assert len(orders(db, world)) == 1


def test_pressing_save_twice_is_one_order(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    for email in ("omar@clinic.example", "OMAR@clinic.example"):
        assert send(rosa, url(world), **{**ORDER, "email": email}).status_code == 303
    assert len(orders(db, world)) == 2
    answer = send(rosa, url(world), **{**ORDER, "how_often": "week"})
    assert answer.status_code == 422
    assert "This address gets the report already." in answer.text


def test_sending_twice_in_a_minute_is_one_report(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
) -> None:
    for _ in range(3):
        assert send(rosa, url(world, f"/{world.order}/send")).status_code == 303
    assert len(reports(db)) == 1
    assert "Being made" in rosa.get(url(world)).text
    pinned.shift(60)
    send(rosa, url(world, f"/{world.order}/send"))
    assert len(reports(db)) == 2


def test_a_report_is_built_mailed_and_given_out_to_its_family_alone(
    rosa: FlaskClient, app: Flask, world: World, db: Database, now: datetime
) -> None:
    send(rosa, url(world, f"/{world.order}/send"))
    report = reports(db)[0].id
    where = url(world, f"/{report}.pdf")
    assert rosa.get(where).status_code == 404
    assert build_reports.run() == 1
    answer = rosa.get(where)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert "medicine-record-2026-11-20.pdf" in answer.headers["Content-Disposition"]
    assert "Made and sent on its way" in rosa.get(url(world)).text
    with db.reading() as session:
        assert session.scalars(sa.select(Delivery.kind)).all() == ["report"]
    eve = signed_in(app, world.eve, now=now)
    other = f"/patients/{world.other_patient}/reports/{report}.pdf"
    assert eve.get(where).status_code == eve.get(other).status_code == 404
    assert signed_in(app, world.nora, now=now).get(where).status_code == 404


def test_an_ended_order_sends_nothing_more(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    send(rosa, url(world), **ORDER)
    order = orders(db, world)[-1].id
    assert send(rosa, url(world, f"/{order}/end")).status_code == 303
    for deed in ("end", "send"):
        assert send(rosa, url(world, f"/{order}/{deed}")).status_code == 404
    assert ORDER["email"].casefold() not in rosa.get(url(world)).text.casefold()
    with db.reading() as session:
        assert session.get_one(ReportOrder, order).next_at is None
    assert send(rosa, url(world), **ORDER).status_code == 303


def test_an_order_of_somebody_else_cannot_be_touched(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    for deed in ("send", "end"):
        answer = send(rosa, url(world, f"/{world.other_order}/{deed}"))
        assert answer.status_code == 404
    assert reports(db) == []


def test_the_preview_says_what_the_report_says(
    app: Flask, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        elder = load_demo(session, password="-" * 9, now=now).id
        patient = session.scalars(sa.select(Patient.id)).one()
    page = signed_in(app, elder, now=now).get(f"/patients/{patient}/reports/now").text
    first, last = period_ending(now.date())
    with db.reading() as session:
        said = gather_report(session, patient, first=first, last=last, now=now)
    assert len(said.rows) == 8
    assert said.pooled
    for row in (*said.rows, said.pooled):
        assert f"<td>{row.counted}</td><td>{row.taken_words}</td>" in page
        assert f"<td>{row.no_record}</td><td>{row.not_taken}</td>" in page
    assert page.count('<g transform="translate(') == len(said.chart.dots)


def test_the_preview_of_an_empty_record_claims_nothing(
    rosa: FlaskClient, world: World
) -> None:
    page = rosa.get(url(world, "/now"))
    assert page.status_code == 200
    assert "%" not in page.text.split("<h2>Medicines")[1].split("<h2>When")[0]
