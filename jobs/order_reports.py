"""Asks for the regular reports whose day has come."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.queue import REPORTS, wake
from pillweb.reports.actions import want_due_reports
from pillweb.reports.queries import oldest_order_due

BATCH = 50


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a regular report waits to be ordered."""
    return oldest_order_due(session, now=now)


def run() -> int:
    """Order everything due; return how many reports that was."""
    done = 0
    while True:
        with transaction() as (session, now):
            ordered = want_due_reports(session, now=now, limit=BATCH)
        if not ordered:
            break
        done += ordered
    if done:
        wake("build_reports", queue=REPORTS, timeout_s=120)
    return done
