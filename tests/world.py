"""The cast of people every test may ask "and Eve?" of.

Rosa (82) takes medicines and has an account; Marta, her daughter, manages for her;
Luis, a neighbour, may record for her; Nora may only look; Eve has an account and a
patient of her own, Bruno, and nothing of Rosa's. A link opens Rosa's pages.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.actions.sessions import start_session
from pillweb.accounts.models import Account
from pillweb.base.db import database
from pillweb.contacts.actions.adding import add_contact
from pillweb.doses.actions.planning import plan_doses
from pillweb.medications.actions import add_medication
from pillweb.medications.models import Medication
from pillweb.patients.actions import add_patient
from pillweb.patients.models import Patient
from pillweb.reminders.actions.arming import arm_reminders
from pillweb.reports.actions import order_report
from pillweb.schedules.actions import set_plan
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import Line, TimeOfDay
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.actions.linking import make_link
from pillweb.sharing.rules import Level

PASSWORD = "correct horse battery 7"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class World:
    """Ids and secrets of the cast."""

    rosa: int
    marta: int
    luis: int
    nora: int
    eve: int
    patient: int
    other_patient: int
    medication: int
    other_medication: int
    order: int
    other_order: int
    link: int
    link_token: str
    other_link: int
    other_link_token: str


def make_patient(
    session: Session, *, name: str = "Rosa", now: datetime, zone: str = "Europe/London"
) -> Patient:
    """Add somebody who takes medicine."""
    email = f"{name.casefold()}@family.example"
    patient = add_patient(session, name=name, zone=zone, now=now)
    add_contact(session, channel="email", address=email, patient_id=patient.id, now=now)
    return patient


def daily(*clocks: str, start: date, amount: str = "1") -> Line:
    """Return a line of clock times every day."""
    dose = read_dose(amount)
    return Line(
        kind="clock",
        start_date=start,
        times=tuple(
            TimeOfDay(at=time.fromisoformat(clock), dose=dose, slot=slot)
            for slot, clock in enumerate(clocks)
        ),
    )


def prescribe(
    session: Session,
    patient: Patient,
    *clocks: str,
    now: datetime,
    name: str = "Amlodipine",
    category: str = "ordinary",
    amount: str = "1",
) -> Medication:
    """Add a medicine taken every day at these times, from today on."""
    medication = add_medication(
        session,
        patient_id=patient.id,
        name=name,
        strength="5 mg",
        form="tablet",
        reason="blood pressure",
        instruction="With water",
        category=category,
        now=now,
    )
    line = daily(*clocks, start=now.date(), amount=amount)
    set_plan(session, medication, lines=[line], author_id=None, now=now)
    return medication


def plan(session: Session, patient: Patient, *, now: datetime) -> int:
    """Plan a patient's doses and arm the reminders, as the job does."""
    added = plan_doses(session, [(patient.id, patient.zone)], now=now)
    arm_reminders(session, [patient.id], now=now)
    return added


def make_cast_account(session: Session, name: str, *, now: datetime) -> Account:
    """Add an account that can be signed in by `signed_in`; it has no password."""
    return make_account(
        session, name=name, email=f"{name.casefold()}@family.example", now=now
    )


def make_world(session: Session, *, now: datetime) -> World:
    """Put the cast into the database, with doses planned from today's 8am on."""
    people = {
        name: make_cast_account(session, name, now=now)
        for name in ("Rosa", "Marta", "Luis", "Nora", "Eve")
    }
    patient = make_patient(session, name="Rosa", now=now)
    other = make_patient(session, name="Bruno", now=now)
    for name, who, level, role in (
        ("Rosa", patient, Level.MANAGE, "self"),
        ("Marta", patient, Level.MANAGE, "caregiver"),
        ("Luis", patient, Level.MARK, "caregiver"),
        ("Nora", patient, Level.VIEW, "caregiver"),
        ("Eve", other, Level.MANAGE, "self"),
    ):
        grant_access(
            session,
            account_id=people[name].id,
            patient_id=who.id,
            level=level,
            role=role,
            now=now,
        )
    medication = prescribe(session, patient, "08:00", "20:00", now=now)
    other_medication = prescribe(session, other, "08:00", now=now, name="Brunomycin")
    orders, links = [], []
    for who in (patient, other):
        plan(session, who, now=now)
        orders.append(
            order_report(
                session,
                patient=who,
                made_by_id=None,
                doctor_name="Dr Chen",
                email="chen@clinic.example",
                every="never",
                now=now,
            )
        )
        links.append(
            make_link(
                session,
                patient_id=who.id,
                made_by_id=people["Rosa"].id,
                label="Aunt Ida",
                days=30,
                show_names=True,
                now=now,
            )
        )
    session.flush()
    return World(
        rosa=people["Rosa"].id,
        marta=people["Marta"].id,
        luis=people["Luis"].id,
        nora=people["Nora"].id,
        eve=people["Eve"].id,
        patient=patient.id,
        other_patient=other.id,
        medication=medication.id,
        other_medication=other_medication.id,
        order=orders[0].id,
        other_order=orders[1].id,
        link=links[0][0].id,
        link_token=links[0][1],
        other_link=links[1][0].id,
        other_link_token=links[1][1],
    )


def signed_in(app: Flask, account_id: int | None, *, now: datetime) -> FlaskClient:
    """Return a browser that is signed in as this account, or as nobody."""
    client = app.test_client()
    if account_id is not None:
        with database().transaction() as session:
            account = session.get_one(Account, account_id)
            token = start_session(session, account, is_own_device=True, now=now)
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
    return client


def csrf_of(client: FlaskClient, path: str = "/sign-in") -> str:
    """Return the CSRF token of a page with a form."""
    found = CSRF.search(client.get(path).text)
    assert found, f"{path} holds no form"
    return found[1]
