"""How sealed columns are declared and read."""

import json
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Cast,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    LargeBinary,
    Null,
    Table,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from pillweb.base.config import settings
from pillweb.base.crypto import (
    OLD,
    WRAPPED_BYTES,
    Key,
    UnreadableError,
    decrypt,
    key_of,
    seal,
    unseal,
)
from pillweb.base.db import Base, Id, table_of

HOUSE = 0
PATIENTS = "patient"
TEXTS_KEPT = 8192


class DataKey(Base):
    """The key of a patient, wrapped; owner 0 is the house. Deleting it shreds."""

    __tablename__ = "data_key"
    owner_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int | None] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), unique=True
    )
    wrapped: Mapped[bytes] = mapped_column(LargeBinary(WRAPPED_BYTES))
    __table_args__ = (
        CheckConstraint("owner_id = coalesce(patient_id, 0)", name="owner"),
    )


class UnsealedError(Exception):
    """A text was to be written that no key had been chosen for."""


class Bound(NamedTuple):
    """Where a value is written, and by which key it is sealed."""

    table: str
    row: str
    key: Key


class BoundText(str):
    """A text on its way to its row."""

    __slots__ = ("bound",)
    bound: Bound


class BoundBytes(bytes):
    """Bytes on their way to their row."""

    bound: Bound


class _located(FunctionElement[Any]):  # noqa: N801 - it is a function of SQL
    """The row's key, its owner, the owner's wrapped key, then the value itself."""

    inherit_cache = True
    name = "located"


def _parts(element: _located, compiler: SQLCompiler, **how: Any) -> list[str]:  # noqa: ANN401
    # Without its table a column of a RETURNING would be sought in `data_key` first.
    how["include_table"] = True
    return [compiler.process(part, **how) for part in element.clauses]


@compiles(_located, "sqlite")
def _located_in_sqlite(element: _located, compiler: SQLCompiler, **how: object) -> str:
    row, owner, wrapped, value = _parts(element, compiler, **how)
    # Strings are joined byte for byte, zeros too; `cast` names what comes out.
    return (
        f"cast(({row}) || ':' || ({owner}) || ':' || "
        f"coalesce({wrapped}, zeroblob({WRAPPED_BYTES})) || {value} as blob)"
    )


@compiles(_located, "postgresql")
def _located_in_postgres(
    element: _located, compiler: SQLCompiler, **how: object
) -> str:
    row, owner, wrapped, value = _parts(element, compiler, **how)
    none = "00" * WRAPPED_BYTES
    return (
        f"(convert_to(({row})::text || ':' || ({owner})::text || ':', 'UTF8') || "
        f"coalesce({wrapped}, decode('{none}', 'hex')) || {value})"
    )


def _owner_of(column: ColumnElement[Any]) -> ColumnElement[int]:
    table = cast("Column[Any]", column).table
    kept_in = cast("Column[Any]", next(iter(column.base_columns))).table
    if kept_in.name == PATIENTS:
        return cast("ColumnElement[int]", table.c.id)
    if "patient_id" not in kept_in.c:
        return literal_column(str(HOUSE))
    owner = table.c.patient_id
    return func.coalesce(owner, HOUSE) if kept_in.c.patient_id.nullable else owner


def located(column: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return a column as it is kept, with what is needed to read it.

    Raises:
        UnsealedError: it comes out of a query that left out the key of its row.
    """
    if isinstance(column, Cast) and isinstance(column.clause, Null):
        # An empty place beside the rows of another table.
        return column
    table = getattr(column, "table", None)
    if table is None:
        raise UnsealedError(f"{column}: not a column of a table")
    keys = [*table.primary_key]
    if len(keys) != 1:
        raise UnsealedError(f"{column}: select the key of its row too")
    held = table_of(DataKey).c
    owner = _owner_of(column)
    wrapped = select(held.wrapped).where(held.owner_id == owner)
    found = _located(keys[0], owner, wrapped.correlate(table).scalar_subquery(), column)
    found.type = kind
    return found


@lru_cache(maxsize=TEXTS_KEPT)
def _text_of(kept: bytes, place: str) -> str:
    # What a blob says never changes: a new text, even the same one, is a new blob.
    return _bytes_of(kept, place).decode()


def _bytes_of(kept: bytes, place: str) -> bytes:
    row, owner, rest = kept.split(b":", 2)
    blob = rest[WRAPPED_BYTES:]
    if blob[:1] == OLD and not settings().refuse_unbound:
        return decrypt(blob, place=place)
    key = key_of(rest[:WRAPPED_BYTES], int(owner))
    return unseal(blob, key, place=f"{place}:{row.decode()}")


def read_text(kept: Any, *, place: str) -> str | None:  # noqa: ANN401 - of whatever is there
    """Return the text of a column at this place, as `located` gives it.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        return None if kept is None else _text_of(kept, place)
    except ValueError:
        raise UnreadableError from None


class _Sealed:
    """What columns of texts and of bytes have in common."""

    place: str

    def _blob(self, value: str | bytes) -> bytes:
        bound = getattr(value, "bound", None)
        if bound is None or bound.table != self.place.split(".")[0]:
            raise UnsealedError(self.place)
        plain = value.encode() if isinstance(value, str) else value
        return seal(plain, bound.key, place=f"{self.place}:{bound.row}")


class SealedText(_Sealed, TypeDecorator[str]):
    """A column of text, sealed in its row by the key of whose row it is."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in; raise UnsealedError where no key was chosen."""
        del dialect
        return None if value is None else self._blob(value)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Bring along what is needed to read it."""
        return located(column, self)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[bytes | None], str | None]:
        """Unseal on the way out; a page reads a hundred, most of them again."""
        del dialect, coltype
        place = self.place

        def read(value: bytes | None) -> str | None:
            return None if value is None else _text_of(value, place)

        return read


class SealedJson(SealedText):
    """A column of JSON, sealed as text."""

    cache_ok = True

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[bytes | None], Any]:
        """Unseal and parse on the way out."""
        read = super().result_processor(dialect, coltype)

        def parse(value: bytes | None) -> Any:  # noqa: ANN401 - what JSON holds
            text = read(value)
            return None if text is None else json.loads(text)

        return parse


class SealedBytes(_Sealed, TypeDecorator[bytes]):
    """A column of bytes, sealed in its row by the key of whose row it is."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in; raise UnsealedError where no key was chosen."""
        del dialect
        return None if value is None else self._blob(value)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Bring along what is needed to read it."""
        return located(column, self)

    def process_result_value(
        self, value: bytes | None, dialect: Dialect
    ) -> bytes | None:
        """Unseal on the way out."""
        del dialect
        return None if value is None else _bytes_of(value, self.place)


@cache
def sealed_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns of a table that are sealed."""
    return tuple(c.name for c in table.c if isinstance(c.type, _Sealed))
