"""Fills an empty database for the browser: `python -m tests.e2e.family`.

The real clock runs, so the families live in the zone where it is past eight in the
morning right now: then there is always something to take.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from alembic import command
from alembic.config import Config
from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.accounts.models import AccountLink
from pillweb.accounts.queries import account_by_email
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.base.demo_password import demo_password
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.zones import local, zone
from pillweb.contacts.models import ContactTest, StopLink
from pillweb.contacts.queries import contacts_of_patient
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import OPEN, TAKEN
from pillweb.outbox.models import Delivery
from pillweb.papers.actions import want_paper
from pillweb.papers.models import PaperCode
from pillweb.patients.models import Patient
from pillweb.portals import actions
from pillweb.portals.rules import CAREGIVER, ELDER
from pillweb.reminders.models import DeliveryDose, Reminder, ReminderLink
from pillweb.reminders.rules.course import DOSE_ALERT
from pillweb.schedules.actions import begin_draft, keep_imported
from pillweb.schedules.rules.draft import answers_of
from pillweb.schedules.rules.fhir.imported import read_file
from pillweb.sharing.actions import grant_access, make_link
from pillweb.sharing.rules import Level
from tests.services import ROOT
from tests.world import make_patient, plan, prescribe

MORNING = 8
ROSA = 1
LONG = "W" * 200
ARABIC = "فاطمة الزهراء"
NEIGHBOURS = 20
START = "2026-11-20"
EIGHT = {"at": "08:00", "dose": "1"}
RULES: list[dict[str, object]] = [
    {"kind": "clock", "start_date": START, "times": [{**EIGHT, "action": "apply"}]},
    {"kind": "clock", "start_date": START, "steps": [{"days": 3, "times": [EIGHT]}]},
    {"kind": "interval", "first": f"{START}T08:00", "interval_hours": 8, "dose": "1"},
    {"kind": "prn", "dose": "1", "reason": "pain", "min_interval_minutes": 240},
    {"kind": "once", "at": f"{START}T08:00", "dose": "1"},
]
FILES = (
    "chemed-2-1-triatec.json",
    "nhs-sequential-sequence.json",
    "chemed-as-needed-with-max-dose.json",
)
THREE = ("Amlodipine", "Ramipril", "Aspirin")


def breakfast_zone(at: datetime) -> str:
    """Return the zone where it is past eight and not yet nine."""
    east = (MORNING - at.hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"  # POSIX counts them westward


def add_family(session: Session, *, at: datetime) -> dict[str, object]:
    """Add the demo family, one with difficult names, and neighbours to tap for."""
    place = breakfast_zone(at)
    with mock.patch.object(actions, "DEMO_ZONE", place):
        rosa = actions.load_demo(session, password=demo_password(), now=at)
    marta = account_by_email(session, CAREGIVER[1])
    assert marta is not None
    clock = f"{local(at, zone(place)):%H:%M}"
    added = []
    for name, medicines in (
        (ARABIC, (LONG, "باراسيتامول")),
        *((f"Neighbour {number}", THREE) for number in range(NEIGHBOURS)),
    ):
        patient = make_patient(session, name=name, now=at, zone=place)
        for medicine in medicines:
            prescribe(session, patient, clock, now=at, name=medicine)
        plan(session, patient, now=at)
        grant_access(
            session,
            account_id=marta.id,
            patient_id=patient.id,
            level=Level.MANAGE,
            role="caregiver",
            now=at,
        )
        added.append(patient.id)
    _, token = make_link(
        session,
        patient_id=added[0],
        made_by_id=rosa.id,
        label="Ann",
        days=30,
        show_names=True,
        now=at,
    )
    draft = begin_draft(
        session,
        patient_id=added[0],
        account_id=marta.id,
        answers=answers_of(RULES, {"name": ARABIC}, texts=[LONG]),
        key="draft",
        source="import",
        now=at,
    )
    for file in FILES:
        given = (ROOT / "tests/data/fhir" / file).read_text("utf-8")
        read = read_file(given, at.date(), place)
        keep_imported(session, added[0], read.medicines, account_id=marta.id, now=at)
    doses = select(Dose.id).where(Dose.patient_id == ROSA).order_by(Dose.due_at.desc())
    return {
        "due": session.scalar(doses.where(Dose.due_at < at, Dose.state == OPEN)),
        "taken": session.scalar(doses.where(Dose.state == TAKEN)),
        "draft": f"/patients/{added[0]}/medicines/drafts/{draft.id}",
        "password": demo_password(),
        "rosa": ELDER[1],
        "marta": CAREGIVER[1],
        "difficult": added[0],
        "neighbours": added[1:],
        "share": f"/s/{token}",
        "links": _links(session, added[-1], account_id=marta.id, clock=clock, at=at),
    }


def _links(
    session: Session, patient_id: int, *, account_id: int, clock: str, at: datetime
) -> dict[str, str]:
    """Give somebody one link of each kind that a mail scanner may find."""
    names = ("t", "h", "m", "u", "a")
    tokens = {name: new_token() for name in names}
    hashes = {name: token_hash(token) for name, token in tokens.items()}
    until = at + timedelta(hours=20)
    mine = select(Reminder).where(Reminder.patient_id == patient_id)
    reminder = session.scalars(mine.order_by(Reminder.due_at).limit(1)).one()
    times: dict[str, Any] = {"created_at": at, "expires_at": until}
    session.add(
        ReminderLink(
            reminder_id=reminder.id,
            patient_id=patient_id,
            token_hash=hashes["t"],
            **times,
        )
    )
    session.add(
        ReminderLink(
            reminder_id=reminder.id,
            patient_id=patient_id,
            account_id=account_id,
            delivery_id=_alert(session, patient_id, account_id, at=at),
            token_hash=hashes["h"],
            **times,
        )
    )
    contact = contacts_of_patient(session, patient_id)[0]
    session.add(ContactTest(contact_id=contact.id, token_hash=hashes["m"], **times))
    session.add(
        StopLink(contact_id=contact.id, token=tokens["u"], token_hash=hashes["u"])
    )
    _, tokens["s"] = make_link(
        session,
        patient_id=patient_id,
        made_by_id=account_id,
        label="Bo",
        days=30,
        show_names=False,
        now=at,
    )
    patient = session.get_one(Patient, patient_id)
    paper = want_paper(
        session,
        patient,
        kind="week",
        first=local(at, zone(patient.zone)).date(),
        clocks=[clock],
        show_names=False,
        look="",
        made_by_id=None,
        now=at - timedelta(minutes=1),
    )
    printed = select(PaperCode.token).where(PaperCode.paper_id == paper.id)
    tokens["p"] = session.scalars(printed).one()
    session.add(AccountLink(account_id=account_id, token_hash=hashes["a"], **times))
    return {name: f"/{name}/{token}" for name, token in tokens.items()}


def _alert(session: Session, patient_id: int, account_id: int, *, at: datetime) -> int:
    """Let a helper have been told that a first dose has no record."""
    mine = select(Dose).where(Dose.patient_id == patient_id).order_by(Dose.due_at)
    dose = session.scalars(mine.limit(1)).one()
    to = {"kind": DOSE_ALERT, "channel": "email"}
    told = Delivery(
        dedupe_key="an alert",
        recipient=CAREGIVER[1],
        state="accepted",
        account_id=account_id,
        patient_id=patient_id,
        created_at=at,
        next_at=at,
        expires_at=at,
        accepted_at=at,
        **to,
    )
    session.add(told)
    session.flush()
    session.add(
        DeliveryDose(
            delivery_id=told.id,
            dose_id=dose.id,
            recipient=f"a{account_id}",
            step=0,
            **to,
        )
    )
    return told.id


if __name__ == "__main__":
    command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
    with database().transaction() as kept:
        found = add_family(kept, at=now())
    print(json.dumps(found))  # noqa: T201 - its answer to the tests
