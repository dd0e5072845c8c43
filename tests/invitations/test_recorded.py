"""Who is let in is in the record, and gets another secret (checklist 41 and 63)."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.audit.models import AuditEntry
from pillweb.base.db import Database
from pillweb.invitations.queries import code_of_patient
from tests.invitations.test_inviting import eve, offer, press, rosa, secret_of
from tests.world import World

__all__ = ["eve", "rosa"]
ANSWERS = ("invited.", "asking.")


def recorded(db: Database, patient_id: int) -> list[tuple[str, int | None, str]]:
    """Return (by, account, act) of what was said to offers, and asked for."""
    with db.reading() as session:
        rows = session.scalars(
            sa.select(AuditEntry)
            .where(AuditEntry.patient_id == patient_id)
            .order_by(AuditEntry.seq)
        )
        return [
            (row.by, row.account_id, row.act)
            for row in rows
            if row.act.startswith(ANSWERS)
        ]


def test_who_accepts_is_in_the_record_once_and_gets_another_secret(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database, app: Flask
) -> None:
    press(eve, secret_of(offer(rosa, world)))
    with eve.session_transaction() as cookie:
        before = cookie["_user_id"]
    for _ in range(2):
        assert press(eve, "/invitation/accept").status_code == 303
    accepted = ("account", world.eve, "invited.post_accept")
    assert recorded(db, world.patient) == [accepted]
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["_user_id"] = before
    today = f"/patients/{world.patient}/today"
    assert thief.get(today).location.startswith("/sign-in")
    assert eve.get(today).status_code == 200
    shown = rosa.get(f"/patients/{world.patient}/access").text
    assert "Eve accepted an invitation." in shown


def test_who_says_no_or_asks_is_in_the_record(
    rosa: FlaskClient, eve: FlaskClient, world: World, db: Database
) -> None:
    press(eve, secret_of(offer(rosa, world)))
    press(eve, "/invitation/decline")
    press(rosa, f"/patients/{world.patient}/sharing/code")
    with db.reading() as session:
        code = code_of_patient(session, world.patient)
    press(eve, "/ask", code=code, role="doctor")
    assert recorded(db, world.patient) == [
        ("account", world.eve, "invited.post_decline"),
        ("account", world.rosa, "asking.post_code"),
        ("account", world.eve, "asking.post_ask"),
    ]


@pytest.mark.parametrize("what", ["links", "invite", "code"])
def test_what_lets_somebody_in_asks_who_it_is_and_to_stop_does_not(
    rosa: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    pinned: time_machine.Traveller,
    *,
    what: str,
) -> None:
    """Checklist 42; to be asked is no refusal that the house would keep."""
    pinned.move_to(now + timedelta(minutes=11))
    sharing = f"/patients/{world.patient}/sharing"
    assert press(rosa, f"{sharing}/{what}").status_code == 401
    assert press(rosa, f"{sharing}/links/stop").status_code == 303
    with db.reading() as session:
        of_the_house = sa.select(AuditEntry.act).where(AuditEntry.patient_id == 0)
        assert session.scalars(of_the_house).all() == []
