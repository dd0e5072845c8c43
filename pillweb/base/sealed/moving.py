"""How keys are changed, and values from before each patient had a key are sealed.

Everything goes some rows at a time, each time in a transaction of its own, and what is
left to do is seen in the rows themselves: whoever is stopped in the middle begins
again, and loses nothing. A value changed meanwhile stays as it was changed.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    LargeBinary,
    Select,
    Table,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from pillweb.base.crypto import (
    ID_AT,
    NONCE_AT,
    OLD,
    Key,
    UnreadableError,
    decrypt,
    first_name,
    unwrap_key,
    wrap_key,
)
from pillweb.base.db import Base, Database, table_of
from pillweb.base.sealed.columns import (
    HOUSE,
    PATIENTS,
    Bound,
    DataKey,
    sealed_columns,
)
from pillweb.base.sealed.writing import bind, key_column, keys_of

BATCH = 200


class Moved(NamedTuple):
    """What was done: keys wrapped anew, values sealed; what could not be read."""

    keys: int
    values: int
    unreadable: int


class Standing(NamedTuple):
    """How many keys each key of FIELD_KEYS wraps, by its name; how much is unbound."""

    wrapped: Counter[str]
    unbound: int


def _kept(column: ColumnElement[Any]) -> ColumnElement[bytes]:
    """Return what stands in a column, as it is kept."""
    return type_coerce(column, LargeBinary())


def _begins(column: ColumnElement[Any]) -> ColumnElement[bytes]:
    return type_coerce(func.substr(_kept(column), 1, 1), LargeBinary())


def by_key(session: Session, column: ColumnElement[Any]) -> Counter[str]:
    """Count what stands in a column, by its version and the name of its key, in hex."""
    name = type_coerce(func.substr(_kept(column), 1, NONCE_AT), LargeBinary())
    rows = session.execute(select(name, func.count()).group_by(name))
    return Counter({bytes(begin).hex(): many for begin, many in rows})


def _tables() -> list[Table]:
    return [t for t in Base.metadata.sorted_tables if sealed_columns(t)]


def _is_old(table: Table) -> ColumnElement[bool]:
    return or_(*(_begins(table.c[name]) == OLD for name in sealed_columns(table)))


def standing(session: Session) -> Standing:
    """Say what is left to do before a key can leave FIELD_KEYS."""
    found = by_key(session, table_of(DataKey).c.wrapped)
    wrapped = Counter({name[2 * ID_AT :]: many for name, many in found.items()})
    unbound = 0
    for table in _tables():
        old = (
            func.count(case((_begins(table.c[name]) == OLD, 1)))
            for name in sealed_columns(table)
        )
        unbound += sum(session.execute(select(*old)).one())
    return Standing(wrapped, unbound)


def rotate(database: Database, *, between: Callable[[], None]) -> Moved:
    """Wrap every key by the first of FIELD_KEYS, and seal what is not bound to its row.

    `between` is called between two transactions. Who calls it again changes nothing
    that is done already.
    """
    keys = values = unreadable = 0
    for is_left, batch in _batches():
        with database.reading() as session:
            # Looked for without a lock: nearly always there is nothing.
            last = -1 if session.scalar(is_left) else None
        while last is not None:
            with database.transaction() as session:
                last, some = batch(session, last)
            keys, values = keys + some.keys, values + some.values
            unreadable += some.unreadable
            between()
    return Moved(keys, values, unreadable)


_Batch = Callable[[Session, int], tuple[int | None, Moved]]


def _batches() -> Iterator[tuple[Select[int], _Batch]]:
    yield select(literal(1)).select_from(table_of(DataKey)).where(_is_stale()), _rewrap
    for table in _tables():
        left = select(literal(1)).select_from(table).where(_is_old(table)).limit(1)
        yield left, _seal_of(table)


def _is_stale() -> ColumnElement[bool]:
    by = func.substr(table_of(DataKey).c.wrapped, ID_AT + 1, NONCE_AT - ID_AT)
    return type_coerce(by, LargeBinary()) != first_name()


def _rewrap(session: Session, after: int) -> tuple[int | None, Moved]:
    """Wrap some keys by the first key of FIELD_KEYS; return the last of them."""
    held = table_of(DataKey)
    rows = session.execute(
        select(held.c.owner_id, held.c.wrapped)
        .where(held.c.owner_id > after, _is_stale())
        .order_by(held.c.owner_id)
        .limit(BATCH)
    ).all()
    done = 0
    for row in rows:
        with suppress(UnreadableError):
            key = unwrap_key(bytes(row.wrapped), owner=row.owner_id)
            same = (held.c.owner_id == row.owner_id, held.c.wrapped == row.wrapped)
            wrapped = wrap_key(key, owner=row.owner_id)
            done += _changed(session, update(held).where(*same).values(wrapped=wrapped))
    last = rows[-1].owner_id if len(rows) == BATCH else None
    return last, Moved(done, 0, len(rows) - done)


def _changed(session: Session, statement: Any) -> int:  # noqa: ANN401 - an update
    found = cast("CursorResult[Any]", session.connection().execute(statement))
    return found.rowcount


def _seal_of(table: Table) -> _Batch:
    """Return what seals some rows of a table, and says which was the last of them."""
    key = table.c[key_column(table)]
    owner = key if table.name == PATIENTS else table.c.get("patient_id")
    names = sealed_columns(table)
    wanted = (
        select(
            key.label("which"),
            (literal(HOUSE) if owner is None else owner).label("owner"),
            *(_kept(table.c[name]).label(name) for name in names),
        )
        .where(_is_old(table))
        .order_by(key)
        .limit(BATCH)
    )

    def batch(session: Session, after: int) -> tuple[int | None, Moved]:
        rows = session.execute(wanted.where(key > after)).all()
        known = keys_of(session, {row.owner or HOUSE for row in rows})
        done = failed = 0
        for row in rows:
            for name in names:
                old = getattr(row, name)
                if old is None or bytes(old[:ID_AT]) != OLD:
                    continue
                sealing = known.get(row.owner or HOUSE)
                if sealing and _seal(session, table.c[name], row.which, old, sealing):
                    done += 1
                else:
                    failed += 1
        return rows[-1].which if len(rows) == BATCH else None, Moved(0, done, failed)

    return batch


def _seal(
    session: Session, column: Column[Any], row_id: int, old: bytes, key: Key
) -> bool:
    """Seal one value, unless it was changed meanwhile; say whether it is sealed."""
    table = column.table
    try:
        plain = decrypt(bytes(old), place=f"{table.name}.{column.name}")
    except UnreadableError:
        return False
    value = bind(plain, Bound(table.name, str(row_id), key))
    same = (table.c[key_column(table)] == row_id, _kept(column) == old)
    return _changed(session, update(table).where(*same).values({column: value})) > 0
