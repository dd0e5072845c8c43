"""Whoever runs PillWeb sees which key can be taken out, before it is."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from pillweb.base.crypto import encrypt
from pillweb.base.db import Database
from tests.keys import FIRST, NAMES, SECOND, keys_change, with_keys
from tests.world import World


@pytest.fixture(autouse=True)
def _the_keys_of_before() -> Iterator[None]:
    with keys_change():
        yield


def said(app: Flask, *words: str) -> str:
    done = app.test_cli_runner().invoke(args=["keys", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_says_what_is_left_and_does_it(
    app: Flask, db: Database, world: World
) -> None:
    with db.transaction() as session:
        session.execute(
            sa.text("update medication set name = :blob where id = :row"),
            {
                "blob": encrypt(b"Ramipril", place="medication.name"),
                "row": world.medication,
            },
        )
    with_keys(SECOND, FIRST)
    before = said(app)
    assert f"Key {NAMES[SECOND]} locks 0 keys" in before
    assert f"Key {NAMES[FIRST]} locks 3 keys" in before
    assert "Put it into INDEX_KEY" in before
    assert "1 values are from before" in before
    assert "1 values were bound" in said(app, "rotate")
    after = said(app)
    assert f"Key {NAMES[SECOND]} locks 3 keys" in after
    assert f"Key {NAMES[FIRST]} locks 0 keys" in after
    assert "0 values are from before" in after
    with_keys(SECOND, INDEX_KEY=FIRST)
    assert "Put it" not in said(app)


def test_a_key_that_is_missing_is_told(app: Flask, db: Database, world: World) -> None:
    with_keys(SECOND)
    assert f"Key {NAMES[FIRST]} is not in FIELD_KEYS, and locks 3 keys" in said(app)
