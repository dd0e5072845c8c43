"""What the faults are done with: people who have something due, and ways to do harm."""

import os
import signal
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from pillweb.base.clock import now
from pillweb.base.db import Database
from pillweb.base.heartbeat import last_beats
from pillweb.base.queue import wake
from pillweb.base.zones import local, zone
from pillweb.channels import webpush
from pillweb.contacts.actions.adding import add_contact
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.rules import LEASE
from pillweb.patients.models import Patient
from tests.providers import Browser, Provider
from tests.services import Answer, SmtpSink
from tests.world import make_patient, plan, prescribe

# Longer than any wait here: whoever is held is killed, or gives up by itself.
HELD_S = 60.0
NOT_TAKEN = "451 4.3.0 Never taken"
EMAIL, PUSH, SMS = "email", "webpush", "sms"
UTC_ZONE = "Etc/UTC"


def make_due(
    db: Database,
    count: int,
    *,
    channels: Sequence[str] = (EMAIL,),
    provider: Provider | None = None,
    ahead: timedelta = timedelta(0),
) -> list[int]:
    """Let so many people have a dose that is due this minute, or a while ahead.

    They are reached by these channels in turn. Returns their ids.
    """
    at = now()
    people = []
    with db.transaction() as session:
        for number in range(count):
            patient = make_patient(session, name=f"P{number}", now=at, zone=UTC_ZONE)
            channel = channels[number % len(channels)]
            if channel != EMAIL:
                assert provider
                add_contact(
                    session,
                    channel=channel,
                    address=address_by(channel, provider, patient),
                    patient_id=patient.id,
                    is_proven=True,
                    now=at,
                )
            clock = f"{local(at + ahead, zone(UTC_ZONE)):%H:%M}"
            prescribe(session, patient, clock, now=at)
            plan(session, patient, now=at)
            people.append(patient.id)
    return people


def address_by(channel: str, provider: Provider, patient: Patient) -> str:
    """Return an address of a patient at the provider."""
    if channel == PUSH:
        browser = Browser(provider, f"p{patient.id}")
        return webpush.read_address(browser.subscription)
    return f"+4477009{patient.id:05}"


def alive(db: Database) -> set[str]:
    """Return the components that have shown a sign of life."""
    with db.reading() as session:
        return set(last_beats(session))


def states(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Delivery.state)))


def all_left(db: Database, count: int) -> bool:
    return states(db) == ["accepted"] * count


def outcomes(db: Database) -> list[str]:
    """Return how the attempts ended, in words, sorted; "None" where none knows."""
    with db.reading() as session:
        return sorted(map(str, session.scalars(sa.select(Attempt.outcome))))


def ring() -> None:
    assert wake("fire_reminders")


def hold(sink: SmtpSink) -> None:
    """Keep the next mail's sender waiting, and never take the mail."""
    sink.script(Answer(NOT_TAKEN, after=HELD_S))


def is_held(sink: SmtpSink) -> bool:
    return not sink._answers  # noqa: SLF001 - the sink has begun the scripted wait


def let_leases_end(db: Database) -> None:
    """Move the leases into the past instead of waiting for them."""
    with db.transaction() as session:
        rows = session.scalars(sa.select(Delivery).where(Delivery.state == "leased"))
        for delivery in rows:
            assert delivery.lease_until
            assert delivery.lease_until <= now() + LEASE
            delivery.lease_until -= LEASE
            delivery.next_at -= LEASE


def crash_postgres(db: Database) -> None:
    """Kill one server process: Postgres throws all out and recovers from its log."""
    with db.engine.connect() as connection:
        # So that recovering takes no longer than what is tried here wrote.
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("checkpoint")
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        os.kill(pid, signal.SIGKILL)
        connection.invalidate()
