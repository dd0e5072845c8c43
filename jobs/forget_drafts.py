"""Deletes plans that were begun and that nobody touched for months."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.schedules.actions import forget_drafts
from pillweb.schedules.queries import oldest_draft


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a draft waits to be forgotten."""
    return oldest_draft(session, now=now)


def run() -> int:
    """Forget every old draft; return how many that was."""
    with transaction() as (session, now):
        return forget_drafts(session, now=now)
