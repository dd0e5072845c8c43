"""A backup is opened, and put in the place of a database: all of it, or nothing."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from pillweb.base.age import PIECE, BackupError, unseal
from pillweb.base.config import settings
from pillweb.base.db import Database, make_engine
from pillweb.base.dumping import (
    SQLITE,
    Contents,
    contents_of,
    copy_in,
    kind_of,
    scratch_postgres,
    set_aside,
    sqlite_file,
    users_of,
)
from pillweb.base.known_settings import ROOT
from pillweb.base.line_file import bring_lines
from pillweb.watch.actions.backing_up import (
    CONTENTS,
    DATABASE,
    ERASURES,
    HEADS,
    contents_text,
)
from pillweb.watch.queries import key_file
from pillweb.watch.rules.keeping import FORMAT, read_manifest

LIMIT_S = 1200
STATEMENT_S = 600
# Whoever has any of these has something to lose.
PEOPLE = ("account", "patient")


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that was read: whole, by the right key, of a version that is known.

    `heads` are the seals of the record of that time, if there were any. `ledger` tells
    who was erased until the newest backup beside it.
    """

    database: Path
    kind: str
    contents: Contents
    heads: Path | None
    ledger: Path


def read_key(file: Path | None) -> str:
    """Return the secret key in a file, or the one of this machine.

    Raises:
        BackupError: there is none.
    """
    place = file or key_file()
    try:
        return place.read_text("utf-8")
    except (OSError, ValueError):
        raise BackupError(
            "no_key",
            f"The key that opens backups is not at {place}. "
            "Put it there, or name its file with --key.",
        ) from None


def open_backup(file: Path, folder: Path, *, key: str) -> Opened:
    """Decrypt a backup into a folder that is gone after use.

    Raises:
        BackupError: it is not as it was made, the key is another one, or it is of a
            newer PillWeb, or of one with other FIELD_KEYS.
    """
    _must_be_as_made(file)
    try:
        with file.open("rb") as source:
            found = unseal(source, folder, (CONTENTS, DATABASE, HEADS), key=key)
        told: dict[str, Any] = json.loads(found[CONTENTS].read_text("utf-8"))
        opened = Opened(
            database=found[DATABASE],
            kind=told["database"],
            contents=Contents(told["revision"], told["counts"]),
            heads=found.get(HEADS),
            ledger=file.with_name(ERASURES),
        )
        is_known = told["format"] <= FORMAT and _is_known(opened.contents.revision)
        keys = told["keys"]
    except OSError as error:
        raise BackupError("unread", f"{file} cannot be read: {error}.") from None
    except (KeyError, TypeError, ValueError):
        raise BackupError("damaged", "This is no backup of PillWeb.") from None
    if not is_known:
        raise BackupError(
            "newer", "This backup was made by a newer PillWeb: install that one first."
        )
    _must_have_keys(keys)
    return opened


def _must_be_as_made(file: Path) -> None:
    """Compare a file with the manifest beside it; without one age alone must do."""
    beside = file.with_name(f"{file.name}.json")
    if not file.is_file():
        raise BackupError("unread", f"There is no file {file}.")
    if not beside.exists():
        return
    manifest = read_manifest(beside.read_text("utf-8", "replace"))
    found = sha256()
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            found.update(piece)
    if manifest is None or manifest.sha256 != found.hexdigest():
        raise BackupError(
            "damaged", "This backup is damaged or cut off: its SHA-256 is another one."
        )


def _is_known(revision: str) -> bool:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    try:
        return bool(ScriptDirectory.from_config(config).get_revision(revision))
    except CommandError:
        return False


def _must_have_keys(keys: Sequence[str]) -> None:
    ours = json.loads(contents_text(Contents(""), SQLITE))["keys"]
    if not set(keys) <= set(ours):
        raise BackupError(
            "field_keys",
            "Names and notes in this backup could not be read with the FIELD_KEYS here."
            " Put the secrets of the old machine in their place first"
            " (var/secrets/field_key).",
        )


def must_take(opened: Opened, url: str) -> None:
    """Refuse a database that cannot take this backup, or that somebody works with.

    Raises:
        BackupError: so it is.
    """
    if kind_of(url) != opened.kind:
        raise BackupError(
            "kind",
            f"This backup is of {opened.kind}, the database here of {kind_of(url)}: "
            "name one of the same kind with --into.",
        )
    if users_of(url):
        raise BackupError(
            "in_use", "Something is connected to the database: stop PillWeb first."
        )


def is_occupied(url: str) -> bool:
    """Say whether anybody is in a database.

    Raises:
        BackupError: it is damaged, so that nobody knows.
    """
    if kind_of(url) == SQLITE and not sqlite_file(url).exists():
        return False
    try:
        found = contents_of(url)
    except BackupError:
        raise BackupError(
            "integrity",
            "The database here is damaged, so that it cannot be saved first. Move it "
            "away, then restore again.",
        ) from None
    # What is none of ours is somebody's.
    names = PEOPLE if found.revision else found.counts
    return any(found.counts.get(name) for name in names)


@contextlib.contextmanager
def put_back(opened: Opened, url: str) -> Iterator[str]:
    """Yield where the backup is a database, to be made ready in the block.

    After it that database is the one of `url`; where the block fails, nothing changed.

    Raises:
        BackupError: it does not hold what was backed up, or the server refuses it.
    """
    if kind_of(url) == SQLITE:
        with _beside(sqlite_file(url)) as new:
            shutil.move(opened.database, new)
            made = f"sqlite:///{new}"
            must_hold(opened, made)
            yield made
        return
    with set_aside(url):
        copy_in(opened.database, url)
        must_hold(opened, url)
        yield url


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """Yield a file that takes the place of another one after the block."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        new = Path(folder) / "pillweb.db"
        yield new
        if new.with_name(f"{new.name}-wal").exists():
            raise BackupError("in_use", "The restored database is still open.")
        with new.open("rb") as whole:
            os.fsync(whole.fileno())
        for log in ("-wal", "-shm"):
            file.with_name(f"{file.name}{log}").unlink(missing_ok=True)
        new.replace(file)


@contextlib.contextmanager
def scratch(opened: Opened, url: str) -> Iterator[str]:
    """Yield where the backup is a database of its own, which is gone afterwards.

    Raises:
        BackupError: as `put_back`, or there can be none.
    """
    if kind_of(url) == SQLITE:
        yield f"sqlite:///{opened.database}"
        return
    with scratch_postgres(url) as made:
        copy_in(opened.database, made)
        yield made


def must_hold(opened: Opened, url: str) -> None:
    """Refuse a database that does not hold, row for row, what the backup says.

    Raises:
        BackupError: so it is.
    """
    if contents_of(url) != opened.contents:
        raise BackupError(
            "counts", "The restored database does not hold as many rows as were saved."
        )


def migrate_forward(url: str) -> None:
    """Bring a database to the newest schema, by the release command, in its process.

    Raises:
        BackupError: it failed.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        done = 1
    if done:
        raise BackupError(
            "schema", "The backup could not be brought to the newest schema."
        )


@contextlib.contextmanager
def opened_database(url: str) -> Iterator[Database]:
    """Yield a database that is closed after the block."""
    engine = make_engine(url, statement_timeout_s=STATEMENT_S)
    try:
        yield Database(engine)
    finally:
        engine.dispose()


def bring_ledger(opened: Opened) -> None:
    """Bring here what tells who was erased, and the seals of the record.

    Lines that are here stay. Seals are brought where there are none.
    """
    here = Path(settings().var_dir)
    if opened.heads and not (here / HEADS).exists():
        (here / HEADS).write_text(opened.heads.read_text("utf-8"), "utf-8")
    bring_lines(opened.ledger, here / ERASURES)
