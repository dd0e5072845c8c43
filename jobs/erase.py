"""Erases patients and accounts whose thirty days are over."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import give_way, transaction
from pillweb.rights.actions.purging import erase_some, note_erasing
from pillweb.rights.queries import oldest_leaving, to_erase


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when somebody waits to be erased."""
    return oldest_leaving(session, now=now)


def run() -> int:
    """Erase all whose time is over, a few rows at a time; return how many."""
    with transaction() as (session, now):
        waiting = to_erase(session, now=now)
    erased = 0
    for whose in waiting:
        with transaction() as (session, now):
            is_more = note_erasing(session, whose, now=now)
        erased += is_more
        while is_more:
            with transaction() as (session, now):
                is_more = erase_some(session, whose, now=now)
            give_way()
    return erased
