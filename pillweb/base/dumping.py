"""A whole database as one file, and such a file as a database."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, make_url

from pillweb.base.age import BackupError
from pillweb.base.known_settings import ROOT

SQLITE, POSTGRES = "sqlite", "postgresql"
LIMIT_S = 3000
VERSION_OF = re.compile(r"(\d+)[.\d]*")
DEBIANS = Path("/usr/lib/postgresql")
# Where a schema waits until the one that replaces it is known to be good.
ASIDE = "public_before_restore"
CUT_OFF = (
    f"An earlier restore was cut off: the database of before is the schema {ASIDE}. "
    f"To have it back: drop schema public cascade; alter schema {ASIDE} rename to "
    "public; where it is not wanted, drop that schema."
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database held at the instant of its copy: its schema, rows by table."""

    revision: str
    counts: Mapping[str, int] = field(default_factory=dict)


def kind_of(url: str) -> str:
    """Return of which kind a database is, sqlite or postgresql."""
    return make_url(url).get_backend_name()


def sqlite_file(url: str) -> Path:
    """Return the file of a SQLite database."""
    return Path(make_url(url).database or "")


def size_of(url: str) -> int:
    """Return how many bytes a database takes, about."""
    if kind_of(url) == SQLITE:
        file = sqlite_file(url)
        beside = file.with_name(f"{file.name}-wal")
        return sum(one.stat().st_size for one in (file, beside) if one.exists())
    with _postgres(url) as connection:
        found = connection.execute("select pg_database_size(current_database())")
        return int(_first(found))


def copy_out(url: str, file: Path) -> Contents:
    """Write one moment of a database into a file, however busy it is; count its rows.

    SQLite's is a database again, without what was deleted (VACUUM INTO). Postgres' is
    an archive of pg_dump, of the same snapshot in which the rows were counted.

    Raises:
        BackupError: it cannot be done, or what was written is not whole.
    """
    if kind_of(url) == SQLITE:
        with closing(_sqlite(sqlite_file(url))) as source:
            try:
                source.execute("VACUUM INTO ?", (str(file),))
            except sqlite3.OperationalError as error:
                raise BackupError("unwritten", f"SQLite: {error}.") from None
            except sqlite3.DatabaseError:
                raise _damaged() from None
        with closing(_sqlite(file)) as copy:
            _must_be_whole(copy)
            return _contents(lambda text: copy.execute(text).fetchall(), SQLITE)
    return _dump(url, file)


def copy_in(file: Path, url: str) -> None:
    """Put a file of `copy_out` into an empty Postgres database, all or nothing.

    Raises:
        BackupError: it is not whole, or the server refuses it.
    """
    program = _program("pg_restore", url)
    options = ["--no-owner", "--no-acl", "--single-transaction", "--schema=public"]
    where, password = _libpq(url)
    _done([program, *options, f"--dbname={where}", str(file)], password)


def contents_of(url: str) -> Contents:
    """Return what a database holds now.

    Raises:
        BackupError: it is not whole.
    """
    if kind_of(url) == SQLITE:
        with closing(_sqlite(sqlite_file(url))) as copy:
            _must_be_whole(copy)
            return _contents(lambda text: copy.execute(text).fetchall(), SQLITE)
    with _postgres(url) as connection:
        return _contents(lambda text: connection.execute(text).fetchall(), POSTGRES)


def _sqlite(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=15,
    )


def _must_be_whole(copy: sqlite3.Connection) -> None:
    try:
        said = copy.execute("PRAGMA integrity_check").fetchone()[0]
        astray = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError:
        said, astray = "", None
    if said != "ok" or astray:
        raise _damaged()


def _damaged() -> BackupError:
    return BackupError(
        "integrity", "The database is damaged: PRAGMA integrity_check says how."
    )


_TABLES = {
    SQLITE: "select name from sqlite_master where type = 'table'"
    " and name not like 'sqlite_%'",
    POSTGRES: "select tablename from pg_tables where schemaname = 'public'",
}


def _contents(ask: Any, kind: str) -> Contents:  # noqa: ANN401 - text in, rows out
    names = sorted(name for (name,) in ask(_TABLES[kind]))
    counts = {
        name: ask(f'select count(*) from "{name}"')[0][0]  # noqa: S608 - our own tables
        for name in names
        if name != "alembic_version"
    }
    is_ours = "alembic_version" in names
    revision = ask("select version_num from alembic_version") if is_ours else []
    return Contents(revision[0][0] if revision else "", counts)


def _first(cursor: "psycopg.Cursor[Any]") -> Any:  # noqa: ANN401 - of any column
    row = cursor.fetchone()
    return row[0] if row else None


def _libpq(url: str) -> tuple[str, dict[str, str]]:
    """Return where a database is as libpq wants it, and the password apart from it."""
    made = make_url(url)
    query = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in made.query.items()
    }
    facts: dict[str, Any] = {
        "host": made.host,
        "port": made.port,
        "user": made.username,
        "dbname": made.database,
        "connect_timeout": 5,
        **query,
    }
    # A command's words can be read by anybody on the machine, its environment not.
    password = {"PGPASSWORD": str(made.password)} if made.password else {}
    known = {name: value for name, value in facts.items() if value is not None}
    return make_conninfo(**known), password


@contextmanager
def _postgres(url: str) -> Iterator["psycopg.Connection[Any]"]:
    where, password = _libpq(url)
    try:
        made = psycopg.connect(
            make_conninfo(where, password=password.get("PGPASSWORD")), autocommit=True
        )
    except psycopg.OperationalError:
        raise BackupError(
            "unreachable", "The database of that address does not answer."
        ) from None
    with made:
        yield made


def _dump(url: str, file: Path) -> Contents:
    program = _program("pg_dump", url)
    where, password = _libpq(url)
    with _postgres(url) as connection:
        connection.execute("begin isolation level repeatable read read only")
        snapshot = _first(connection.execute("select pg_export_snapshot()"))
        found = _contents(lambda text: connection.execute(text).fetchall(), POSTGRES)
        options = ["--format=custom", "--schema=public", f"--snapshot={snapshot}"]
        options += ["--lock-wait-timeout=60000", f"--file={file}"]
        _done([program, *options, f"--dbname={where}"], password)
    return found


def _program(name: str, url: str) -> str:
    """Return the oldest pg_dump or pg_restore here that is not older than the server.

    Raises:
        BackupError: there is none.
    """
    with _postgres(url) as connection:
        major = connection.info.server_version // 10_000
    folders = [Path(one) for one in os.get_exec_path()]
    folders += sorted(DEBIANS.glob("*/bin"))
    found = []
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            said = subprocess.run(
                [folder / name, "--version"],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            version = VERSION_OF.search(said)
            found += [(int(version[1]), str(folder / name))] if version else []
    fitting = [one for one in found if one[0] >= major]
    if not fitting:
        raise BackupError(
            f"{name}_missing",
            f"There is no {name} of PostgreSQL {major} or newer here. Install the "
            f"client programs of that version (Debian: postgresql-client-{major}), or "
            "put their folder on PATH.",
        )
    return min(fitting, key=lambda one: one[0])[1]


def _done(command: Sequence[str], secret: Mapping[str, str]) -> None:
    """Run a program of Postgres, giving way to all others, for an hour at most.

    Raises:
        BackupError: it failed; the sentence holds its first line.
    """
    leash = [sys.executable, "-S", "-m", "pillweb.base.leash", "SIGKILL"]
    gently = [nice, "-n", "10"] if (nice := shutil.which("nice")) else []
    code = f"{Path(command[0]).name}_failed"
    try:
        done = subprocess.run(
            [*leash, *gently, *command],
            cwd=ROOT,
            env={**os.environ, **secret},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BackupError(code, f"{command[0]} took too long.") from None
    if done.returncode:
        # Further lines may hold what stands in rows.
        raise BackupError(code, (done.stderr.strip() or "It failed.").splitlines()[0])


def users_of(url: str) -> int:
    """Return how many others are connected to a database that exists."""
    if kind_of(url) == POSTGRES:
        with _postgres(url) as connection:
            return int(
                _first(
                    connection.execute(
                        "select count(*) from pg_stat_activity where datname ="
                        " current_database() and pid <> pg_backend_pid()"
                        " and backend_type = 'client backend'"
                    )
                )
            )
    file = sqlite_file(url)
    if not file.exists():
        return 0
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as alone:
        # SQLite leaves its log (WAL) only while nobody else has the file open.
        try:
            alone.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            return 1
        except sqlite3.DatabaseError:
            # A damaged one; nobody works with it.
            return 0
    return 0


@contextmanager
def scratch_postgres(url: str) -> Iterator[str]:
    """Yield the address of a new database beside this one, which is gone afterwards.

    Raises:
        BackupError: this role may make none.
    """
    beside = make_url(url)
    name = f"{beside.database}_restore_test"
    drop = SQL("drop database if exists {} with (force)").format(Identifier(name))
    make = SQL("create database {} template template0").format(Identifier(name))
    with _postgres(url) as connection:
        try:
            # One that was killed left its own.
            connection.execute(drop)
            connection.execute(make)
        except psycopg.errors.InsufficientPrivilege:
            raise BackupError(
                "no_scratch",
                "The role of the database may not make a scratch database: give it "
                "CREATEDB, or name another role in BACKUP_DATABASE_URL.",
            ) from None
        try:
            yield _told(beside.set(database=name))
        finally:
            connection.execute(drop)


def _told(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def set_aside(url: str) -> Iterator[None]:
    """Empty a Postgres database for the block; bring all back where that fails.

    Raises:
        BackupError: the role may not, or an earlier restore was cut off.
    """
    with _postgres(url) as connection:
        aside, public = Identifier(ASIDE), Identifier("public")
        try:
            with connection.transaction():
                connection.execute(
                    SQL("alter schema {} rename to {}").format(public, aside)
                )
                connection.execute(SQL("create schema {}").format(public))
        except psycopg.errors.DuplicateSchema:
            raise BackupError("not_emptied", CUT_OFF) from None
        except psycopg.errors.InsufficientPrivilege:
            raise BackupError(
                "not_emptied",
                "The role of the database may not replace its schema: let it own the "
                "database, or name another role in BACKUP_DATABASE_URL.",
            ) from None
        drop = SQL("drop schema {} cascade")
        try:
            yield
        except BaseException:
            with connection.transaction():
                connection.execute(drop.format(public))
                connection.execute(
                    SQL("alter schema {} rename to {}").format(aside, public)
                )
            raise
        connection.execute(drop.format(aside))
