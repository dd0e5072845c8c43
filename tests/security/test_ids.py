"""Nobody comes into the links, or the name, of somebody who was erased."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.invitations.actions.inviting import invite
from pillweb.rights.actions.purging import erase_some, note_erasing
from pillweb.rights.rules import ACCOUNT, PATIENT, Whose
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.actions.linking import make_link
from pillweb.sharing.rules import Level, Terms
from tests.ids import give_again
from tests.world import World, csrf_of, make_cast_account, signed_in

pytestmark = pytest.mark.usefixtures("pinned")


def erase(db: Database, kind: str, row_id: int, now: datetime) -> None:
    with db.transaction() as session:
        note_erasing(session, Whose(kind, row_id), now=now)
    more = True
    while more:
        with db.transaction() as session:
            more = erase_some(session, Whose(kind, row_id), now=now) > 0


def press(client: FlaskClient, path: str) -> int:
    data = {"csrf_token": csrf_of(client, "/look")}
    return client.post(path, data=data).status_code


def link_for(db: Database, world: World, *, now: datetime, like: int | None) -> int:
    """Return a link with a PIN to Rosa's page, in the place of another one."""
    with db.transaction() as session:
        if like:
            give_again(session, "share_link", like)
        row, _token = make_link(
            session,
            patient_id=world.patient,
            made_by_id=world.rosa,
            label="Dr Chen",
            days=30,
            show_names=True,
            pin="123456",
            now=now,
        )
        return row.id


@pytest.mark.parametrize("is_same", [False, True])
def test_a_browser_that_opened_an_erased_link_opens_no_other(
    app: Flask, db: Database, world: World, now: datetime, is_same: bool
) -> None:
    """Not even where the new one has its id, as in a restored database."""
    guest = app.test_client()
    assert press(guest, f"/s/{world.other_link_token}") == 303
    assert guest.get(f"/shared/{world.other_link}/today").status_code == 200
    erase(db, PATIENT, world.other_patient, now)
    like = world.other_link if is_same else None
    made = link_for(db, world, now=now, like=like)
    assert (made == world.other_link) is is_same
    answer = guest.get(f"/shared/{made}/today")
    assert answer.status_code == 404
    assert "Amlodipine" not in answer.text


def offer(
    db: Database, patient: int, by: int, *, now: datetime, like: int | None = None
) -> tuple[int, str]:
    """Return the id and the secret of an invitation, in the place of another one."""
    with db.transaction() as session:
        if like:
            give_again(session, "invitation", like)
        row, token = invite(
            session,
            patient_id=patient,
            patient_name="Somebody",
            made_by_id=by,
            label="Nora",
            terms=Terms(Level.MANAGE, "caregiver", frozenset()),
            channel=None,
            address="",
            now=now,
        )
        return row.id, token


@pytest.mark.parametrize("is_same", [False, True])
def test_a_browser_that_opened_an_erased_invitation_opens_no_other(
    app: Flask, db: Database, world: World, now: datetime, is_same: bool
) -> None:
    before, token = offer(db, world.other_patient, world.eve, now=now)
    nora = signed_in(app, world.nora, now=now)
    assert press(nora, f"/i/{token}") == 303
    assert nora.get("/invitation").status_code == 200
    erase(db, PATIENT, world.other_patient, now)
    like = before if is_same else None
    made, _token = offer(db, world.patient, world.rosa, now=now, like=like)
    assert (made == before) is is_same
    assert nora.get("/invitation").status_code == 404
    assert press(nora, "/invitation/accept") == 404
    assert nora.get(f"/patients/{world.patient}/sharing").status_code == 404


def test_the_record_names_nobody_who_came_after(
    app: Flask, db: Database, world: World, now: datetime
) -> None:
    with db.transaction() as session:
        zoe = make_cast_account(session, "Zoe", now=now).id
        grant_access(
            session,
            account_id=zoe,
            patient_id=world.patient,
            level=Level.VIEW,
            role="caregiver",
            now=now,
        )
    with signed_in(app, zoe, now=now).get(f"/patients/{world.patient}/today") as page:
        assert page.status_code == 200
    erase(db, ACCOUNT, zoe, now)
    with db.transaction() as session:
        assert make_cast_account(session, "Ines", now=now).id != zoe
    rosa = signed_in(app, world.rosa, now=now)
    assert "Ines" not in rosa.get(f"/patients/{world.patient}/access").text
