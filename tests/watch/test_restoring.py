"""A backup of yesterday says nothing twice and opens nothing that was closed."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from time_machine import Traveller

from jobs import clock
from jobs.bell import answer
from jobs.clock import Pulse
from pillweb.accounts.actions.printed import make_printed_codes
from pillweb.accounts.actions.requesting import RESET, keep_request
from pillweb.accounts.models import WebSession
from pillweb.accounts.queries import oldest_request, printed_codes_left
from pillweb.base import high_water
from pillweb.base.db import Database
from pillweb.base.look import Look
from pillweb.devices.queries import tablet_of
from pillweb.doses.models import Dose
from pillweb.invitations.actions.inviting import invite
from pillweb.invitations.queries import live_invitations
from pillweb.outbox.models import Delivery, Incident
from pillweb.recovery.queries import open_recovery
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.sharing.models import ShareLink
from pillweb.sharing.rules import CAREGIVER, Level, Terms
from pillweb.watch.actions.restoring import note_restore, settle_restore
from tests.conftest import use_settings
from tests.house.tokens import being_let_in
from tests.jobs.conftest import Moment
from tests.services import SmtpSink, Valkey
from tests.tablets import connected
from tests.world import World, signed_in

DAY = timedelta(days=1)


@pytest.fixture
def marks(db: Database, tmp_path: Path) -> None:
    """A folder of this test's own for the note beside the database."""
    use_settings(VAR_DIR=str(tmp_path))


@pytest.fixture
def put_back(db: Database, world: World, moment: Moment, marks: None) -> Moment:
    """This morning's database, on the evening of tomorrow; a message waits in it."""
    Pulse().beat()
    with db.transaction() as session:
        session.add(
            Delivery(
                channel="email",
                kind="dose_due",
                dedupe_key="waits",
                recipient="rosa@family.example",
                context="{}",
                created_at=moment.now,
                next_at=moment.now,
                expires_at=moment.now + 3 * DAY,
            )
        )
    moment.move(days=1, hours=10)
    high_water.note_high_water(moment.now - timedelta(hours=1))
    return moment


def test_an_old_database_sends_nothing_until_somebody_speaks_for_it(
    db: Database, put_back: Moment, sink: SmtpSink, app: Flask, valkey: Valkey
) -> None:
    pulse = Pulse()
    pulse.beat_if_due()
    for _ in range(3):
        assert clock.tick() == 0
        answer("fire_reminders")
        answer("deliver")
        put_back.move(seconds=10)
        pulse.beat()
    # Started anew it is held still.
    Pulse().beat_if_due()
    assert clock.tick() == 0
    assert sink.mails == []
    assert app.test_client().get("/readyz").get_json()["broken"] == ["restored"]


def test_after_a_restore_no_past_reminder_is_sent_and_one_message_tells_of_them(
    db: Database, world: World, put_back: Moment, sink: SmtpSink
) -> None:
    Pulse().beat_if_due()
    with db.transaction() as session:
        done = settle_restore(session, now=put_back.now)
    assert done.messages == 1
    assert done.reminders > 0
    pulse = Pulse()
    for _ in range(12):
        put_back.move(seconds=20)
        pulse.beat_if_due()
        clock.tick()
    with db.reading() as session:
        kinds = session.scalars(
            sa.select(Delivery.kind).where(Delivery.state == "accepted")
        ).all()
        assert sorted(kinds) == ["dose_late", "dose_late"]
        first = session.scalars(sa.select(Dose).order_by(Dose.due_at)).first()
        assert first is not None
        assert first.system_fault
        open_incidents = sa.select(Incident.kind).where(Incident.closed_at.is_(None))
        assert session.scalars(open_incidents).all() == []
    assert len(sink.mails) == 2
    assert not any("it is time" in mail.message.as_string() for mail in sink.mails)


def test_after_a_restore_no_link_and_no_session_of_it_opens_anything(
    db: Database, world: World, app: Flask, now: datetime, pinned: Traveller
) -> None:
    rosa = signed_in(app, world.rosa, now=now)
    guest = app.test_client()
    assert rosa.get("/people").status_code == 200
    assert guest.get(f"/s/{world.link_token}").status_code == 200
    with db.transaction() as session:
        invite(
            session,
            patient_id=world.patient,
            patient_name="Rosa",
            made_by_id=world.rosa,
            label="Ida",
            terms=Terms(Level.VIEW, CAREGIVER, frozenset()),
            channel=None,
            address="",
            now=now,
        )
        assert live_invitations(session, world.patient, now=now)
        secret, _ = connected(session, world.patient, world.rosa, now=now)
        assert tablet_of(session, secret, now=now)
        make_printed_codes(session, world.rosa, now=now)
        being_let_in(session, world.rosa, world.marta, now=now)
        keep_request(session, RESET, email="ida@family.example", look=Look(), now=now)
        done = settle_restore(session, now=now)
    assert done.links >= 3
    assert done.sessions >= 1
    assert rosa.get("/people").status_code != 200
    assert guest.get(f"/s/{world.link_token}").status_code == 404
    with db.reading() as session:
        assert not session.scalar(
            sa.select(sa.func.count()).where(ShareLink.revoked_at.is_(None))
        )
        assert not session.scalar(
            sa.select(sa.func.count()).where(WebSession.revoked_at.is_(None))
        )
        assert not session.scalar(
            sa.select(sa.func.count()).where(ReminderLink.expires_at > now)
        )
        assert live_invitations(session, world.patient, now=now) == frozenset()
        assert tablet_of(session, secret, now=now) is None
        assert printed_codes_left(session, world.rosa) == 0
        assert open_recovery(session, world.rosa, now=now) is None
        assert oldest_request(session, now=now) is None


def test_a_new_database_and_one_that_goes_on_are_not_taken_for_old_ones(
    db: Database, moment: Moment, marks: None
) -> None:
    with db.transaction() as session:
        assert not note_restore(session, now=moment.now)
        high_water.note_high_water(moment.now)
        # Nothing was ever sent from here.
        assert not note_restore(session, now=moment.now)
    Pulse().beat()
    moment.move(hours=30)
    with db.transaction() as session:
        assert not note_restore(session, now=moment.now)
        high_water.note_high_water(moment.now)
        assert note_restore(session, now=moment.now)


def test_a_note_that_cannot_be_read_is_none(
    db: Database, marks: None, tmp_path: Path, now: datetime
) -> None:
    high_water.note_high_water(now)
    assert high_water.high_water() == now
    for broken in ("", "[]", "{", '{"a": 1}'):
        (tmp_path / "high-water.json").write_text(broken)
        assert high_water.high_water() is None
    high_water.note_high_water(now)
    assert high_water.high_water() == now


def test_the_command_says_what_it_did(
    app: Flask, db: Database, world: World, pinned: Traveller
) -> None:
    said = app.test_cli_runner().invoke(args=["restored"])
    assert said.exit_code == 0
    assert "Reminders of the past, told of once as late: " in said.output
    with db.reading() as session:
        states = set(
            session.scalars(sa.select(Reminder.state).where(Reminder.state != "open"))
        )
    assert states == {"late"}
