"""Ids that are given once more, as in a database that was put back."""

import sqlalchemy as sa
from sqlalchemy.orm import Session


def give_again(session: Session, table: str, row_id: int) -> None:
    """Let a table give an id once more, as a database that was put back does."""
    if session.get_bind().dialect.name == "sqlite":
        changed = "update sqlite_sequence set seq = :id - 1 where name = :table"
    else:
        changed = "select setval(pg_get_serial_sequence(:table, 'id'), :id, false)"
    session.execute(sa.text(changed), {"table": table, "id": row_id})
