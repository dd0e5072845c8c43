"""Commands about backups: `python app.py backup`, `… backup-key`, `… restore FILE`."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pillweb.audit.actions import append_entry, append_everywhere
from pillweb.base.age import BackupError, recipient_of
from pillweb.base.clock import database_now, now
from pillweb.base.config import settings
from pillweb.base.db import Database, database
from pillweb.base.known_settings import ROOT, listed
from pillweb.base.visits import COMMAND, HOUSE, Visit
from pillweb.rights.actions.purging import complete_ledger, replay_erasures
from pillweb.watch.actions.backing_up import make_backup, make_key, work_folder
from pillweb.watch.actions.putting_back import (
    bring_ledger,
    is_occupied,
    migrate_forward,
    must_take,
    open_backup,
    opened_database,
    put_back,
    read_key,
)
from pillweb.watch.actions.restoring import Restored, settle_restore
from pillweb.watch.queries import backup_folder, backup_url, key_file

# What else is done to a database that was put back, each in a transaction of its own.
AFTER_RESTORE: tuple[Callable[..., int], ...] = (replay_erasures,)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@contextmanager
def _in_sentences() -> Iterator[None]:
    """Say what is wrong in a sentence; the exit code is 1 then."""
    try:
        yield
    except BackupError as error:
        raise click.ClickException(str(error)) from None


@click.command("backup")
@click.option("--to", type=FOLDER, help="A folder; else BACKUP_DIR.")
def backup(to: Path | None) -> None:
    """Back everything up now, encrypted; PillWeb may run meanwhile."""
    with database().reading() as session:
        complete_ledger(session)
    with _in_sentences():
        file, manifest = make_backup(to or backup_folder(), now=now())
    with database().transaction() as session:
        visit = Visit(HOUSE, COMMAND)
        append_entry(session, visit, act="commands.backup", ids={}, now=now())
    click.echo(
        f"Backed up to {file} ({manifest.bytes} bytes), with its manifest beside it.\n"
        "The keys are not in it: `python app.py backup-key` says what to keep apart."
    )


@click.command("backup-key")
def backup_key() -> None:
    """Print the key that opens the backups, to be kept on paper."""
    with _in_sentences():
        key = make_key()
        public = recipient_of(key)
    click.echo(
        f"{key}\n\n"
        f"Its public half is {public}; it stands in {key_file()}.\n"
        "Write it on paper, or keep it where this machine is not. Whoever has it can\n"
        "open the backups. Names and notes in them can be read with FIELD_KEYS only:\n"
        "keep var/secrets/field_key as well, and both apart from the backups."
    )
    named = listed(settings().backup_recipient)
    if named and public not in named:
        click.echo(
            "BACKUP_RECIPIENT names other keys: this one opens no backup made by it."
        )


@contextmanager
def _alone() -> Iterator[None]:
    """Let nobody start PillWeb from this folder meanwhile.

    Raises:
        BackupError: it runs.
    """
    lock = Path(settings().var_dir) / "run.lock"
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(
                "in_use", "PillWeb runs from this folder: stop it first."
            ) from None
        yield


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--into", metavar="URL", help="A database; else DATABASE_URL.")
@click.option("--key", type=FILE, help="The file of the secret key; else this one's.")
@click.option("--replace", is_flag=True, help="Back up who is in it first.")
def restore(file: Path, into: str | None, key: Path | None, *, replace: bool) -> None:
    """Put a backup in the place of the database, and make it safe to run."""
    if into and into != settings().database_url:
        sys.exit(_elsewhere(into, file, key, replace=replace))
    url = backup_url()
    with _in_sentences(), _alone(), work_folder() as folder:
        opened = open_backup(file, folder, key=read_key(key))
        database().engine.dispose()
        must_take(opened, url)
        if is_occupied(url):
            _save_first(replace=replace)
        bring_ledger(opened)
        with put_back(opened, url) as made:
            migrate_forward(made)
            with opened_database(made) as new:
                done, again = settle(new)
    rows = sum(opened.contents.counts.values())
    click.echo(f"Restored: {rows} rows, as they were saved.\n{settled_words(done)}")
    if again:
        click.echo(f"  Who was erased since, and is again: {again}")
    click.echo("What was recorded since the backup is gone. Start PillWeb now.")


def _elsewhere(url: str, file: Path, key: Path | None, *, replace: bool) -> int:
    """Do it in a process of its own, to which that database is the one of settings."""
    command = [sys.executable, "-m", "flask", "--app", "app", "restore", str(file)]
    command += ["--key", str(key)] if key else []
    command += ["--replace"] if replace else []
    env = {**os.environ, "DATABASE_URL": url, "BACKUP_DATABASE_URL": ""}
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def _save_first(*, replace: bool) -> None:
    if not replace:
        raise BackupError(
            "not_empty",
            "There are people in this database. With --replace it is backed up first, "
            "and then replaced.",
        )
    saved, _manifest = make_backup(backup_folder(), now=now())
    click.echo(f"What was in the database before is saved in {saved}.")


def settle(made: Database) -> tuple[Restored, int]:
    """Make a database that was put back safe to run, and write so into its record.

    Returns what was stopped, and how many people `AFTER_RESTORE` was about.
    """
    with made.transaction() as session:
        now_there = database_now(session)
        done = settle_restore(session, now=now_there)
        append_everywhere(session, by=COMMAND, act="commands.restored", now=now_there)
    again = 0
    for follow in AFTER_RESTORE:
        with made.transaction() as session:
            again += follow(session, now=database_now(session))
    return done, again


def settled_words(done: Restored) -> str:
    """Say what was stopped."""
    return (
        "The database may run again.\n"
        f"  Messages that are not sent any more: {done.messages}\n"
        f"  Reminders of the past, told of once as late: {done.reminders}\n"
        f"  Links that open nothing any more: {done.links}\n"
        f"  Browsers that have to sign in again: {done.sessions}"
    )


@click.command("restored")
def restored() -> None:
    """Make a database that was put back by other means safe to run."""
    done, _again = settle(database())
    click.echo(settled_words(done))


BACKUP_COMMANDS = (backup, backup_key, restore, restored)
