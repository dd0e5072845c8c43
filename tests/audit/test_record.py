"""What requests write into the record: points 63 and 64 of the checklist."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from jobs import look_after_access
from pillweb.audit import views
from pillweb.audit.models import AuditEntry
from pillweb.audit.queries import verify_all
from pillweb.audit.rules.chain import what_place
from pillweb.base.crypto import unseal
from pillweb.base.db import Database
from pillweb.base.log import log
from pillweb.base.sealed import key_or_house
from pillweb.doses.models import Dose, DoseEvent
from pillweb.patients.models import Patient
from pillweb.sharing.actions.linking import revoke_link
from pillweb.sharing.models import Grant
from tests.conftest import NOW
from tests.house.cast import LINK, NOBODY, Cast
from tests.house.policy import PERSON
from tests.house.rows import all_rows, changed, record_rows
from tests.press import NO_PRESS
from tests.world import World, csrf_of, prescribe, signed_in

pytestmark = pytest.mark.usefixtures("pinned")


def written(db: Database, whose: int) -> list[tuple[str, int | None, int | None, str]]:
    """Return (by, account, link, act) of a chain, and see that all chains are whole."""
    with db.reading() as session:
        assert verify_all(session)[:2] == ([], [])
        rows: Sequence[AuditEntry] = session.scalars(
            sa.select(AuditEntry)
            .where(AuditEntry.patient_id == whose)
            .order_by(AuditEntry.seq)
        ).all()
        return [(row.by, row.account_id, row.link_id, row.act) for row in rows]


def written_since(db: Database, world: World) -> list[object]:
    """Return the same of Rosa's chain, after the cast came together."""
    opened, *rest = written(db, world.patient)
    assert opened == ("link", None, world.link, "openings.post_share")
    return [*rest]


def due(db: Database, world: World) -> int:
    with db.reading() as session:
        return (
            session.scalars(
                sa.select(Dose.id)
                .where(Dose.patient_id == world.patient)
                .order_by(Dose.due_at)
            ).first()
            or 0
        )


def test_a_change_writes_one_entry_with_who_what_and_when(
    app: Flask, db: Database, world: World, now: datetime
) -> None:
    dose = due(db, world)
    luis = signed_in(app, world.luis, now=now)
    path = f"/patients/{world.patient}/doses/{dose}/take"
    assert luis.post(path, data={"csrf_token": csrf_of(luis)}).status_code == 303
    assert written(db, world.patient) == [
        ("account", world.luis, None, "doses.post_take")
    ]
    with db.reading() as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
        key = key_or_house(session, world.patient)
    assert entry.at == now
    what = unseal(entry.what, key, place=what_place(world.patient, 1))
    assert json.loads(what) == {"patient_id": world.patient, "dose_id": dose}


def test_a_change_that_fails_writes_nothing_and_one_that_cannot_be_written_fails(
    app: Flask,
    db: Database,
    world: World,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    luis = signed_in(app, world.luis, now=now)
    dose, token = due(db, world), {"csrf_token": csrf_of(luis)}
    stop = f"/patients/{world.patient}/medicines/{world.medication}/stop"
    assert luis.post(stop, data=token).status_code == 404
    skip = f"/patients/{world.patient}/supply/{world.medication}/gone"
    with luis.post(skip, data=token) as shown_again:
        assert shown_again.status_code == 422
    look = ("account", world.luis, None, "supply_changes.post_gone!")
    assert written(db, world.patient) == [look]
    rosa = signed_in(app, world.rosa, now=now)
    with rosa.post(skip, data={"csrf_token": csrf_of(rosa)}) as own:
        assert own.status_code == 422
    assert written(db, world.patient) == [look]

    def fail(*_args: object, **_facts: object) -> None:
        raise RuntimeError("no record")

    monkeypatch.setattr(views, "append_entry", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    path = f"/patients/{world.patient}/doses/{dose}/take"
    assert luis.post(path, data=token).status_code == 500
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(DoseEvent.id))) == 0


def test_an_answer_by_a_message_is_the_patient_s_and_a_doubted_press_nobody_s(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
) -> None:
    link, alert = f"/t/{cast.tokens['t']}", f"/h/{cast.tokens['h']}"
    for path in (link, alert, f"/p/{cast.tokens['p']}", f"/u/{cast.tokens['u']}"):
        cast.open(app, NOBODY, "POST", path, NO_PRESS)
    assert written_since(db, world) == []
    assert cast.open(app, NOBODY, "POST", link).status_code == 303
    assert cast.open(app, NOBODY, "POST", alert).status_code == 303
    cast.open(app, NOBODY, "POST", f"/p/{cast.tokens['p']}")
    cast.open(app, NOBODY, "POST", f"/m/{cast.tokens['m']}")
    cast.open(app, NOBODY, "POST", f"/s/{world.link_token}")
    assert written_since(db, world) == [
        ("message", None, None, "answers.post_link"),
        ("message", world.marta, None, "alerts.post_seen_to"),
        ("message", None, None, "codes.post_code"),
        ("message", None, None, "contact_tests.post_contact_test"),
        ("link", None, world.link, "openings.post_share"),
    ]


def test_a_look_of_somebody_else_is_written_once_in_ten_minutes(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
    pinned: time_machine.Traveller,
) -> None:
    before = all_rows(db)
    calendar = f"/patients/{world.patient}/calendar"
    for minutes in (0, 1, 9):
        pinned.move_to(NOW + timedelta(minutes=minutes))
        for who in ("nora", "rosa"):
            answer = cast.browser(app, who).get(calendar, buffered=True)
            assert answer.status_code == 200
    look = ("account", world.nora, None, "adherence.show_calendar")
    assert written_since(db, world) == [look]
    pinned.move_to(NOW + timedelta(minutes=11))
    cast.browser(app, "nora").get(calendar, buffered=True)
    cast.browser(app, "nora").head(calendar, buffered=True)
    shared = f"/shared/{world.link}/today"
    cast.browser(app, LINK).get(shared, buffered=True)
    assert written_since(db, world) == [
        look,
        look,
        ("link", None, world.link, "doses.show_shared_today"),
    ]
    assert changed(before, all_rows(db)) == []


def test_looks_at_two_medicines_are_two(
    app: Flask, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        patient = session.get_one(Patient, world.patient)
        second = prescribe(session, patient, "09:00", now=now, name="Sertraline").id
    nora = signed_in(app, world.nora, now=now)
    for one in (world.medication, second, world.medication):
        path = f"/patients/{world.patient}/medicines/{one}/history"
        assert nora.get(path, buffered=True).status_code == 200
    look = ("account", world.nora, None, "changes.show_history")
    assert written(db, world.patient) == [look, look]


def test_that_access_is_over_is_written_where_a_job_ends_it(
    db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(Grant).where(Grant.account_id == world.nora).values(ends_at=now)
        )
    assert look_after_access.run() == 1
    assert written(db, world.patient) == [("job", None, None, "jobs.look_after_access")]
    look_after_access.run()
    assert len(written(db, world.patient)) == 1


def test_what_leaves_as_a_file_is_written_of_the_patient_too(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
) -> None:
    path = f"/patients/{world.patient}/medicines.fhir.json"
    assert cast.browser(app, "rosa").get(path, buffered=True).status_code == 200
    assert written_since(db, world) == [
        ("account", world.rosa, None, "plan_file.show_plan_file")
    ]


def test_a_link_that_was_stopped_shows_nothing_and_writes_nothing(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
    now: datetime,
) -> None:
    with db.transaction() as session:
        revoke_link(session, patient_id=world.patient, link_id=world.link, now=now)
    browser = cast.browser(app, LINK)
    answer = browser.get(f"/shared/{world.link}/today", buffered=True)
    assert answer.status_code == 404
    assert written_since(db, world) == []


def test_who_is_refused_at_a_door_or_at_signing_in_is_kept_by_the_house(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
) -> None:
    today = f"/patients/{world.patient}/today"
    for _ in range(3):
        assert cast.browser(app, "eve").get(today, buffered=True).status_code == 404
    csrf = cast.people[NOBODY].csrf
    data = {"csrf_token": csrf, "email": "rosa@family.example", "password": "wrong one"}
    browser = cast.browser(app, NOBODY)
    assert (
        browser.post("/sign-in/password", data=data, buffered=True).status_code == 422
    )
    browser.get(f"/patients/{world.patient}/calendar", buffered=True)
    assert written_since(db, world) == []
    assert written(db, 0) == [
        ("account", world.eve, None, "doses.show_today"),
        ("nobody", None, None, "entering.post_password_sign_in"),
    ]


def test_a_look_that_cannot_be_written_is_logged_and_the_page_stands(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_args: object, **_facts: object) -> bool:
        raise sa.exc.OperationalError("", {}, Exception("locked"))

    told: list[str] = []
    monkeypatch.setattr(views, "append_look", fail)
    monkeypatch.setattr(log, "exception", lambda event, **_ids: told.append(event))
    path = f"/patients/{world.patient}/today"
    answer = cast.browser(app, "nora").get(path, buffered=True)
    assert answer.status_code == 200
    assert "<h1" in answer.text
    assert written_since(db, world) == []
    assert told == ["look_not_recorded"]


def test_the_admin_s_acts_are_kept_by_the_house(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
) -> None:
    cast.open(app, "rosa", "POST", "/admin/messages", {"deed": "again"})
    assert written(db, 0) == [("account", world.rosa, None, "admin.post_dead_letter")]


def test_the_record_holds_no_name_address_or_medicine_in_clear(
    app: Flask,
    db: Database,
    cast: Cast,
    world: World,
) -> None:
    for who in ("marta", "luis", "nora"):
        path = cast.url(f"{PERSON}/medicines", {"patient_id": "rosa"})
        cast.browser(app, who).get(path, buffered=True)
    cast.open(app, NOBODY, "POST", f"/t/{cast.tokens['t']}")
    rows = record_rows(db)
    assert len(rows["audit_entry"]) == 5
    held = repr(rows).casefold()
    for word in ("rosa", "marta", "amlodipine", "example", "medication_id", "_id"):
        assert word not in held
