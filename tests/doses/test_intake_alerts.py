"""A second intake too soon is told to the helpers who were chosen for that."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from pillweb.sharing.models import Grant
from tests.doses.intake_pages import intakes, rows, send
from tests.world import World, csrf_of, signed_in


def choose_marta(session: Session, world: World) -> None:
    session.execute(
        sa.update(Grant).where(Grant.account_id == world.marta).values(alerts=True)
    )


def test_taken_again_later_is_asked_and_the_helper_told_at_once(
    rosa: FlaskClient,
    db: Database,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    with db.transaction() as session:
        choose_marta(session, world)
        for medicine in session.scalars(sa.select(Medication)):
            medicine.name = "Warfarin"
    path = f"/patients/{world.patient}/doses/1"
    send(rosa, f"{path}/take")
    pinned.move_to(now + timedelta(minutes=6))
    asked = send(rosa, f"{path}/take")
    assert asked.location.endswith("/doses/1/again")
    page = rosa.get(asked.location).text
    assert "You already recorded this at 8.05am. Do not take it again." in page
    assert "I did not take it again" in page
    assert intakes(db) == []
    kept = send(rosa, f"{path}/again", key="k", why="I forgot")
    send(rosa, f"{path}/again", key="k", why="I forgot")
    help_page = rosa.get(kept.location).text
    assert "Get medical help now even if you feel well." in help_page
    assert "We have written to <bdi>Marta</bdi>" in help_page
    (row,) = intakes(db)
    assert (row.dose_id, row.why) == (1, "I forgot")
    (mail,) = [d for d in rows(db, Delivery) if isinstance(d, Delivery)]
    message = compose_message(mail)
    assert (mail.kind, mail.recipient) == ("too_much", "marta@family.example")
    assert message.subject == "Please call Rosa"
    assert "Rosa recorded it at 8.11am" in message.text
    assert "999" in message.text
    for words in (message.subject, message.text, message.html):
        assert "Warfarin" not in words


def test_a_helper_who_told_no_language_is_written_to_in_that_of_the_patient(
    rosa: FlaskClient, db: Database, world: World, pinned: time_machine.Traveller
) -> None:
    with db.transaction() as session:
        choose_marta(session, world)
        session.get_one(Patient, world.patient).language = "es"
    path = f"/patients/{world.patient}/doses/1"
    send(rosa, f"{path}/take")
    pinned.shift(timedelta(minutes=6))
    send(rosa, f"{path}/again", key="k")
    (mail,) = [d for d in rows(db, Delivery) if isinstance(d, Delivery)]
    assert compose_message(mail).subject == "Llame a Rosa, por favor"


def test_nobody_is_told_who_was_not_chosen_or_recorded_it(
    app: Flask, db: Database, world: World, now: datetime, pinned: object
) -> None:
    marta = signed_in(app, world.marta, now=now)
    path = f"/patients/{world.patient}/doses/1"
    send(marta, f"{path}/take")
    send(marta, f"{path}/again", key="a")
    assert rows(db, Delivery) == []
    with db.transaction() as session:
        choose_marta(session, world)
    send(marta, f"{path}/again", key="b")
    assert rows(db, Delivery) == []
    send(signed_in(app, world.luis, now=now), f"{path}/again", key="c")
    assert len(rows(db, Delivery)) == 1


def test_helpers_are_chosen_on_their_page_and_never_before(
    rosa: FlaskClient, db: Database, world: World
) -> None:
    with db.reading() as session:
        marta = session.scalar(
            sa.select(Grant.id).where(Grant.account_id == world.marta)
        )
    path = f"/patients/{world.patient}/sharing/helpers/{marta}"
    for fields, told in (
        ({"place": ""}, []),
        ({"place": "", "alerts": "y"}, [world.marta]),
        ({"place": ""}, []),
    ):
        token = csrf_of(rosa, "/people/new")
        answer = rosa.post(path, data={"csrf_token": token, **fields})
        assert answer.status_code == 303, answer.text
        with db.reading() as session:
            on = session.scalars(sa.select(Grant.account_id).where(Grant.alerts)).all()
        assert list(on) == told
