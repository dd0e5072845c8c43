"""Many rows at once, by the fastest means of each database."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import psycopg
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from pillweb.base.db import Base, table_of


def insert_many_new(
    session: Session, row: type[Base], rows: Sequence[NamedTuple]
) -> int:
    """Insert the rows that break no unique rule by the fastest means; say how many.

    The fields of the tuples are named as the columns.
    """
    if not rows:
        return 0
    session.flush()
    names = rows[0]._fields
    connection = session.connection()
    dialect = connection.dialect
    columns = []
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        bind = table_of(row).c[name].type.dialect_impl(dialect).bind_processor(dialect)
        columns.append(map(bind, column) if bind else column)
    values = list(zip(*columns, strict=True))
    if dialect.name == "sqlite":
        marks = ",".join("?" * len(names))
        return connection.exec_driver_sql(
            f"insert into {row.__tablename__} ({','.join(names)}) values ({marks})"  # noqa: S608 - names of columns
            " on conflict do nothing",
            values,
        ).rowcount
    return _copy_new(connection, row.__tablename__, ",".join(names), values)


def _copy_new(
    connection: Connection, table: str, names: str, values: Sequence[tuple[Any, ...]]
) -> int:
    """Copy the rows beside the table, and insert from there what breaks no rule."""
    beside = f"{table}_copied"
    connection.exec_driver_sql(
        f"create temp table if not exists {beside} on commit delete rows"  # noqa: S608 - names of columns
        f" as select {names} from {table} with no data"
    )
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with (
        driver.cursor() as cursor,
        cursor.copy(f"copy {beside} ({names}) from stdin") as copy,
    ):
        for value in values:
            copy.write_row(value)
    return connection.exec_driver_sql(
        f"insert into {table} ({names}) select {names} from {beside}"  # noqa: S608 - names of columns
        " on conflict do nothing"
    ).rowcount
