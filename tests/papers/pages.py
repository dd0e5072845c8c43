"""A browser at the papers and their codes, and what the rows hold then."""

import re

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import Dose, DoseEvent
from pillweb.papers.models import PaperCode
from tests.world import World, csrf_of

GONE = "This link does not work"


def make(client: FlaskClient, world: World, kind: str = "week", **more: str) -> str:
    """Press the button; return the path of what was made."""
    path = f"/patients/{world.patient}/papers/{kind}"
    data = {"csrf_token": csrf_of(client, path), "first": "2026-11-20", **more}
    answer = client.post(path, data=data)
    assert answer.status_code == 303
    return str(answer.location)


def code(db: Database, clock: str = "08:00") -> str:
    """Return the path behind the newest code of a time of day."""
    wanted = sa.select(PaperCode.token).where(PaperCode.clock == clock)
    with db.reading() as session:
        token = session.scalars(wanted.order_by(PaperCode.id.desc())).first()
    return f"/p/{token}"


def listed(page: str) -> dict[str, list[str]]:
    """Return what the forms of a page send along."""
    return {"dose": re.findall(r'name="dose" value="(\d+)"', page)}


def press(phone: FlaskClient, path: str, *, undo: bool = False) -> TestResponse:
    """Look at a code, and press the button that is there."""
    data = listed(phone.get(path).text)
    return phone.post(f"{path}/undo" if undo else path, data=data)


def said(db: Database, world: World) -> list[tuple[str, str]]:
    wanted = sa.select(DoseEvent.what, DoseEvent.channel).order_by(DoseEvent.id)
    with db.reading() as session:
        mine = wanted.where(DoseEvent.patient_id == world.patient)
        return [(what, by) for what, by in session.execute(mine)]


def states(db: Database, world: World) -> list[str]:
    wanted = sa.select(Dose.state).where(Dose.patient_id == world.patient)
    with db.reading() as session:
        return list(session.scalars(wanted.order_by(Dose.due_at)))


def every_dose(db: Database, world: World) -> dict[str, list[int]]:
    wanted = sa.select(Dose.id).where(Dose.patient_id == world.patient)
    with db.reading() as session:
        return {"dose": [*session.scalars(wanted)]}
