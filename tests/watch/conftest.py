import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pillweb.base.db import Database
from tests.conftest import new_postgres_database, use_settings
from tests.jobs.conftest import moment, told
from tests.services import postgres_programs

__all__ = ["moment", "told"]


@pytest.fixture
def place(db: Database, tmp_path: Path) -> Path:
    """The folder of an installation that makes backups; they are in `backups`."""
    folder = tmp_path / "var"
    folder.mkdir()
    path = f"{os.environ.get('PATH', os.defpath)}:{postgres_programs()}"
    use_settings(VAR_DIR=str(folder), BACKUP_DAYS="35", PATH=path)
    return folder


@pytest.fixture
def elsewhere(db: Database, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the same kind, in which nothing is."""
    if db.engine.dialect.name == "sqlite":
        yield f"sqlite:///{tmp_path}/elsewhere/pillweb.db"
        return
    name = f"{db.engine.url.database}_elsewhere"
    with new_postgres_database(os.environ["DATABASE_URL"], name) as url:
        yield url
