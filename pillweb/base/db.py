"""The database: one set of models and sessions for SQLite and for Postgres."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    CursorResult,
    DateTime,
    Engine,
    Executable,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from pillweb.base.config import settings

READS = "pillweb_reads"
GUARDED = "pillweb_guarded"
UTC_TEXT = len("2026-11-20 08:05:00.000000")
Id = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: stored as UTC, given back as UTC, naive times refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(
        self, dialect: Dialect
    ) -> Callable[[datetime | None], datetime | str | None]:
        """Turn an aware time into UTC; raise ValueError on a naive one."""
        return _text_of_instant if dialect.name == "sqlite" else _utc

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None]:
        """Give the instant back as UTC."""
        del coltype
        return _instant_of_text if dialect.name == "sqlite" else _instant


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("an instant must carry its offset")
    return value.astimezone(UTC)


def _text_of_instant(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = cast("datetime", _utc(value))
    return value.isoformat(" ", "microseconds")[:UTC_TEXT]


def _instant_of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _instant(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Exact(TypeDecorator[Decimal]):
    """A decimal kept to the last digit, as text: SQLite's own are binary floats."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write the decimal without exponent."""
        del dialect
        return None if value is None else format(value, "f")

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> Decimal | None:
        """Read the decimal back."""
        del dialect
        return None if value is None else Decimal(value)


class Base(DeclarativeBase):
    """The base of every row; constraint names are fixed so migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, Decimal: Exact}  # noqa: RUF012

    @classmethod
    def __table_cls__(cls, *parts: Any, **facts: Any) -> Table:  # noqa: ANN401 - of a Table
        """Let SQLite give an id once, as Postgres does: records keep them for good."""
        keys = [c.name for c in parts if isinstance(c, Column) and c.primary_key]
        return Table(*parts, sqlite_autoincrement=keys == ["id"], **facts)

    def __repr__(self) -> str:
        """Name the row by its key alone: names and medicines stay out of logs."""
        keys = self.__mapper__.primary_key
        shown = ", ".join(f"{k.name}={self.__dict__.get(k.name)}" for k in keys)
        return f"{type(self).__name__}({shown})"


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "busy_timeout=15000",
        "synchronous=FULL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # Without it every statement stands alone: a connection begins nothing by itself.
    if not connection.get_execution_options().get(READS):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def make_engine(url: str, *, statement_timeout_s: int = 5) -> Engine:
    """Return an engine for `sqlite:///…` or `postgresql://…`.

    SQLite writes ahead (WAL), syncs every commit to disk, keeps foreign keys and
    takes the write lock when a writing transaction begins, so that it waits
    rather than fails. A pooled connection is awaited for 2 s and checked before use.
    What a statement was given never stands in an error: errors are logged.
    """
    if make_url(url).get_backend_name() == "sqlite":
        file = make_url(url).database
        if file and file != ":memory:":
            Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_engine(url, pool_size=10, pool_timeout=15, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(
        url,
        pool_size=10,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        hide_parameters=True,
        # psycopg's own executemany is faster, and says how many rows it wrote.
        use_insertmanyvalues=False,
        connect_args={
            "connect_timeout": 5,
            "options": f"-c statement_timeout={statement_timeout_s * 1000} "
            "-c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 "
            "-c timezone=UTC",
        },
    )


class ReadOnlyError(Exception):
    """A page that only shows tried to change a row."""


class ReadingSession(Session):
    """A session in which no row can change."""

    def flush(self, objects: Sequence[object] | None = None) -> None:
        """Refuse to write; raise ReadOnlyError when something changed."""
        del objects
        if self.new or self.dirty or self.deleted:
            raise ReadOnlyError


@dataclass(frozen=True)
class Database:
    """One engine, and the two ways to use it."""

    engine: Engine

    @cached_property
    def _reader(self) -> Engine:
        # SQLite's own AUTOCOMMIT would cost a pragma at the end of every page.
        if self.engine.dialect.name == "sqlite":
            return self.engine.execution_options(**{READS: True})
        # What may be seen is told for one transaction, so here there must be one.
        if self.engine.get_execution_options().get(GUARDED):
            return self.engine.execution_options(postgresql_readonly=True)
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def reading(self) -> Session:
        """Return a session without a transaction, in which no row can change."""
        return ReadingSession(self._reader, expire_on_commit=False)

    def writing(self) -> Session:
        """Return a session whose work is kept only when the edge commits it."""
        return Session(self.engine, expire_on_commit=False)

    @contextmanager
    def standing_still(self) -> Iterator[Session]:
        """Yield a session that reads all as it is at its first question, and no later.

        No row can change by it, and it keeps nobody from changing any.
        """
        if self.engine.dialect.name == "sqlite":
            with self.reading() as session:
                session.connection().exec_driver_sql("BEGIN")
                yield session
            return
        still = self.engine.execution_options(isolation_level="REPEATABLE READ")
        with ReadingSession(still, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit when the block ends, roll back when it raises."""
        with self.writing() as session, session.begin():
            yield session


@cache
def database() -> Database:
    """Return the database of this process."""
    return Database(make_engine(settings().database_url))


def ask(
    session: Session,
    statement: Executable,
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = MappingProxyType({}),
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement that was made once, with the values of this time.

    To make a statement takes several times as long as to execute it, so whatever is
    asked in every request stands ready at the top of its module, with `bindparam`s.
    The rows are plain ones: columns, not objects of the session.
    """
    session.flush()
    return session.connection().execute(statement, values)


def index_where(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of only those rows for which the condition holds."""
    only = text(where)
    return Index(
        name, *columns, unique=unique, sqlite_where=only, postgresql_where=only
    )


def table_of(row: type[Base]) -> Table:
    """Return the table in which a kind of row is kept."""
    return cast("Table", row.__table__)


@cache
def _inserting(dialect: str, row: type[Base]) -> Any:  # noqa: ANN401
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table_of(row))


@cache
def inserting_new(dialect: str, row: type[Base]) -> Any:  # noqa: ANN401
    """Return the statement that inserts rows that break no unique rule."""
    statement = _inserting(dialect, row).on_conflict_do_nothing()
    # Postgres forgets how many rows there were unless it is asked to remember.
    return statement.execution_options(preserve_rowcount=True)


def insert_new(
    session: Session, row: type[Base], values: Sequence[Mapping[str, Any]]
) -> int:
    """Insert the rows that break no unique rule, and say how many those were.

    The rows must all name the same columns.
    """
    if not values:
        return 0
    statement = inserting_new(session.get_bind().dialect.name, row)
    return int(ask(session, statement, list(values)).rowcount)


def insert_new_from(
    session: Session,
    row: type[Base],
    columns: Sequence[str],
    chosen: Select[*tuple[Any, ...]],
) -> None:
    """Insert what a query chooses, but for rows that break a unique rule."""
    statement = _inserting(session.get_bind().dialect.name, row)
    session.execute(statement.from_select(columns, chosen).on_conflict_do_nothing())


def upsert(
    session: Session, row: type[Base], values: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows, or change those that have their primary keys.

    The rows must all name the same columns.
    """
    if values:
        dialect = session.get_bind().dialect.name
        ask(session, _upserting(dialect, row, tuple(values[0])), list(values))


@cache
def _upserting(dialect: str, row: type[Base], names: tuple[str, ...]) -> Any:  # noqa: ANN401
    keys = [key.name for key in row.__mapper__.primary_key]
    statement = _inserting(dialect, row)
    rest = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


def hold_row(session: Session, row: type[Base], values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return the row with this primary key, all its columns, made if there is none.

    Nobody else changes it, or makes one, before this transaction ends.
    """
    return ask(session, _holding(session.get_bind().dialect.name, row), values).one()


@cache
def _holding(dialect: str, row: type[Base]) -> Any:  # noqa: ANN401
    keys = [key.name for key in row.__mapper__.primary_key]
    # To set a key to itself changes nothing, and locks the row.
    same = {name: table_of(row).c[name] for name in keys}
    held = _inserting(dialect, row).on_conflict_do_update(
        index_elements=keys, set_=same
    )
    return held.returning(*table_of(row).c)
