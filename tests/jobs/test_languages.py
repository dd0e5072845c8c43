"""In whose language somebody is written to."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from jobs import account_requests, deliver, fire_reminders
from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.models import Account
from pillweb.accounts.queries import account_by_email
from pillweb.base.db import Database
from pillweb.base.i18n import Speech, speaking, speech
from pillweb.base.look import read_look
from pillweb.channels.mailbox import kept_mails
from pillweb.contacts.queries import patients_to_tell
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.actions import choose_language
from tests.jobs.conftest import Moment
from tests.world import World, csrf_of

ROSA = "rosa@family.example"


def own_words(number: int = 0) -> str:
    """Return the HTML of a mail that was kept, the newest first."""
    body = kept_mails()[number][1].get_body(("html",))
    assert body
    return str(body.get_content())


def test_a_message_speaks_as_was_spoken_when_it_was_posted(
    db: Database, now: datetime
) -> None:
    with db.transaction() as session, speaking(Speech("ar", "24")):
        post_delivery(
            session,
            kind="reset_password",
            recipient=ROSA,
            dedupe_key="x",
            context={"first_name": "Rosa", "link": "http://127.0.0.1/a/x"},
            now=now,
        )
    with db.reading() as session:
        message = compose_message(session.scalars(sa.select(Delivery)).one())
    assert '<html lang="ar" dir="rtl">' in message.html
    assert speech() == Speech()


def test_a_patient_is_written_to_as_their_own_account_wants_or_as_they_read(
    db: Database, world: World, now: datetime
) -> None:
    def spoken(session: Session) -> Speech:
        who = [world.patient]
        return patients_to_tell(session, who, now=now)[world.patient].speech

    with db.transaction() as session:
        assert spoken(session) == Speech("en")
        choose_language(session, world.patient, language="km")
        assert spoken(session) == Speech("km")
        session.get_one(Account, world.rosa).look = "24.dark.es.24"
        assert spoken(session) == Speech("es", "24")
        session.get_one(Account, world.rosa).look = "24.dark"
        assert spoken(session) == Speech("km")


def test_a_reminder_speaks_the_language_of_the_patient(
    db: Database, world: World, moment: Moment, own_mailbox: object
) -> None:
    with db.transaction() as session:
        choose_language(session, world.patient, language="ar")
    fire_reminders.run()
    deliver.run()
    heads = {own_words(number).splitlines()[1] for number in range(2)}
    assert heads == {'<html lang="ar" dir="rtl">', '<html lang="en" dir="ltr">'}


@pytest.mark.usefixtures("world", "own_mailbox", "pinned")
def test_whoever_signs_up_is_kept_speaking_their_language(
    app: Flask, db: Database, moment: Moment
) -> None:
    client = app.test_client()
    client.post("/look", data={"csrf_token": csrf_of(client), "language": "pl"})
    typed = {"name": "Ida", "email": "ida@family.example"}
    token = csrf_of(client, "/forgotten")
    client.post("/sign-up", data={"csrf_token": token, **typed})
    account_requests.run()
    deliver.run()
    assert '<html lang="pl" dir="ltr">' in own_words()
    with db.reading() as session:
        account = account_by_email(session, typed["email"])
        assert account is not None
        assert read_look(account.look or "").language == "pl"


def test_an_account_is_mailed_in_its_own_language_whoever_asks(
    app: Flask, db: Database, moment: Moment, own_mailbox: object, pinned: object
) -> None:
    with db.transaction() as session:
        made = make_account(
            session,
            name="Ida",
            email="ida@family.example",
            password="x",
            now=moment.now,
        )
        made.look = "20.system.hi"
    client = app.test_client()
    for path in ("/forgotten", "/sign-up"):
        token = csrf_of(client, "/forgotten")
        typed = {"name": "Ida", "email": "ida@family.example"}
        client.post(path, data={"csrf_token": token, **typed})
    account_requests.run()
    deliver.run()
    for number in range(2):
        assert '<html lang="hi" dir="ltr">' in own_words(number)
