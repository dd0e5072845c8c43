from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.accounts.models import Account
from pillweb.base.db import Database
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.actions.sending import claim_deliveries
from pillweb.outbox.models import Attempt, Breaker, Delivery, Incident
from pillweb.outbox.rules import CRASHES_ALLOWED
from pillweb.watch.actions.backing_up import begin_run, end_run
from tests.world import World, csrf_of, signed_in

HERE = "/admin/messages"


@pytest.fixture
def rosa(
    app: Flask, world: World, now: datetime, pinned: time_machine.Traveller
) -> FlaskClient:
    """Whoever runs it: hers was the first account."""
    return signed_in(app, world.rosa, now=now)


@pytest.fixture
def letter(db: Database, world: World, now: datetime) -> int:
    """A dead letter of Bruno's that crashed its senders."""
    with db.transaction() as session:
        delivery_id = post_delivery(
            session,
            kind="dose_due",
            recipient="bruno@family.example",
            dedupe_key="dead",
            context={"link": "secret"},
            patient_id=world.other_patient,
            now=now,
        )
        assert delivery_id
        row = session.get_one(Delivery, delivery_id)
        row.state, row.last_error, row.attempts = "dead", "crashed", CRASHES_ALLOWED
        for number in range(CRASHES_ALLOWED):
            session.add(
                Attempt(delivery_id=row.id, lease_id=str(number), started_at=now)
            )
    return delivery_id


def press(client: FlaskClient, letter: int, deed: str) -> None:
    data = {"csrf_token": csrf_of(client, HERE), "message": letter, "deed": deed}
    assert client.post(HERE, data=data).status_code == 303


def row_of(db: Database, letter: int) -> Delivery:
    with db.reading() as session:
        return session.get_one(Delivery, letter)


def test_the_first_account_of_an_installation_runs_it(
    db: Database, world: World
) -> None:
    with db.reading() as session:
        admins = session.scalars(sa.select(Account.id).where(Account.is_admin)).all()
    assert admins == [world.rosa]


def test_dead_letters_are_shown_with_reasons_and_without_people(
    rosa: FlaskClient, db: Database, letter: int, now: datetime
) -> None:
    with db.transaction() as session:
        session.add(
            Breaker(
                channel="email",
                failures=5,
                failing_since=now,
                retry_at=now,
                last_error="smtp_451",
            )
        )
        session.add(Incident(kind="channel", about="email", opened_at=now))
    page = rosa.get(HERE).text
    for words in (
        f"Message {letter}: Reminder",
        "PillWeb could not make this message.",
        "It fails since 8.05am",
        "A way of sending failed",
        "not over yet",
    ):
        assert words in page, words
    assert "bruno" not in page.casefold()


def test_tried_again_it_begins_afresh(
    rosa: FlaskClient, db: Database, letter: int, now: datetime
) -> None:
    press(rosa, letter, "again")
    row = row_of(db, letter)
    assert (row.state, row.attempts) == ("pending", 0)
    with db.transaction() as session:
        ready, crashed = claim_deliveries(session, now=now, limit=9)
    assert ([one.id for one in ready], crashed) == ([letter], [])


def test_given_up_its_words_are_gone(
    rosa: FlaskClient, db: Database, letter: int
) -> None:
    press(rosa, letter, "give_up")
    row = row_of(db, letter)
    assert (row.state, row.context) == ("cancelled", None)


def test_what_is_too_late_is_not_tried_again(
    rosa: FlaskClient, db: Database, letter: int, now: datetime
) -> None:
    with db.transaction() as session:
        late = now - timedelta(seconds=1)
        session.execute(sa.update(Delivery).values(expires_at=late))
    client = rosa
    assert "It is too late to send it." in client.get(HERE).text
    press(client, letter, "again")
    assert row_of(db, letter).state == "dead"


def test_a_command_lets_another_account_in(
    app: Flask, db: Database, world: World
) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(args=["admin", "marta@family.example"]).exit_code == 0
    assert runner.invoke(args=["admin", "no@family.example"]).exit_code == 1
    with db.reading() as session:
        assert session.get_one(Account, world.marta).is_admin


def test_backups_are_shown_with_what_became_of_them(
    rosa: FlaskClient, db: Database, now: datetime
) -> None:
    shown = rosa.get("/admin/backups").text
    assert "There is no good backup yet." in shown
    assert "No test has restored one yet." in shown
    for days, kind, outcome, reason in (
        (3, "backup", "ok", ""),
        (2, "restore", "ok", ""),
        (1, "backup", "failed", "disk"),
        (0, "restore", "cannot", "no_scratch"),
    ):
        with db.transaction() as session:
            started = now - timedelta(days=days)
            run_id = begin_run(session, kind, now=started)
            assert run_id
            end_run(session, run_id, outcome=outcome, reason=reason, now=started)
    shown = rosa.get("/admin/backups").text
    assert "The last good backup was made at 8.05am on Tuesday" in shown
    assert "A test last restored one at 8.05am on Wednesday" in shown
    assert "(disk)" in shown
    assert "it cannot be done here (no_scratch)" in shown
    assert "No backup could be made" in rosa.get(HERE).text


def test_nobody_else_sees_the_backups(
    app: Flask, world: World, now: datetime, pinned: time_machine.Traveller
) -> None:
    assert signed_in(app, world.marta, now=now).get("/admin/backups").status_code == 404
