"""Sharing stops for a while: nobody sees anything, and reminders go on."""

import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.base.errors import LinkGoneError
from pillweb.feeds.actions import make_feed
from pillweb.invitations.actions.inviting import invite
from pillweb.invitations.queries import invitation_behind
from pillweb.medications.models import Medication
from pillweb.reports.models import ReportOrder
from pillweb.reports.queries import oldest_order_due
from pillweb.rights.actions.keeping_in import keep_in
from pillweb.rights.actions.leaving import leave_account, stay_account
from pillweb.rights.queries import kept_out_of
from pillweb.sharing.models import Grant, ShareLink
from pillweb.sharing.rules import CAREGIVER, EVERYTHING, SELF, Level, Terms
from tests.tablets import browser_of, connected
from tests.world import World, csrf_of, signed_in


@pytest.fixture
def rosa(app: Flask, world: World, now: datetime, pinned: object) -> FlaskClient:
    return signed_in(app, world.rosa, now=now)


def here(world: World) -> str:
    return f"/patients/{world.patient}/sharing/for-now"


def press(client: FlaskClient, path: str, at: str, **typed: object) -> int:
    data = {"csrf_token": csrf_of(client, at), **typed}
    return client.post(path, data=data).status_code


def test_nobody_sees_anything_until_it_is_shared_again(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    """GDPR, article 18."""
    today = f"/patients/{world.patient}/today"
    others = [
        signed_in(app, one, now=now) for one in (world.marta, world.luis, world.nora)
    ]
    guest = app.test_client()
    assert press(guest, f"/s/{world.link_token}", f"/s/{world.link_token}") == 303
    shared = f"/shared/{world.link}/today"
    assert guest.get(shared).status_code == 200
    with db.transaction() as session:
        session.execute(sa.update(ReportOrder).values(next_at=now))
        session.execute(
            sa.delete(ReportOrder).where(ReportOrder.patient_id == world.other_patient)
        )
        assert oldest_order_due(session, now=now) == now
    assert press(rosa, here(world), here(world)) == 303
    assert {one.get(today).status_code for one in others} == {404}
    assert {"Rosa" in one.get("/people").text for one in others} == {False}
    assert guest.get(shared).status_code == 404
    assert guest.get(f"/s/{world.link_token}").status_code == 404
    assert rosa.get(today).status_code == 200
    with db.reading() as session:
        assert oldest_order_due(session, now=now) is None
        assert kept_out_of(session, world.patient) == ["Marta", "Luis", "Nora"]
    assert "Marta" in rosa.get(here(world)).text
    assert press(rosa, f"{here(world)}/end", here(world)) == 303
    assert {one.get(today).status_code for one in others} == {200}
    assert guest.get(shared).status_code == 200


def test_where_time_matters_it_asks_who_is_still_told(
    db: Database, world: World, rosa: FlaskClient
) -> None:
    with db.transaction() as session:
        urgent = sa.update(Medication).where(Medication.id == world.medication)
        session.execute(urgent.values(category="time_critical"))
        told = sa.update(Grant).where(Grant.account_id == world.luis)
        session.execute(told.values(ladder_place=1))
        luis = session.scalars(
            sa.select(Grant.id).where(Grant.account_id == world.luis)
        ).one()
    shown = rosa.get(here(world)).text
    assert "Who still sees and is told?" in shown
    assert "Luis" in shown
    assert "Nora" not in shown
    assert press(rosa, here(world), here(world), still=str(luis)) == 303
    with db.reading() as session:
        assert kept_out_of(session, world.patient) == ["Marta", "Nora"]
    assert press(rosa, here(world), here(world), still="999") in {200, 422}


def calendar_of(db: Database, world: World, made_by: int, now: datetime) -> str:
    with db.transaction() as session:
        _row, token = make_feed(
            session,
            patient_id=world.patient,
            made_by_id=made_by,
            label=f"phone {made_by}",
            shows_names=True,
            look="",
            now=now,
        )
        return f"/ics/{token}"


def tablet_of(
    app: Flask, db: Database, world: World, made_by: int, now: datetime
) -> FlaskClient:
    with db.transaction() as session:
        secret, _place = connected(session, world.patient, made_by, now=now)
    return browser_of(app, secret)


def test_calendars_of_others_stop_and_the_patients_own_rings_on(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    martas = calendar_of(db, world, world.marta, now)
    own = calendar_of(db, world, world.rosa, now)
    phone = app.test_client()
    asked = rosa.get(here(world)).text
    _before, _, after = asked.partition("get nothing new")
    stopping, _, staying = after.partition("What is to stop, too?")
    assert f"phone {world.marta}" in stopping
    assert f"phone {world.rosa}" in staying
    assert press(rosa, here(world), here(world)) == 303
    assert [phone.get(one).status_code for one in (martas, own)] == [404, 200]
    assert press(rosa, f"{here(world)}/end", here(world)) == 303
    assert [phone.get(one).status_code for one in (martas, own)] == [200, 200]


def test_tablets_and_the_own_calendar_stay_unless_they_are_ticked(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    own = calendar_of(db, world, world.rosa, now)
    tablet = tablet_of(app, db, world, world.marta, now)
    today = f"/patients/{world.patient}/today"
    asked = rosa.get(here(world)).text
    assert press(rosa, here(world), here(world)) == 303
    told = rosa.get(here(world)).text
    for page in (asked, told):
        assert "The tablet “Kitchen”" in page
        assert f"The calendar of a phone “phone {world.rosa}”" in page
    assert tablet.get(today).status_code == 200
    assert press(rosa, f"{here(world)}/end", here(world)) == 303
    ticked = re.findall(r'name="ends" value="([^"]+)">', asked)
    assert len(ticked) == 2
    assert press(rosa, here(world), here(world), ends=ticked) == 303
    assert tablet.get(today).status_code == 303
    assert app.test_client().get(own).status_code == 404


def test_what_a_stopped_helper_made_is_ended_with_one_press(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    tablet = tablet_of(app, db, world, world.marta, now)
    phone = calendar_of(db, world, world.marta, now)
    own = calendar_of(db, world, world.rosa, now)
    with db.transaction() as session:
        given = sa.update(ShareLink).where(ShareLink.id == world.link)
        session.execute(given.values(made_by_id=world.marta))
        grant = session.scalars(
            sa.select(Grant.id).where(Grant.account_id == world.marta)
        ).one()
    guest = app.test_client()
    assert press(guest, f"/s/{world.link_token}", f"/s/{world.link_token}") == 303
    one = f"/patients/{world.patient}/sharing/people/{grant}"
    csrf = {"csrf_token": csrf_of(rosa, one)}
    stopped = rosa.post(f"{one}/stop", data=csrf)
    assert stopped.location == f"{one}/made"
    # Her access ended by that press alone; what is with others waits for the next.
    page = rosa.get(stopped.location).text
    assert "Marta" in page
    ticked = re.findall(r'name="ends" value="([^"]+)" checked', page)
    assert [way.partition("-")[0] for way in ticked] == ["tablet", "link", "feed"]
    today, shared = f"/patients/{world.patient}/today", f"/shared/{world.link}/today"
    assert guest.get(shared).status_code == 200
    assert press(rosa, f"{one}/made", f"{one}/made", ends=ticked[:1]) == 303
    assert tablet.get(today).status_code == 303
    assert guest.get(shared).status_code == 200
    assert press(rosa, f"{one}/made", f"{one}/made", ends=ticked[1:]) == 303
    assert guest.get(shared).status_code == 404
    assert guest.get(phone).status_code == 404
    assert guest.get(own).status_code == 200
    # Nothing of hers is left: there is nothing to ask.
    assert rosa.get(f"{one}/made").status_code == 303


def test_only_what_that_helper_made_is_ended_there(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    tablet_of(app, db, world, world.marta, now)
    tablet = tablet_of(app, db, world, world.rosa, now)
    with db.transaction() as session:
        grant = session.scalars(
            sa.select(Grant.id).where(Grant.account_id == world.marta)
        ).one()
    made = f"/patients/{world.patient}/sharing/people/{grant}/made"
    assert press(rosa, made, made, ends="tablet-2") == 422
    assert tablet.get(f"/patients/{world.patient}/today").status_code == 200


def test_who_comes_back_while_sharing_is_stopped_sees_nothing_yet(
    app: Flask, db: Database, world: World, now: datetime, rosa: FlaskClient
) -> None:
    with db.transaction() as session:
        leave_account(session, world.luis, now=now)
    assert press(rosa, here(world), here(world)) == 303
    with db.transaction() as session:
        stay_account(session, world.luis, now=now)
    luis = signed_in(app, world.luis, now=now)
    today = f"/patients/{world.patient}/today"
    assert luis.get(today).status_code == 404
    assert press(rosa, f"{here(world)}/end", here(world)) == 303
    assert luis.get(today).status_code == 200


@pytest.mark.parametrize(("role", "opens"), [(CAREGIVER, False), (SELF, True)])
def test_an_invitation_waits_until_it_is_shared_again(
    role: str, db: Database, world: World, now: datetime, *, opens: bool
) -> None:
    with db.transaction() as session:
        keep_in(session, world.patient, by_id=world.marta, still=(), now=now)
        _row, token = invite(
            session,
            patient_id=world.patient,
            patient_name="Rosa",
            made_by_id=world.marta,
            label="Ida",
            terms=Terms(Level.MANAGE, role, EVERYTHING),
            channel=None,
            address="",
            now=now,
        )
    with db.reading() as session:
        if opens:
            assert invitation_behind(session, token, now=now).role == SELF
        else:
            with pytest.raises(LinkGoneError):
                invitation_behind(session, token, now=now)
