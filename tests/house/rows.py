"""All rows of all tables as they are stored, to be compared and put back."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from migrations.tables import metadata
from pillweb.base.db import Database

Rows = dict[str, list[tuple[Any, ...]]]


def _stored(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind


# The columns without what our types do on the way, so that encrypted stays so.
_EVERY = [
    sa.table(
        table.name, *(sa.column(one.name, _stored(one.type)) for one in table.columns)
    )
    for table in metadata.sorted_tables
]
# Who looked and who changed: only ever more, and nobody can put it back.
_RECORD = [table for table in _EVERY if table.name.startswith("audit_")]
_TABLES = [table for table in _EVERY if table not in _RECORD]


def all_rows(db: Database) -> Rows:
    """Return every row of every table but the record's."""
    return _rows(db, _TABLES)


def record_rows(db: Database) -> Rows:
    """Return the rows of the record, which may move with every look."""
    return _rows(db, _RECORD)


def _rows(db: Database, tables: Sequence[sa.TableClause]) -> Rows:
    with db.reading() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(sa.select(table).order_by(sa.text("1, 2")))
            ]
            for table in tables
        }


def put_back(db: Database, rows: Rows) -> None:
    """Let every table but the record's hold these rows and no others."""
    with db.transaction() as session:
        for table in reversed(_TABLES):
            session.execute(sa.delete(table))
        for table in _TABLES:
            names = [column.name for column in table.columns]
            found = [dict(zip(names, row, strict=True)) for row in rows[table.name]]
            if found:
                session.execute(sa.insert(table), found)


def changed(before: Rows, after: Rows) -> list[str]:
    """Return the names of the tables that are not the same."""
    return [name for name, rows in before.items() if rows != after[name]]
