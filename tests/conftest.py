"""What tests stand on: settings of their own, two databases, a pinned moment."""

import base64
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
import time_machine
from alembic import command
from alembic.config import Config
from flask import Flask
from sqlalchemy.orm import Session

from migrations.tables import metadata
from pillweb.base import config, queue
from pillweb.base import db as database_module
from pillweb.base.db import Database
from pillweb.base.web_db import web_database
from pillweb.factory import create_app
from pillweb.watch.queries import delays
from pillweb.web import limits
from pillweb.web.security import limiter
from tests.network import stay_here
from tests.press import PersonsBrowser
from tests.services import (
    ROOT,
    SmtpSink,
    Valkey,
    postgres_server,
    smtp_sink,
    valkey_server,
)
from tests.world import World, make_world

# Settings are read at first use, so this comes before any.
VAR = Path(tempfile.mkdtemp(prefix="pillweb-tests-"))
os.environ |= {
    "SECRET_KEY": "a test key that is long enough and only for tests",
    "FIELD_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode(),
    "DATABASE_URL": f"sqlite:///{VAR}/unused.db",
    "REDIS_URL": "",
    "SMTP_URL": "",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "HOST": "127.0.0.1",
    "VAR_DIR": str(VAR),
    "LOG_LEVEL": "WARNING",
    # Tests of backups ask for them.
    "BACKUP_DAYS": "0",
}

NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
MIGRATED = VAR / "migrated.db"


def pytest_unconfigure() -> None:
    shutil.rmtree(VAR, ignore_errors=True)


def migrate(url: str) -> None:
    """Bring a database to the newest schema, as `make migrate` does."""
    before = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = url
    try:
        command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
    finally:
        os.environ["DATABASE_URL"] = before


# A busy machine makes no test fail: none of them is about time spent.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _on_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        stay_here(patch)
        yield


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A migrated SQLite file, to be copied."""
    migrate(f"sqlite:///{MIGRATED}")
    engine = sa.create_engine(f"sqlite:///{MIGRATED}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return MIGRATED


@contextmanager
def new_postgres_database(beside: str, name: str) -> Iterator[str]:
    """Let there be an empty database on the same server for a while; give its URL."""
    # Some tests crash the server under it.
    server = sa.create_engine(
        beside, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with server.connect() as connection:
        connection.exec_driver_sql(f"create database {name}")
    url = sa.make_url(beside).set(database=name)
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a schema, which the settings name; its URL."""
    before = dict(os.environ)
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/empty.db"
        use_settings(DATABASE_URL=url)
        yield url
    else:
        beside = request.getfixturevalue("postgres_url")
        with new_postgres_database(beside, f"empty_{os.getpid()}") as url:
            use_settings(DATABASE_URL=url)
            yield url
    os.environ.clear()
    use_settings(**before)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a migrated Postgres database of this test process alone."""
    with (
        postgres_server() as admin,
        new_postgres_database(admin, f"pillweb_{os.getpid()}") as url,
    ):
        migrate(url)
        yield url


def use_settings(**values: str) -> None:
    """Let the process read these settings, as if it started with them."""
    os.environ |= values
    if database_module.database.cache_info().currsize:
        database_module.database().engine.dispose()
    if web_database.cache_info().currsize:
        web_database().engine.dispose()
    config.settings.cache_clear()
    if "DATABASE_URL" in values:
        database_module.database.cache_clear()
        web_database.cache_clear()
    queue.redis_client.cache_clear()


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty migrated database: each test runs on SQLite and on Postgres."""
    before = dict(os.environ)
    if request.param == "sqlite":
        file = tmp_path / "pillweb.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite:///{file}"
    else:
        url = request.getfixturevalue("postgres_url")
    use_settings(DATABASE_URL=url)
    database = database_module.database()
    yield database
    web_database().engine.dispose()
    if request.param == "postgres":
        with database.transaction() as session:
            tables = ", ".join(metadata.tables)
            session.execute(sa.text(f"truncate {tables} restart identity cascade"))
    database.engine.dispose()
    os.environ.clear()
    use_settings(**before)


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    """A writing session whose work is dropped at the end."""
    with db.writing() as session:
        yield session


@pytest.fixture
def now() -> datetime:
    """Friday 20 November 2026, 8.05 in the morning in London."""
    return NOW


@pytest.fixture
def pinned(now: datetime) -> Iterator[time_machine.Traveller]:
    """The clock stands still at `now`; the traveller moves it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(db: Database, now: datetime) -> World:
    """The cast of people, kept in the database; tests/world.py says who they are."""
    with db.transaction() as session:
        return make_world(session, now=now)


@pytest.fixture(scope="session")
def web_app() -> Flask:
    """The web app; which database it uses is asked anew in every request."""
    # Tests press faster than people; what limits do, tests/web/test_limits.py says.
    limits.RATES.update(dict.fromkeys(limits.RATES, "1000000 per minute"))
    made = create_app()
    made.test_client_class = PersonsBrowser
    return made


@pytest.fixture
def app(web_app: Flask, db: Database) -> Flask:
    """The web app on this test's database; nobody has tried to sign in yet."""
    limiter.reset()
    delays.forget()
    return web_app


@pytest.fixture
def own_mailbox(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A mailbox that only this test's mail is in."""
    with monkeypatch.context() as patch:
        patch.setenv("VAR_DIR", str(tmp_path))
        config.settings.cache_clear()
        yield
    config.settings.cache_clear()


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A real SMTP server, which the app is told to use."""
    with smtp_sink() as started:
        use_settings(SMTP_URL=f"smtp://{started.host}:{started.port}?tls=off")
        yield started
        use_settings(SMTP_URL="")


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A real Valkey server, which the app is told to use."""
    with valkey_server() as started:
        use_settings(REDIS_URL=started.url)
        yield started
        use_settings(REDIS_URL="")
