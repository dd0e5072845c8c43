"""The database: one set of models and sessions for SQLite and for Postgres."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from pillweb.base.config import settings

Id = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: stored as UTC, given back as UTC, naive times refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Turn an aware time into UTC; raise ValueError on a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must carry its offset")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Give the instant back as UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


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
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
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
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def reading(self) -> Session:
        """Return a session without a transaction, in which no row can change."""
        return ReadingSession(self._reader, expire_on_commit=False)

    def writing(self) -> Session:
        """Return a session whose work is kept only when the edge commits it."""
        return Session(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit when the block ends, roll back when it raises."""
        with self.writing() as session, session.begin():
            yield session


@cache
def database() -> Database:
    """Return the database of this process."""
    return Database(make_engine(settings().database_url))


def _insert(session: Session, row: type[Base]) -> Any:  # noqa: ANN401
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    make = sqlite.insert if on_sqlite else postgresql.insert
    return make(cast("Table", row.__table__))


def insert_new(
    session: Session, row: type[Base], values: Sequence[Mapping[str, Any]]
) -> int:
    """Insert the rows that break no unique rule, and say how many those were.

    The rows must all name the same columns.
    """
    if not values:
        return 0
    keys = row.__mapper__.primary_key
    # Counted by what comes back: psycopg tells no rowcount of many rows at once.
    statement = _insert(session, row).on_conflict_do_nothing().returning(*keys)
    return len(session.connection().execute(statement, list(values)).all())


def insert_new_from(
    session: Session,
    row: type[Base],
    columns: Sequence[str],
    chosen: Select[*tuple[Any, ...]],
) -> None:
    """Insert what a query chooses, but for rows that break a unique rule."""
    session.execute(
        _insert(session, row).from_select(columns, chosen).on_conflict_do_nothing()
    )


def upsert(session: Session, row: type[Base], values: Mapping[str, Any]) -> None:
    """Insert a row, or change the one that has its primary key."""
    keys = [key.name for key in row.__mapper__.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    statement = _insert(session, row).values(**values)
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))
