"""What jobs stand on: their transactions, and the bell they answer."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

import migrations.tables  # noqa: F401 - any row may point into any table
from pillweb.base.clock import database_now
from pillweb.base.db import database
from pillweb.base.log import log
from pillweb.base.queue import bell_key, redis_client
from pillweb.rights.actions.purging import replay_erasures
from pillweb.transfers.actions.asking import forget_files
from pillweb.watch.actions.restoring import note_restore
from pillweb.watch.queries import is_held

PAUSE_S = 0.005
NICE = 10


@contextmanager
def transaction() -> Iterator[tuple[Session, datetime]]:
    """Yield a session and the database's time; keep the work when the block ends."""
    with database().transaction() as session:
        yield session, database_now(session)


def give_way() -> None:
    """Let other writers in between two batches, where only one writes at a time.

    Who waits for SQLite's lock looks up to a tenth of a second apart, and gives up
    after 15 s: whoever takes it again at once keeps all others out.
    """
    if database().engine.dialect.name == "sqlite":
        time.sleep(PAUSE_S)


@contextmanager
def gently() -> Iterator[None]:
    """Let whatever else runs on this machine go first, where this is a job's process.

    A thread beside others stays as it is: it may hold what they wait for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(before, NICE))
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, before)


def _forget_parent_connections() -> None:
    """Leave the parent's database connections alone: a fork must not share them."""
    database().engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_parent_connections)


def look_back() -> None:
    """See, before anything is sent, whether the database is an old one, put back."""
    with transaction() as (session, now):
        if note_restore(session, now=now):
            log.error(
                "database_put_back",
                answer="nothing is sent before you run: python app.py restored",
            )
        if erased := replay_erasures(session, now=now):
            log.warning("erased_again", rows=erased)
        # Such a file is all about somebody: none outlives its day in a backup.
        forget_files(session, now=now)


def may_send() -> bool:
    """Say whether anything may be done: not with an old database nobody spoke for."""
    with database().reading() as session:
        return not is_held(session)


def hang_up(job: str) -> None:
    """Take the bell down before looking, so that a ring from now on is heard."""
    try:
        redis_client().delete(bell_key(job))
    except RedisError as error:
        log.warning("bell_stuck", job=job, error=type(error).__name__)
