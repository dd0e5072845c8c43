"""What somebody may do: as much as was given, until it ends, to the second."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.base.errors import NotFoundError
from pillweb.base.viewer import Viewer
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.invitations.actions.looking_after import ask_about_access
from pillweb.outbox.models import Delivery
from pillweb.patients.models import ZoneChange
from pillweb.sharing.actions.granting import end_grants, let_in, stop_access
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import helpers_of
from pillweb.sharing.queries.doors import open_door, patients_of
from pillweb.sharing.rules import (
    CAREGIVER,
    HISTORY,
    NAMES,
    OWN_TERMS,
    SELF,
    Level,
)
from tests.world import World, csrf_of, make_cast_account, signed_in

SECOND = timedelta(seconds=1)
A_YEAR = timedelta(days=365)
MEDICINE = ("Amlodipine", "5 mg", "blood pressure", "With water")


def grant_of(session: Session, account_id: int) -> Grant:
    return session.scalars(sa.select(Grant).where(Grant.account_id == account_id)).one()


def viewer(account_id: int, at: datetime) -> Viewer:
    return Viewer(account_id, session_id=0, name="", email="", at=at)


def limit(db: Database, account_id: int, **to: object) -> int:
    with db.transaction() as session:
        grant = grant_of(session, account_id)
        for name, value in to.items():
            setattr(grant, name, value)
        return grant.id


@pytest.fixture
def marta(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.marta, now=now)


def press(client: FlaskClient, path: str, **typed: object) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client, "/look"), **typed})


def test_a_grant_ends_to_the_second(
    db: Database, world: World, session: Session, now: datetime
) -> None:
    end = now + timedelta(days=3)
    grant_of(session, world.luis).ends_at = end
    session.flush()
    before = viewer(world.luis, end - SECOND)
    assert open_door(session, before, world.patient, need=Level.MARK)
    after = viewer(world.luis, end)
    with pytest.raises(NotFoundError):
        open_door(session, after, world.patient, need=Level.VIEW, shows=())
    assert patients_of(session, before)
    assert not patients_of(session, after)
    told = helpers_to_tell(session, world.patient, [world.luis, world.nora], now=end)
    assert set(told) == {world.nora}


def test_who_is_let_in_as_the_patient_and_helps_nobody_signs_in_as_one(
    session: Session, world: World, now: datetime
) -> None:
    """Who helps somebody, too, opens that one's record by signing in (9)."""
    carmen = make_cast_account(session, "Carmen", now=now).id
    for account_id, role, is_patient in (
        (world.luis, CAREGIVER, False),
        (world.nora, SELF, False),
        (carmen, SELF, True),
    ):
        let_in(
            session,
            account_id=account_id,
            patient_id=world.other_patient,
            terms=OWN_TERMS._replace(role=role),
            given_by_id=world.eve,
            now=now,
        )
        assert session.get_one(Account, account_id).is_patient == is_patient


def test_what_is_over_is_ended_and_nothing_more_is_told(
    session: Session, world: World, now: datetime
) -> None:
    grant = grant_of(session, world.luis)
    grant.ends_at, grant.alerts, grant.ladder_place = now, True, 1
    waiting = Delivery(
        kind="dose_alert",
        channel="email",
        recipient="luis@family.example",
        dedupe_key="waits",
        context="{}",
        state="pending",
        account_id=world.luis,
        patient_id=world.patient,
        created_at=now,
        next_at=now,
        expires_at=now + A_YEAR,
    )
    session.add(waiting)
    session.flush()
    assert end_grants(session, now=now - SECOND, limit=9) == []
    assert end_grants(session, now=now, limit=9) == [grant]
    assert end_grants(session, now=now, limit=9) == []
    session.expire_all()
    told: tuple[object, ...] = (grant.status, grant.alerts, grant.ladder_place)
    assert told == ("ended", False, None)
    assert (waiting.state, waiting.context) == ("suppressed", None)


def test_one_press_ends_access_also_where_a_page_is_open(
    app: Flask, marta: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    luis = signed_in(app, world.luis, now=now)
    today = f"/patients/{world.patient}/today"
    assert luis.get(today).status_code == 200
    grant = limit(db, world.luis)
    stop = f"/patients/{world.patient}/sharing/people/{grant}/stop"
    assert press(marta, stop).status_code == 303
    assert luis.get(today).status_code == 404
    take = press(luis, f"/patients/{world.patient}/doses/1/take")
    assert take.status_code == 404
    assert press(marta, stop).status_code == 404
    with db.reading() as session:
        assert grant_of(session, world.luis).status == "revoked"
    assert "Luis" not in marta.get(f"/patients/{world.patient}/sharing").text


def test_somebody_is_left_who_manages(
    session: Session, world: World, now: datetime
) -> None:
    marta, rosa = grant_of(session, world.marta), grant_of(session, world.rosa)
    rosa.ends_at = now + A_YEAR
    session.flush()
    facts = {"patient_id": world.patient, "grant_id": marta.id, "now": now}
    assert stop_access(session, **facts) is False  # type: ignore[arg-type]
    rosa.ends_at = None
    session.flush()
    assert stop_access(session, **facts) is True  # type: ignore[arg-type]


def test_the_last_who_manages_cannot_step_down(
    app: Flask, marta: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    limit(db, world.rosa, status="revoked")
    grant = limit(db, world.marta)
    here = f"/patients/{world.patient}/sharing/people/{grant}"
    for path, typed in ((here, {"level": "1"}), (f"{here}/stop", {})):
        answer = press(marta, path, **typed)
        assert answer.status_code == 422
        assert "Somebody must be left" in answer.text
    with db.reading() as session:
        assert grant_of(session, world.marta).level == 3


def test_a_helper_may_do_what_was_chosen(
    marta: FlaskClient, world: World, db: Database
) -> None:
    """No other column of a grant can be set by its form (checklist 44)."""
    grant = limit(db, world.nora)
    here = f"/patients/{world.patient}/sharing/people/{grant}"
    typed = {"level": "2", "sees": "names", "until": "2026-11-30", "role": "self"}
    assert press(marta, here, **typed, status="x", account_id="1").status_code == 303
    with db.reading() as session:
        row = grant_of(session, world.nora)
        assert (row.level, row.sees, row.role) == (2, ["names"], "caregiver")
        assert row.ends_at == datetime.fromisoformat("2026-12-01T00:00:00+00:00")
    page = marta.get(f"/patients/{world.patient}/sharing").text
    assert "May look and record doses. Sees which medicines they are." in page
    assert "Until Monday 30 November." in page
    assert 'value="2026-11-30"' in marta.get(here).text
    assert press(marta, here, level="2", until="2026-11-19").status_code == 422
    assert press(marta, here, level="4").status_code == 422


@pytest.mark.parametrize("elsewhere", ["America/New_York", "Asia/Tokyo"])
def test_what_is_saved_unchanged_on_a_journey_ends_when_it_did(
    elsewhere: str, marta: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    grant = limit(db, world.nora)
    here = f"/patients/{world.patient}/sharing/people/{grant}"
    typed = {"level": "1", "sees": "names", "until": "2026-11-27"}
    assert press(marta, here, **typed).status_code == 303
    with db.transaction() as session:
        before = grant_of(session, world.nora).ends_at
        facts = {"zone": elsewhere, "before": "Europe/London", "is_travel": True}
        times = {"at": now, "created_at": now}
        session.add(ZoneChange(patient_id=world.patient, **facts, **times))
    assert 'value="2026-11-27"' in marta.get(here).text
    assert press(marta, here, **typed).status_code == 303
    with db.reading() as session:
        assert grant_of(session, world.nora).ends_at == before


def test_a_day_that_was_left_as_it_stood_ends_when_it_did(
    marta: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    """Also where home has moved since."""
    end = datetime.fromisoformat("2026-11-27T18:30:00+00:00")
    grant = limit(db, world.nora, ends_at=end)
    here = f"/patients/{world.patient}/sharing/people/{grant}"
    shown = re.findall(r'name="until"[^>]*value="([^"]+)"', marta.get(here).text)[0]
    saved = press(marta, here, level="1", sees="names", until=shown)
    assert saved.status_code == 303
    with db.reading() as session:
        assert grant_of(session, world.nora).ends_at == end


def test_without_names_no_page_names_a_medicine(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    """Who may not see names is shown none, whatever is opened (checklist 44)."""
    limit(db, world.luis, sees=[HISTORY])
    luis = signed_in(app, world.luis, now=now)
    base = f"/patients/{world.patient}"
    take = press(luis, f"{base}/doses/1/take")
    assert take.status_code == 303
    for path in (take.location, f"{base}/days/2026-11-20", f"{base}/calendar"):
        page = luis.get(path)
        assert page.status_code == 200
        assert [word for word in MEDICINE if word in page.text] == []
        assert f"{base}/medicines" not in page.text
        assert "/amount" not in page.text
    closed = ("medicines", "supply", "doses/1/skip", "reports/now", "papers/week")
    for path in closed:
        assert luis.get(f"{base}/{path}").status_code == 404
    answer = luis.post(
        f"{base}/doses/1/undo",
        data={"csrf_token": csrf_of(luis, "/look")},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert [word for word in MEDICINE if word in answer.text] == []


def test_without_history_there_is_only_today(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    limit(db, world.nora, sees=[NAMES])
    nora = signed_in(app, world.nora, now=now)
    base = f"/patients/{world.patient}"
    page = nora.get(f"{base}/today").text
    assert "Amlodipine" in page
    for path in ("calendar", "days/2026-11-20", "messages"):
        assert f"{base}/{path}" not in page
        assert nora.get(f"{base}/{path}").status_code == 404


def test_a_doctor_sees_the_report_where_that_was_chosen(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    nora = signed_in(app, world.nora, now=now)
    report = f"/patients/{world.patient}/reports/now"
    assert nora.get(report).status_code == 404
    limit(db, world.nora, sees=["names", "history", "reports"])
    assert "Amlodipine" in nora.get(report).text
    assert report in nora.get(f"/patients/{world.patient}/today").text
    assert nora.get(f"/patients/{world.patient}/reports").status_code == 404


def test_the_patients_side_is_asked_once_a_year(
    session: Session, world: World, now: datetime, pinned: time_machine.Traveller
) -> None:
    luis = grant_of(session, world.luis)
    others = sa.update(Grant).where(Grant.id != luis.id).values(ask_at=None)
    session.execute(others)
    assert ask_about_access(session, now=now + A_YEAR - SECOND, limit=9) == 0
    at = now + A_YEAR
    pinned.move_to(at)
    for asked in (1, 0):
        assert ask_about_access(session, now=at, limit=9) == asked
    told = sa.select(Delivery).where(Delivery.kind == "access_yearly")
    rows = session.scalars(told).all()
    assert {row.account_id for row in rows} == {world.rosa, world.marta}
    session.refresh(luis)
    assert luis.ask_at == at + A_YEAR


def test_three_children_help_one_mother_and_one_child_helps_many(
    app: Flask, world: World, db: Database, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        assert len(helpers_of(session, world.patient)) == 3
        session.add(
            Grant(
                account_id=world.marta,
                patient_id=world.other_patient,
                level=1,
                role="doctor",
                status="accepted",
                sees=[],
                created_at=now,
            )
        )
    page = signed_in(app, world.marta, now=now).get("/people").text
    assert f"/patients/{world.patient}/today" in page
    assert f"/patients/{world.other_patient}/today" in page
    assert "You are the doctor" in page
