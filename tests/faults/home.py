"""Rosa at her browser, while something is broken."""

import time
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.clock import now as clock_now
from pillweb.base.db import Database
from pillweb.base.zones import local, zone
from pillweb.doses.models import Dose, DoseEvent
from pillweb.patients.models import Patient
from tests.world import World, csrf_of, make_world, plan, prescribe, signed_in

# Redis may cost a page 0.3 s, and the house 0.5; the rest is for a busy machine.
PAGE_S = 1.5


@dataclass(frozen=True)
class Home:
    """Her browser with the page of today open; `dose` is her first of today."""

    client: FlaskClient
    world: World
    token: str
    dose: int

    def answer(self, what: str) -> TestResponse:
        """Press "take" or "undo"; return the whole answer."""
        return self.client.post(
            f"/patients/{self.world.patient}/doses/{self.dose}/{what}",
            data={"csrf_token": self.token},
        )

    def press(self) -> int:
        """Press "Taken"; return the status."""
        return self.answer("take").status_code

    def undo(self) -> int:
        """Take it back; return the status."""
        return self.answer("undo").status_code

    def timed_press(self) -> tuple[int, float]:
        """Press "Taken"; return the status, and after how many seconds."""
        began = time.monotonic()
        return self.press(), time.monotonic() - began


def at_home(app: Flask, db: Database) -> Home:
    """Let Rosa sign in and open the page of today."""
    now = clock_now()
    with db.transaction() as session:
        world = make_world(session, now=now)
        # Due now, whatever the hour: what is due tomorrow cannot be pressed.
        patient = session.get_one(Patient, world.patient)
        clock = local(now, zone(patient.zone)).strftime("%H:%M")
        prescribe(session, patient, clock, now=now)
        plan(session, patient, now=now)
        dose = session.scalars(
            sa.select(Dose.id)
            .where(Dose.patient_id == world.patient)
            .order_by(Dose.due_at)
        ).first()
    client = signed_in(app, world.rosa, now=now)
    token = csrf_of(client, f"/patients/{world.patient}/contacts")
    return Home(client, world, token, dose or 0)


def events(db: Database) -> list[str]:
    """Return what was recorded."""
    with db.reading() as session:
        return list(session.scalars(sa.select(DoseEvent.what).order_by(DoseEvent.id)))
