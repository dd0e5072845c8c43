"""From the button on one page to the patient on another, through both workers."""

import json
from datetime import datetime, timedelta
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from jobs import bring_in, take_out
from pillweb.accounts.models import WebSession
from pillweb.audit.models import AuditEntry
from pillweb.audit.queries import verify_all
from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.factory import LARGER_FILES
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.reminders.actions.firing import fire_reminders
from pillweb.reminders.models import Reminder
from pillweb.sharing.models import Grant
from pillweb.transfers.models import BroughtIn, PastEntry, TakenOut
from pillweb.transfers.queries import files
from pillweb.transfers.rules.names import disposition
from tests.jobs.conftest import Moment, moment
from tests.world import World, csrf_of, signed_in

__all__ = ["moment"]

AGREED = {"who": "other", "agreed": "attorney", "agreed_note": "A paper of 2024"}


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def eve(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> FlaskClient:
    with db.transaction() as session:
        # Bruno and Rosa were not added in the same microsecond.
        bruno = session.get_one(Patient, world.other_patient)
        bruno.created_at = now - timedelta(days=1)
    return signed_in(app, world.eve, now=now)


def press(client: FlaskClient, path: str, **data: object) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client), **data})


def saved(rosa: FlaskClient, world: World) -> bytes:
    here = f"/patients/{world.patient}/export"
    assert press(rosa, here).status_code == 303
    assert "The file is being made." in rosa.get(here).text
    assert take_out.run() == 1
    assert "Save the file" in rosa.get(here).text
    answer = rosa.get(f"{here}/1.zip")
    assert answer.status_code == 200
    raw: bytes = answer.data
    answer.close()
    return raw


def sent(client: FlaskClient, raw: bytes) -> str:
    answer = press(client, "/people/import", file=(BytesIO(raw), "a.zip"))
    assert answer.status_code == 303, answer.text
    return answer.location


def test_all_the_way(
    rosa: FlaskClient, eve: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    raw = saved(rosa, world)
    there = sent(eve, raw)
    assert "We are looking through the file." in eve.get(there).text
    assert bring_in.run() == 1
    page = eve.get(there).text
    for words in ("Bring in <bdi>Rosa</bdi>?", "1 medicine", "20 November 2026"):
        assert words in page
    assert press(eve, there, who="other").status_code == 422
    assert press(eve, there, **AGREED).status_code == 303
    assert "It is being brought in." in eve.get(there).text
    assert bring_in.run() == 1
    assert "Everything is here." in eve.get(there).text
    with db.reading() as session:
        row = session.scalars(sa.select(BroughtIn)).one()
        assert (row.content, row.found, row.state) == (None, None, "ready")
        grants = session.scalars(
            sa.select(Grant).where(Grant.patient_id == row.made_id)
        ).all()
        assert [(one.account_id, one.role) for one in grants] == [
            (world.eve, "caregiver")
        ]
        acts = session.scalars(
            sa.select(AuditEntry.act).where(AuditEntry.patient_id == row.made_id)
        ).all()
        assert acts == ["jobs.bring_in"]
        assert verify_all(session)[0] == []
    path = f"/patients/{row.made_id}"
    agreed = eve.get(f"{path}/agreed").text
    for words in ("somebody who may decide this for them", "A paper of 2024"):
        assert words in agreed
    assert "Eve brought this person in" in eve.get(f"{path}/access").text
    assert "Rosa asked for everything" in eve.get(f"{path}/access/before").text
    assert eve.get(f"{path}/today").status_code == 200
    assert rosa.get(f"{path}/today").status_code == 404


def test_the_record_says_who_took_it(
    rosa: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    """Asked for, made and saved: each stands in the record (63)."""
    saved(rosa, world)
    with db.reading() as session:
        found = session.execute(
            sa.select(AuditEntry.act, AuditEntry.account_id)
            .where(AuditEntry.patient_id == world.patient)
            .order_by(AuditEntry.seq)
        ).all()
    assert [tuple(row) for row in found] == [
        ("taking.post_export", world.rosa),
        ("jobs.take_out", None),
        ("taking.show_file", world.rosa),
    ]


def test_who_was_not_asked_lately_is_asked_again(
    rosa: FlaskClient, db: Database, world: World, now: datetime, moment: Moment
) -> None:
    """Neither made nor saved by whoever finds an open tablet (42)."""
    saved(rosa, world)
    with db.transaction() as session:
        session.execute(sa.update(WebSession).values(proved_at=now - timedelta(1)))
    here = f"/patients/{world.patient}/export"
    assert press(rosa, here).status_code == 401
    answer = rosa.get(f"{here}/1.zip")
    assert (answer.status_code, answer.location[:14]) == (303, "/sign-in/again")


def test_the_file_is_saved_as_a_file(
    rosa: FlaskClient, world: World, moment: Moment
) -> None:
    saved(rosa, world)
    headers = rosa.get(f"/patients/{world.patient}/export/1.zip").headers
    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Security-Policy"].endswith("; sandbox")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Disposition"] == (
        'attachment; filename="pillweb-2026-11-20.zip"; '
        "filename*=UTF-8''Rosa%202026-11-20.zip"
    )


@pytest.mark.parametrize(
    "name", ['A"; filename=x.exe', "A\r\nSet-Cookie: a=b", "../../etc", "阿\u202e", ""]
)
def test_no_name_writes_a_header(name: str, now: datetime) -> None:
    """RFC 6266, whatever somebody is called (27, 6)."""
    said = disposition(name, now.date())
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2
    assert "/" not in said.partition("''")[2]


def test_after_a_week_it_is_gone(
    rosa: FlaskClient, db: Database, world: World, pinned: object, moment: Moment
) -> None:
    saved(rosa, world)
    moment.move(days=7)
    with db.reading() as session:
        assert take_out.oldest(session, moment.now) is not None
    assert take_out.run() == 0
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TakenOut)) == 0
        assert take_out.oldest(session, moment.now) is None


def test_two_presses_are_one_file_and_a_crowd_is_told_to_wait(
    rosa: FlaskClient, db: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = f"/patients/{world.patient}/export"
    for _ in range(2):
        assert press(rosa, here).status_code == 303
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TakenOut)) == 1
    monkeypatch.setattr(files, "MOST_WAITING", 1)
    assert press(rosa, here).status_code == 503


def test_one_that_cannot_be_made_stops_nobody_and_is_given_up(
    rosa: FlaskClient, world: World, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = f"/patients/{world.patient}/export"
    press(rosa, here)
    monkeypatch.setattr(take_out, "write_everything", None)
    for _ in range(5):
        assert take_out.run() == 0
        moment.move(minutes=11)
    assert "The file could not be made." in rosa.get(here).text


def test_nobody_is_doubled_unasked(
    rosa: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    there = sent(rosa, saved(rosa, world))
    bring_in.run()
    page = rosa.get(there).text
    assert "This person is here already." in page
    assert press(rosa, there, who="other").status_code == 422
    assert bring_in.run() == 0
    assert press(rosa, there, **AGREED, again="yes").status_code == 303
    press(rosa, there, **AGREED, again="yes")
    assert bring_in.run() == 1
    assert bring_in.run() == 0
    assert len(people(db)) == 3


def people(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Patient.id)))


def test_while_one_is_brought_in_no_other_is_begun(
    eve: FlaskClient, rosa: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    raw = saved(rosa, world)
    there = sent(eve, raw)
    bring_in.run()
    press(eve, there, **AGREED)
    assert sent(eve, raw) == there
    bring_in.run()
    other = sent(eve, raw)
    assert other != there
    bring_in.run()
    assert "This person is here already." in eve.get(other).text


def test_nobody_is_reminded_of_the_past_and_the_gap_counts_for_nothing(
    eve: FlaskClient, rosa: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    raw = saved(rosa, world)
    with db.transaction() as session:
        session.execute(sa.delete(Delivery))
    moment.move(days=2, hours=-1)
    there = sent(eve, raw)
    bring_in.run()
    press(eve, there, **AGREED)
    bring_in.run()
    with db.transaction() as session:
        new = session.scalars(sa.select(BroughtIn)).one().made_id
        assert new is not None
        mine = sa.select(Dose).where(Dose.patient_id == new).order_by(Dose.due_at)
        said = [
            (one.due_at > moment.now, one.system_fault) for one in session.scalars(mine)
        ]
        past = session.scalars(
            sa.select(Reminder.state).where(
                Reminder.patient_id == new, Reminder.due_at <= moment.now
            )
        ).all()
        assert set(past) <= {"done"}
        fire_reminders(session, now=moment.now, limit=99)
        kinds = session.scalars(
            sa.select(Delivery.kind).where(Delivery.patient_id == new)
        ).all()
    # Who brought somebody in hears that reminders go nowhere yet, and nothing else.
    assert set(kinds) <= {"unreachable"}
    # One was due before it was taken out, then four until now, then days to come.
    assert said[0] == (False, False)
    assert said[1:5] == [(False, True)] * 4 or said[1:4] == [(False, True)] * 3
    assert {one for one in said if one[0]} == {(True, False)}


def test_what_is_no_such_file_is_said_and_changes_nothing(
    eve: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    """Refused at the door, or by the worker; never a page of ours (25, 65)."""
    for raw in (b"", b"not a zip", b"%PDF"):
        answer = press(eve, "/people/import", file=(BytesIO(raw), "a.zip"))
        assert answer.status_code == 422
    assert press(eve, "/people/import").status_code == 422
    for told, words in (
        ({}, "not a file of PillWeb"),
        ({"format": "pillweb", "version": 9}, "from a newer PillWeb"),
    ):
        out = BytesIO()
        with ZipFile(out, "w", ZIP_DEFLATED) as file:
            file.writestr("pillweb.json", json.dumps(told))
        there = sent(eve, out.getvalue())
        bring_in.run()
        assert words in eve.get(there).text
        assert press(eve, there, **AGREED).status_code == 303
    with db.reading() as session:
        assert session.scalars(sa.select(BroughtIn.content)).all() == [None]
    assert len(people(db)) == 2


def test_only_that_page_takes_large_files(
    app: Flask, eve: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the usual is the most, whoever sends it (25)."""
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 2000)
    large = b"x" * 3000
    answer = press(eve, "/people/import", file=(BytesIO(large), "a.zip"))
    assert answer.status_code == 422
    assert press(eve, "/look", file=(BytesIO(large), "a.zip")).status_code == 413
    monkeypatch.setitem(LARGER_FILES, "bringing.post_import_person", 2500)
    answer = press(eve, "/people/import", file=(BytesIO(large), "a.zip"))
    assert answer.status_code == 413


def test_a_plan_that_cannot_be_made_is_refused_at_the_first_look(
    rosa: FlaskClient, eve: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    """Not tried three times, and then said to be our fault (65)."""
    told = json.loads(ZipFile(BytesIO(saved(rosa, world))).read("pillweb.json"))
    told["patient"]["meals"] = {"breakfast": "08:00"}
    told["lines"][0]["rule"]["times"] = [{"meal": "bedtime", "dose": "1"}]
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as file:
        file.writestr("pillweb.json", json.dumps(told))
    there = sent(eve, out.getvalue())
    assert bring_in.run() == 1
    assert "not a file of PillWeb" in eve.get(there).text


def test_a_worker_that_dies_in_the_middle_leaves_nothing(
    rosa: FlaskClient, eve: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    there = sent(eve, saved(rosa, world))
    bring_in.run()
    press(eve, there, **AGREED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pillweb.transfers.actions.bringing.arm_reminders", None)
        assert bring_in.run() == 0
        assert len(people(db)) == 2
    moment.move(minutes=11)
    assert bring_in.run() == 1
    assert len(people(db)) == 3


def test_what_nobody_agrees_to_is_forgotten(
    rosa: FlaskClient, eve: FlaskClient, db: Database, world: World, moment: Moment
) -> None:
    sent(eve, saved(rosa, world))
    bring_in.run()
    moment.move(days=1)
    take_out.run()
    with db.reading() as session:
        assert session.scalars(sa.select(BroughtIn)).all() == []


def test_what_was_done_elsewhere_is_a_list_and_no_chain(
    session: Session, world: World, now: datetime
) -> None:
    words = [PastEntry(patient_id=world.patient, at=now, words="x") for _ in range(3)]
    session.add_all(words)
    session.flush()
    found = files.past_of(session, world.patient, page=0, limit=2)
    assert len(found) == 2
    assert len(files.past_of(session, world.patient, page=1, limit=2)) == 1
