"""Transactions that take turns, where two at once would both be wrong."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from pillweb.base.db import Base

# In the order in which they are given.
_TURNS_ABOUT = text(
    "select pg_advisory_xact_lock(:group, cast(one as integer)) "
    "from unnest(cast(:ids as bigint[])) as one"
)


def take_turns(session: Session, row: type[Base]) -> None:
    """Let transactions that look whether such a row exists, then add it, take turns.

    The next waits until this one ends, as long as a statement may last. SQLite has
    one writer at a time anyway.
    """
    if session.get_bind().dialect.name != "sqlite":
        table = row.__tablename__
        session.execute(text("set local lock_timeout = 0"))
        session.execute(text(f"lock table {table} in share row exclusive mode"))


def take_turns_about(session: Session, group: int, ids: Collection[int]) -> None:
    """Let transactions that are about the same ones of a group take turns.

    As `take_turns`, but only those wait that have an id in common. Each asks once, and
    locks nothing after that: then none waits for another that waits for it.
    """
    if ids and session.get_bind().dialect.name != "sqlite":
        session.execute(text("set local lock_timeout = 0"))
        session.execute(_TURNS_ABOUT, {"group": group, "ids": sorted(ids)})
