"""Ids of rows that are known before they are written."""

from sqlalchemy import Table, column, func, select, table
from sqlalchemy.orm import Session

# Not the highest that is there: a row that was erased keeps its id to itself.
_GIVEN = table("sqlite_sequence", column("name"), column("seq"))


def new_ids(session: Session, made: Table, count: int) -> list[int]:
    """Return ids that rows made now may have, upwards; nobody else gets them.

    On SQLite only until the transaction ends, and only if they are used at once.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        # Whoever writes is alone here, to the end of the transaction.
        newest = (
            connection.scalar(select(_GIVEN.c.seq).where(_GIVEN.c.name == made.name))
            or 0
        )
        return list(range(newest + 1, newest + 1 + count))
    numbers = func.generate_series(1, count).table_valued("number")
    sequence = func.pg_get_serial_sequence(made.name, "id")
    drawn = select(func.nextval(sequence)).select_from(numbers)
    return sorted(connection.scalars(drawn))
