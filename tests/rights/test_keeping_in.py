"""Sharing stops for a while: nobody sees anything, and reminders go on."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.reports.models import ReportOrder
from pillweb.reports.queries import oldest_order_due
from pillweb.rights.queries import kept_out_of
from pillweb.sharing.models import Grant
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
