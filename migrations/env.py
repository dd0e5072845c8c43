"""Runs migrations on the database that DATABASE_URL names."""

import os
import sqlite3
from typing import cast

from alembic import context
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

from migrations.tables import metadata
from pillweb.base.db import make_engine
from pillweb.base.known_settings import Settings
from pillweb.base.roles import make_web_role

LONGEST_S = 600


def plain_type(kind: str, item: object, _context: object) -> str | bool:
    """Write a type of ours as the plain one below it: migrations outlive the code."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    return f"sa.{item.impl!r}"


def leave_children(connection: Connection) -> None:
    """Let SQLite make a table anew without taking along what hangs on the old one.

    It changes most columns that way, and a dropped table deletes by its foreign keys.
    """
    if connection.dialect.name == "sqlite":
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        driver.execute("PRAGMA foreign_keys=OFF")


def ids_given(connection: Connection) -> list[tuple[str, int]]:
    """Return up to which id each table of SQLite's has ever given."""
    kept = "select name from sqlite_master where name = 'sqlite_sequence'"
    if (
        connection.dialect.name != "sqlite"
        or not connection.exec_driver_sql(kept).all()
    ):
        return []
    rows = connection.exec_driver_sql("select name, seq from sqlite_sequence")
    return [(row.name, row.seq) for row in rows]


def go_on_from(connection: Connection, given: list[tuple[str, int]]) -> None:
    """Let no table give an id again; one that was made anew knows its rows' alone."""
    for name, seq in given:
        connection.exec_driver_sql(
            "delete from sqlite_sequence where name = ? and seq < ?", (name, seq)
        )
        connection.exec_driver_sql(
            "insert into sqlite_sequence (name, seq) select name, ? from sqlite_master"
            " where type = 'table' and name = ?"
            " and name not in (select name from sqlite_sequence)",
            (seq, name),
        )


def run() -> None:
    """Bring the schema up or down, in one transaction."""
    url = os.environ.get("DATABASE_URL") or Settings().database_url
    engine = make_engine(url, statement_timeout_s=LONGEST_S)
    with engine.connect() as connection:
        leave_children(connection)
        given = ids_given(connection)
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=plain_type,
        )
        with context.begin_transaction():
            context.run_migrations()
            if connection.dialect.name == "postgresql":
                # Where this login may not, `app.py database-roles` says what to do.
                make_web_role(connection)
        go_on_from(connection, given)
        connection.commit()
    engine.dispose()


run()
