"""A browser without scripts at the pages of medicines, and what the rows hold then."""

from collections.abc import Mapping
from datetime import datetime
from html import unescape

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.doses.queries.days import patients_to_plan
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from pillweb.schedules.models import Line, Plan, PlanDraft
from pillweb.schedules.queries import answers_in
from pillweb.schedules.rules.draft import Answers
from pillweb.schedules.rules.line import Line as Rule
from pillweb.schedules.rules.line_json import line_from_json
from tests.journeys.browser import _Forms
from tests.world import World, csrf_of, plan

Typed = Mapping[str, str | list[str]]
NAME = {"name": "Ramipril"}
PLAIN = {"at_0": "8am", "amount_0": "1"}
DATED = {"start_on": "2026-11-20"}
OTHER = {"how": "clock"}, {**PLAIN, "span": "other"}


def medicines_url(world: World) -> str:
    return f"/patients/{world.patient}/medicines"


def medicine_url(world: World) -> str:
    return f"{medicines_url(world)}/{world.medication}"


def send(client: FlaskClient, path: str, typed: Typed | None = None) -> TestResponse:
    """Post fields to a path, as no page of it offers to."""
    data = {"csrf_token": csrf_of(client, "/people/new"), **(typed or {})}
    return client.post(path, data=data)


def fields_of(text: str, action: str) -> dict[str, list[str]]:
    """Return what the form of a page holds that goes to this path."""
    found = _Forms()
    found.feed(text)
    (form,) = [one for one in found.forms if one.action == action]
    fields: dict[str, list[str]] = {}
    for name, value in form.fields:
        fields.setdefault(name, []).append(unescape(value))
    return fields


def submit(
    client: FlaskClient, page: str, typed: Typed | None = None, *, to: str = ""
) -> TestResponse:
    """Open a page, fill in its form, and send it; without a redirect followed."""
    fields = fields_of(client.get(page).text, to or page)
    return client.post(to or page, data={**fields, **(typed or {})})


def follow(client: FlaskClient, answer: TestResponse) -> str:
    """Return where an answer leads, through every page that only leads on."""
    assert answer.status_code == 303, answer.text
    path = answer.location
    while (shown := client.get(path)).status_code == 303:
        path = shown.location
    assert shown.status_code == 200
    return str(path)


def ask_all(client: FlaskClient, world: World, *pages: Typed) -> str:
    """Answer the questions of a new medicine in turn; return where that ends."""
    path = f"{medicines_url(world)}/new"
    for typed in pages:
        path = follow(client, submit(client, path, typed))
    return path


def newest_draft(db: Database) -> tuple[PlanDraft, Answers]:
    with db.reading() as session:
        row = session.scalars(sa.select(PlanDraft).order_by(-PlanDraft.id)).first()
        assert row is not None
        return row, answers_in(row)


def newest(db: Database) -> tuple[Medication, list[Rule]]:
    """Return the medicine added last, and its standing lines."""
    with db.reading() as session:
        row = session.scalars(sa.select(Medication).order_by(-Medication.id)).first()
        assert row is not None
        return row, lines_of(db, row.id)


def lines_of(db: Database, medication_id: int) -> list[Rule]:
    with db.reading() as session:
        rules = session.scalars(
            sa.select(Line.rule)
            .join(Plan)
            .where(Plan.medication_id == medication_id, Plan.valid_to.is_(None))
            .order_by(Line.sequence)
        )
        return [line_from_json(rule) for rule in rules]


def count(db: Database, row: type[Medication | Plan | Dose | PlanDraft]) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(row)) or 0


def doses(db: Database, world: World) -> list[tuple[str, str, str]]:
    """Return (day and time, state, amount) of each dose, cancelled ones left out."""
    with db.reading() as session:
        rows = session.scalars(
            sa.select(Dose)
            .where(Dose.medication_id == world.medication, Dose.state != "cancelled")
            .order_by(Dose.due_at, Dose.id)
        )
        return [(f"{row.due_at:%d %H:%M}", row.state, str(row.amount)) for row in rows]


def replan(db: Database, now: datetime) -> int:
    """Plan whoever waits for it, as the job does; return how many people that was."""
    with db.transaction() as session:
        found = patients_to_plan(session, now=now, limit=9)
        for patient_id, _ in found:
            plan(session, session.get_one(Patient, patient_id), now=now)
        return len(found)


def take_as(db: Database, world: World, *lines: Rule, now: datetime) -> None:
    """Let Rosa's medicine be taken in this way from now on."""
    with db.transaction() as session:
        medication = session.get_one(Medication, world.medication)
        set_plan(session, medication, lines=lines, author_id=None, now=now)
