"""A browser at the pages of intakes, and what the rows hold then."""

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pillweb.base.db import Database
from pillweb.doses.models import DoseEvent, Intake
from pillweb.outbox.models import Delivery
from tests.world import World, csrf_of

ALREADY = "Do not take it again"


def send(
    client: FlaskClient,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    **data: str,
) -> TestResponse:
    token = csrf_of(client, "/people/new")
    return client.post(path, data={"csrf_token": token, **data}, headers=headers)


def today(client: FlaskClient, world: World) -> str:
    return client.get(f"/patients/{world.patient}/today").text


def rows(db: Database, kind: type[Intake | DoseEvent | Delivery]) -> list[object]:
    with db.reading() as session:
        return list(session.scalars(sa.select(kind).order_by(kind.id)))


def intakes(db: Database) -> list[Intake]:
    return [row for row in rows(db, Intake) if isinstance(row, Intake)]
