"""What was agreed to is written down with its sentence, and shown with its end."""

from datetime import datetime

import sqlalchemy as sa
from flask import Flask

from pillweb.accounts.models import Account, Consent
from pillweb.base.db import Database
from pillweb.rights.queries import consents_of
from pillweb.rights.rules import ACCOUNT, PATIENT, Whose
from tests.world import World, csrf_of, signed_in


def test_whoever_joins_agrees_and_sees_it(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    with db.reading() as session:
        (mine,) = consents_of(session, Whose(ACCOUNT, world.luis))
        assert (mine.about, mine.how, mine.given_at) == ("storing", "myself", now)
    assert "PillWeb keeps my name and address" in app.test_client().get("/sign-up").text
    client = signed_in(app, world.luis, now=now)
    shown = client.get("/account/agreed").text
    assert "PillWeb keeps my name and address" in shown
    assert 'href="/account/leave"' in shown


def test_whoever_adds_somebody_says_how_they_agreed(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    client = signed_in(app, world.luis, now=now)
    token = csrf_of(client, "/people/new")
    new = {"csrf_token": token, "who": "other", "name": "Ida", "zone": "Europe/London"}
    refused = client.post("/people/new", data=new)
    assert refused.status_code == 422
    assert "Say how the person you help agreed." in refused.text
    told = {**new, "agreed": "attorney", "agreed_note": "her medicines, since 2024"}
    made = client.post("/people/new", data=told)
    patient_id = int(made.location.split("/")[2])
    with db.reading() as session:
        (one,) = consents_of(session, Whose(PATIENT, patient_id))
        kept = (one.account_id, one.how, one.note, one.version)
        assert kept == (
            world.luis,
            "attorney",
            "her medicines, since 2024",
            "2026-11-21",
        )
    shown = client.get(f"/patients/{patient_id}/agreed").text
    assert "her medicines, since 2024" in shown
    assert f'href="/patients/{patient_id}/leave"' in shown


def test_what_nobody_wrote_down_can_be_said_later(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    here = f"/patients/{world.patient}/agreed"
    marta = signed_in(app, world.marta, now=now)
    token = csrf_of(marta, here)
    assert "Nobody wrote down how this was agreed to." in marta.get(here).text
    assert marta.post(here, data={"csrf_token": token}).status_code == 422
    rosa = signed_in(app, world.rosa, now=now)
    assert "I agree" in rosa.get(here).text
    assert rosa.post(here, data={"csrf_token": csrf_of(rosa, here)}).status_code == 303
    with db.reading() as session:
        asked = sa.select(Consent.how).where(Consent.patient_id == world.patient)
        assert session.scalars(asked).all() == ["myself"]
    assert "Dr Chen" in marta.get(here).text


def test_everybody_can_correct_their_own_name(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    client = signed_in(app, world.luis, now=now)
    data = {"csrf_token": csrf_of(client, "/account/name"), "name": "Luis B."}
    assert client.post("/account/name", data=data).location == "/people"
    with db.reading() as session:
        assert session.get_one(Account, world.luis).name == "Luis B."
