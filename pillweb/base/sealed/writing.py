"""How rows are sealed on their way into the database."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import Table, event, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state

from pillweb.base.crypto import Key, UnreadableError, key_of, new_key, wrap_key
from pillweb.base.db import Base, inserting_new, table_of
from pillweb.base.row_ids import new_ids
from pillweb.base.sealed.columns import (
    HOUSE,
    PATIENTS,
    Bound,
    BoundBytes,
    BoundText,
    DataKey,
    UnsealedError,
    sealed_columns,
)

MANY = 500
_KEYS = "pillweb.keys"
_MADE = "pillweb.keys_made"
_BOUND = "pillweb.bound"


def bind(value: Any, bound: Bound) -> BoundText | BoundBytes:  # noqa: ANN401
    """Return a text, bytes, or what JSON holds, on its way to its row."""
    text = value if isinstance(value, str | bytes) else json.dumps(value)
    made = BoundText(text) if isinstance(text, str) else BoundBytes(text)
    made.bound = bound
    return made


def keys_of(session: Session, owners: Collection[int]) -> dict[int, Key]:
    """Return the keys of owners; one deleted, or that FIELD_KEYS cannot unwrap, is not.

    The house's is made when it is first needed. They are kept while the transaction
    lasts.
    """
    known: dict[int, Key] = session.info.setdefault(_KEYS, {})
    missing = [owner for owner in set(owners) if owner not in known]
    rows = _wrapped(session, missing)
    if HOUSE in missing and HOUSE not in rows:
        make_keys(session, [HOUSE])
        rows |= _wrapped(session, [HOUSE])
    for owner, wrapped in rows.items():
        with suppress(UnreadableError):
            known[owner] = key_of(wrapped, owner)
    return {owner: known[owner] for owner in set(owners) if owner in known}


def _wrapped(session: Session, owners: Sequence[int]) -> dict[int, bytes]:
    held = table_of(DataKey).c
    found: dict[int, bytes] = {}
    for start in range(0, len(owners), MANY):
        some = owners[start : start + MANY]
        wanted = select(held.owner_id, held.wrapped).where(held.owner_id.in_(some))
        rows = session.connection().execute(wanted)
        found |= {row.owner_id: row.wrapped for row in rows}
    return found


def make_keys(session: Session, owners: Iterable[int]) -> None:
    """Make keys for owners that have none; the patients' rows stand already."""
    rows = [
        {
            "owner_id": owner,
            "patient_id": owner or None,
            "wrapped": wrap_key(new_key(), owner=owner),
        }
        for owner in owners
    ]
    connection = session.connection()
    connection.execute(inserting_new(connection.dialect.name, DataKey), rows)


def key_for(session: Session, owner: int) -> Key:
    """Return the key that seals for an owner.

    Raises:
        UnreadableError: it was deleted: what it would seal nobody could read.
    """
    found = keys_of(session, [owner]).get(owner)
    if found is None:
        raise UnreadableError
    return found


def key_or_house(session: Session, owner: int) -> Key:
    """Return the key of an owner, the house's for one whose key was deleted."""
    found = keys_of(session, [owner, HOUSE])
    return found.get(owner) or found[HOUSE]


def key_column(table: Table) -> str:
    """Return the name of the column by which a row of a table is known."""
    (key,) = table.primary_key
    return key.name


def _owner_in(table: Table, values: Mapping[str, Any]) -> int:
    if table.name == PATIENTS:
        return int(values["id"])
    return values.get("patient_id") or HOUSE


def _sealed_in(
    session: Session, table: Table, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values of one row, those to be sealed bound to it."""
    bound = Bound(
        table.name,
        str(values[key_column(table)]),
        key_for(session, _owner_in(table, values)),
    )
    return {
        name: bind(values[name], bound)
        for name in sealed_columns(table)
        if values.get(name) is not None
    }


def sealed_rows(
    session: Session, row: type[Base], rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Return rows for a Core insert, to follow at once, with ids and sealed values.

    Raises:
        UnreadableError: the key of one was deleted.
    """
    table = table_of(row)
    names = sealed_columns(table)
    if all(values.get(name) is None for values in rows for name in names):
        return rows
    # What waits in the session takes its ids before these.
    session.flush()
    key = key_column(table)
    if key not in rows[0]:
        ids = new_ids(session, table, len(rows))
        rows = [{key: new, **values} for new, values in zip(ids, rows, strict=True)]
    keys_of(session, {_owner_in(table, values) for values in rows})
    return [{**values, **_sealed_in(session, table, values)} for values in rows]


def sealed_value(
    session: Session,
    row: type[Base],
    value: str | bytes,
    *,
    row_id: int,
    owner: int,
) -> BoundText | BoundBytes:
    """Return a value for a Core update of one row; the owner is its patient, or 0.

    Raises:
        UnreadableError: the owner's key was deleted.
    """
    table = table_of(row)
    return bind(value, Bound(table.name, str(row_id), key_for(session, owner)))


def _written(session: Session) -> list[tuple[Any, Table, dict[str, Any]]]:
    """Return the rows of a session, and what of them a flush would seal.

    Raises:
        UnsealedError: a sealed row went over to another patient.
    """
    found = []
    for row in [*session.new, *session.dirty]:
        state = instance_state(row)
        table = cast("Table", state.mapper.local_table)
        names = sealed_columns(table)
        if names and state.key is not None:
            if "patient_id" in state.committed_state:
                raise UnsealedError(table.name)
            names = tuple(name for name in names if name in state.committed_state)
        if names:
            found.append((row, table, {name: state.dict.get(name) for name in names}))
    return found


def _give_ids(session: Session, rows: Iterable[tuple[Any, Table]]) -> None:
    """Give new rows their ids, where any of their table must be sealed."""
    new: dict[Table, list[Any]] = {}
    for row, table in rows:
        if getattr(row, key_column(table)) is None:
            new.setdefault(table, []).append(row)
    for table, some in new.items():
        some.sort(key=_insert_order)
        ids = new_ids(session, table, len(some))
        for row, given in zip(some, ids, strict=True):
            setattr(row, key_column(table), given)


def _seal_session(session: Session, *_others: object) -> None:
    """Bind every text of the session's rows that is about to be written to its row."""
    written = _written(session)
    tables = {
        table
        for _row, table, values in written
        if any(value is not None for value in values.values())
    }
    written = [found for found in written if found[1] in tables]
    if not written:
        return
    _give_ids(session, [(row, table) for row, table, _values in written])
    known: dict[int, Key] = session.info.setdefault(_KEYS, {})
    for row, table, _values in written:
        if table.name == PATIENTS and instance_state(row).key is None:
            _begin_key(session, known, row.id)
    facts = [
        (row, table, values | _identity(row, table)) for row, table, values in written
    ]
    keys_of(session, {_owner_in(table, values) for _row, table, values in facts})
    for row, table, values in facts:
        bound = _sealed_in(session, table, values)
        instance_state(row).dict.update(bound)
        session.info.setdefault(_BOUND, []).append((row, bound, values))


def _insert_order(row: object) -> int:
    return instance_state(row).insert_order or 0


def _identity(row: Any, table: Table) -> dict[str, Any]:  # noqa: ANN401
    key = key_column(table)
    return {key: getattr(row, key), "patient_id": getattr(row, "patient_id", None)}


def _begin_key(session: Session, known: dict[int, Key], owner: int) -> None:
    wrapped = wrap_key(new_key(), owner=owner)
    known[owner] = key_of(wrapped, owner)
    session.info.setdefault(_MADE, []).append(
        {"owner_id": owner, "patient_id": owner, "wrapped": wrapped}
    )


def _keep_keys(session: Session, *_others: object) -> None:
    """Keep the keys of new patients, whose rows stand now."""
    made = session.info.pop(_MADE, None)
    if made:
        session.connection().execute(insert(table_of(DataKey)), made)


def _unbind(session: Session, *_others: object) -> None:
    """Leave in the rows that were written what they held before."""
    for row, bound, before in session.info.pop(_BOUND, ()):
        values = instance_state(row).dict
        for name, value in bound.items():
            if values.get(name) is value:
                values[name] = before[name]


def _forget(session: Session, *_others: object) -> None:
    """Forget the keys of a transaction that ended: they may be gone in the next."""
    for name in (_KEYS, _MADE, _BOUND):
        session.info.pop(name, None)


event.listen(Session, "before_flush", _seal_session)
event.listen(Session, "after_flush", _keep_keys)
event.listen(Session, "after_flush_postexec", _unbind)
event.listen(Session, "after_commit", _forget)
event.listen(Session, "after_soft_rollback", _forget)
