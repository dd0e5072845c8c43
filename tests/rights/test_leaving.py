"""Whoever leaves is seen by nobody and hears nothing, and can come back for 30 days."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from jobs.timetable import TIMETABLE
from pillweb.base.db import Database
from pillweb.base.errors import InvalidError
from pillweb.doses.models import Dose
from pillweb.hooks.queries import contacts_at
from pillweb.patients.models import Patient
from pillweb.reminders.models import Reminder
from pillweb.rights.actions.leaving import (
    leave_account,
    leave_patient,
    stay_account,
    stay_patient,
)
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import ACCEPTED, ASIDE, Level
from tests.at_once import at_once
from tests.house.cast import Cast
from tests.rights.conftest import Days
from tests.services import SmtpSink
from tests.world import World, csrf_of, signed_in

DAY = timedelta(days=1)


def leave(db: Database, world: World, *, now: datetime) -> None:
    with db.transaction() as session:
        leave_patient(session, world.patient, by_id=world.marta, now=now)


def statuses(db: Database, patient_id: int) -> set[str]:
    with db.reading() as session:
        mine = sa.select(Grant.status).where(Grant.patient_id == patient_id)
        return set(session.scalars(mine))


def test_who_may_not_bring_them_back_finds_nothing_and_the_others_the_way_back(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    """(11, 43)."""
    leave(db, world, now=now)
    for name in ("luis", "nora", "eve"):
        client = signed_in(app, getattr(world, name), now=now)
        assert client.get(f"/patients/{world.patient}/today").status_code == 404
        assert client.get(f"/patients/{world.patient}/leaving").status_code == 404
    for name in ("rosa", "marta"):
        client = signed_in(app, getattr(world, name), now=now)
        for path in ("today", "medicines", "sharing", "leave"):
            answer = client.get(f"/patients/{world.patient}/{path}")
            assert answer.location == f"/patients/{world.patient}/leaving"
        shown = client.get(f"/patients/{world.patient}/leaving").text
        assert "Take it back" in shown
        assert "Sunday 20 December 2026" in shown
        assert "Amlodipine" not in shown
        assert f"/patients/{world.patient}/leaving" in client.get("/people").text
        press = {"csrf_token": csrf_of(client, f"/patients/{world.patient}/leaving")}
        tick = f"/patients/{world.patient}/today"
        assert client.post(tick, data=press).location.endswith("/leaving")


def test_every_link_that_was_given_out_is_dead(
    app: Flask, db: Database, cast: Cast, world: World, now: datetime
) -> None:
    """A link of any kind shows nothing and changes nothing (39, 46)."""
    leave(db, world, now=now)
    for kind in ("t", "s", "p", "ics", "h", "i"):
        path = f"/{kind}/{cast.tokens[kind]}"
        answer = cast.open(app, "nobody", "GET", path)
        assert "scanary" not in answer.text, kind
        assert answer.status_code in {404, 410}, kind
    answer = cast.open(app, "link holder", "GET", f"/shared/{world.link}/today")
    assert answer.status_code == 404


def test_nothing_is_planned_said_or_made_and_no_job_spins(
    db: Database, world: World, days: Days, sink: SmtpSink
) -> None:
    leave(db, world, now=days.now)
    for job in TIMETABLE:
        job.run()
    told = {(mail.recipients[0], mail.message["Subject"]) for mail in sink.mails}
    about_rosa = {
        (who, what) for who, what in told if "bruno" not in who and "eve" not in who
    }
    ends = "PillWeb does not remind any more"
    assert about_rosa == {
        ("rosa@family.example", ends),
        ("luis@family.example", ends),
        ("nora@family.example", ends),
    }
    sink.clear()
    for _ in range(3):
        days.move(days=1, hours=1)
        for job in TIMETABLE:
            job.run()
    assert [m for m in sink.mails if "rosa" in m.recipients[0]] == []
    with db.reading() as session:
        waiting = {job.name: job.oldest(session, days.now) for job in TIMETABLE}
    assert [name for name, since in waiting.items() if since] == []


def test_all_is_as_it_was_when_it_is_taken_back(
    app: Flask, db: Database, world: World, days: Days, sink: SmtpSink
) -> None:
    leave(db, world, now=days.now)
    assert statuses(db, world.patient) == {ASIDE}
    days.move(days=2)
    client = signed_in(app, world.rosa, now=days.now)
    here = f"/patients/{world.patient}/leaving"
    answer = client.post(here, data={"csrf_token": csrf_of(client, here)})
    assert answer.status_code == 303
    assert statuses(db, world.patient) == {ACCEPTED}
    for job in TIMETABLE:
        job.run()
    with db.reading() as session:
        states = session.execute(
            sa.select(Dose.due_at, Dose.state, Dose.system_fault).where(
                Dose.patient_id == world.patient
            )
        ).all()
        assert {
            row.system_fault
            for row in states
            if days.now - 2 * DAY < row.due_at < days.now
        } == {True}
        assert any(row.due_at > days.now for row in states)
        ahead = session.scalars(
            sa.select(Reminder.state).where(
                Reminder.patient_id == world.patient, Reminder.due_at > days.now
            )
        )
        assert set(ahead) == {"open"}
    # Of what was due meanwhile nobody is reminded any more.
    dues = [m for m in sink.mails if "time" in str(m.message["Subject"]).lower()]
    assert dues == []
    days.move(hours=12)
    for job in TIMETABLE:
        job.run()
    mine = [m for m in sink.mails if m.recipients == ("rosa@family.example",)]
    assert len(mine) == 1
    assert client.get(f"/patients/{world.patient}/today").status_code == 200


def test_the_name_must_be_typed_and_no_step_can_be_skipped(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    """(11, 42)."""
    client = signed_in(app, world.marta, now=now)
    here = f"/patients/{world.patient}/leave"
    token = csrf_of(client, here)
    for typed in ({}, {"name": ""}, {"name": "Bruno"}):
        answer = client.post(here, data={"csrf_token": token, **typed})
        assert answer.status_code == 422
    with db.reading() as session:
        assert session.get_one(Patient, world.patient).leaves_at is None
    answer = client.post(here, data={"csrf_token": token, "name": " rosa "})
    assert answer.location.endswith("/leaving")
    with db.reading() as session:
        kept = session.get_one(Patient, world.patient)
        assert kept.leaves_at == now + 30 * DAY
    again = client.post(here, data={"csrf_token": token, "name": "Rosa"})
    assert again.location.endswith("/leaving")


def test_after_thirty_days_it_cannot_be_taken_back(
    app: Flask, db: Database, world: World, days: Days
) -> None:
    leave(db, world, now=days.now)
    days.move(days=30)
    client = signed_in(app, world.rosa, now=days.now)
    here = f"/patients/{world.patient}/leaving"
    assert client.get(here).status_code == 404
    data = {"csrf_token": csrf_of(client, "/people")}
    assert client.post(here, data=data).status_code == 404


def test_an_account_that_leaves_is_signed_out_everywhere_and_can_only_come_back(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    """A stolen session is dead at once (39)."""
    stolen = signed_in(app, world.luis, now=now)
    client = signed_in(app, world.luis, now=now)
    data = {"csrf_token": csrf_of(client, "/account/leave"), "name": "Luis"}
    assert client.post("/account/leave", data=data).location == "/sign-in"
    assert stolen.get("/people").location.startswith("/sign-in")
    back = signed_in(app, world.luis, now=now)
    for path in ("/people", f"/patients/{world.patient}/today", "/account/sessions"):
        assert back.get(path).location == "/account/leaving"
    assert "Take it back" in back.get("/account/leaving").text
    data = {"csrf_token": csrf_of(back, "/account/leaving")}
    assert back.post("/account/leaving", data=data).location == "/people"
    assert back.get(f"/patients/{world.patient}/today").status_code == 200


def test_nobody_leaves_somebody_behind_unnoticed(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    client = signed_in(app, world.eve, now=now)
    token = csrf_of(client, "/account/leave")
    data = {"csrf_token": token, "name": "Eve"}
    assert client.post("/account/leave", data=data).status_code == 422
    data["gone"] = str(world.patient)
    assert client.post("/account/leave", data=data).status_code == 422
    data["gone"] = str(world.other_patient)
    assert client.post("/account/leave", data=data).status_code == 303
    assert statuses(db, world.other_patient) == {ASIDE}
    assert statuses(db, world.patient) == {ACCEPTED}
    with db.reading() as session:
        assert session.get_one(Patient, world.other_patient).leaves_at


@pytest.mark.parametrize("first", ["patient", "account"])
def test_who_left_twice_is_back_when_both_are_taken_back(
    db: Database, world: World, now: datetime, first: str
) -> None:
    with db.transaction() as session:
        leave_patient(session, world.patient, by_id=world.rosa, now=now)
        leave_account(session, world.marta, now=now)
        if first == "patient":
            stay_patient(session, world.patient, by_id=world.rosa, now=now)
            stay_account(session, world.marta, now=now)
        else:
            stay_account(session, world.marta, now=now)
            stay_patient(session, world.patient, by_id=world.rosa, now=now)
    assert statuses(db, world.patient) == {ACCEPTED}


def test_a_reply_by_message_of_who_is_leaving_is_a_strangers(
    db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        assert contacts_at(session, "email", "rosa@family.example")
        leave_patient(session, world.patient, by_id=world.marta, now=now)
        found = contacts_at(session, "email", "rosa@family.example")
        assert [one for one in found if one.patient_id] == []


def test_two_who_manage_cannot_both_leave_somebody_behind(
    db: Database, world: World, days: Days
) -> None:
    """Each was there when the other's form was read."""
    both = (world.luis, world.marta)
    with db.transaction() as session:
        mine = sa.update(Grant).where(Grant.patient_id == world.patient)
        session.execute(mine.values(status="revoked"))
        session.execute(
            mine.where(Grant.account_id.in_(both)).values(
                status=ACCEPTED, level=int(Level.MANAGE), ends_at=None
            )
        )

    def leave_at_once(number: int) -> bool:
        try:
            with db.transaction() as session:
                leave_account(session, both[number], now=days.now)
        except InvalidError:
            return False
        return True

    assert sorted(at_once(2, leave_at_once)) == [False, True]
    assert statuses(db, world.patient) == {"revoked", ACCEPTED, ASIDE}


def test_who_relied_on_a_helper_hears_that_they_are_gone(
    db: Database, world: World, days: Days, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        told = sa.update(Grant).where(Grant.account_id == world.luis)
        session.execute(told.values(ladder_place=1))
        leave_account(session, world.luis, now=days.now)
    for job in TIMETABLE:
        if job.name == "deliver":
            job.run()
    heard = {
        mail.recipients[0]
        for mail in sink.mails
        if mail.message["Subject"] == "Somebody does not help any more"
    }
    assert heard == {"rosa@family.example", "marta@family.example"}
