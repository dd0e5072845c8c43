"""Words of people stay words: on every page, in every mail and on paper."""

import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask

import migrations.tables  # noqa: F401 - every row is known
from pillweb.base.db import Base, Database
from pillweb.base.sealed import SealedText
from tests.house.cast import Cast, make_cast
from tests.house.policy import POLICY
from tests.security.corpora import BROKEN_OUT, CANARY, WORKED_OUT
from tests.world import World

ARGUMENT = re.compile(r"<(?:int:)?(\w+)>")
# Not words: what code reads again, secrets, and what a door is found by.
READ_AGAIN = {
    "asking_code.code",
    "brought_in.found",
    "delivery.context",
    "line.rule",
    "medication.codes",
    "medication.ingredients",
    "oidc_try.verifier",
    "paper_code.token",
    "patient.born",
    "plan_draft.answers",
    "stop_link.token",
}


def spoil(db: Database) -> set[str]:
    """Write the canary into every field of words; return which those are."""
    fields = set()
    with db.transaction() as session:
        for mapper in Base.registry.mappers:
            for name, column in mapper.columns.items():
                place = f"{column.table.name}.{column.name}"
                if isinstance(column.type, SealedText) and place not in READ_AGAIN:
                    for row in session.scalars(sa.select(mapper.class_)):
                        setattr(row, name, CANARY)
                    fields.add(place)
    return fields


@pytest.fixture
def cast(app: Flask, db: Database, world: World, now: datetime, pinned: object) -> Cast:
    return make_cast(app, db, world, now=now)


def test_no_page_takes_words_of_people_for_its_own(
    app: Flask, db: Database, cast: Cast
) -> None:
    """(1)"""
    assert len(spoil(db)) > 15
    shown, wrong = 0, []
    for route, may in POLICY.items():
        method, rule = route.split()
        if method != "GET" or not may:
            continue
        path = cast.url(rule, dict.fromkeys(ARGUMENT.findall(rule), "rosa"))
        who = "rosa" if "rosa" in may else min(may)
        answer = cast.open(app, who, "GET", path)
        if answer.status_code >= 500:
            wrong.append(f"{path}: {answer.status_code}")
        if answer.mimetype == "text/html":
            shown += "onerror=alert" in answer.text
            if BROKEN_OUT in answer.text or WORKED_OUT in answer.text:
                wrong.append(f"{path}: it is markup there")
    assert not wrong, "\n".join(wrong)
    assert shown > 20
