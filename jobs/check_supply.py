"""Looks at the supplies whose day has come: books them, and says what is low."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.queue import wake
from pillweb.supply.actions.reminding import check_supplies
from pillweb.supply.queries.outlook import oldest_check

BATCH = 20


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a supply waits to be looked at."""
    return oldest_check(session, now=now)


def run() -> int:
    """Look at everything due; return of how many patients that was."""
    done = 0
    while True:
        with transaction() as (session, now):
            looked = check_supplies(session, now=now, limit=BATCH)
        if not looked:
            break
        done += looked
    if done:
        wake("deliver")
    return done
