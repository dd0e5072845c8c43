"""Looks files from elsewhere through, and brings in those that were agreed to."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.built_rows import claim_row
from pillweb.base.log import log
from pillweb.transfers.actions.asking import give_up, refuse_file, tell_found
from pillweb.transfers.actions.bringing import bring_in, safe_pictures
from pillweb.transfers.models import BroughtIn
from pillweb.transfers.queries.files import oldest_to_bring
from pillweb.transfers.rules.fields import NotOursError
from pillweb.transfers.rules.reading import Brought, NewerFileError, read_archive
from pillweb.transfers.rules.wanted import check_wanted

# Ten years of ten doses a day take half a minute, on a small machine a few.
LEASE = timedelta(minutes=10)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a file waits to be looked through or brought in."""
    return oldest_to_bring(session, now=now)


def run() -> int:
    """Do with every file what it waits for; return with how many that was done."""
    done = 0
    while (row := _claim()) is not None:
        done += row.state == "wanted" and _treat(row)
    return done


def _claim() -> BroughtIn | None:
    with transaction() as (session, now):
        row = claim_row(session, BroughtIn, now=now, lease=LEASE)
        if row is not None and row.state == "failed":
            log.error("file_not_brought_in", brought_in=row.id)
            give_up(row)
        return row


def _treat(row: BroughtIn) -> bool:
    """Do with one file what it waits for; no other has to wait because of it."""
    try:
        problem = _look(row) if row.agreed_at is None else _bring(row)
        if problem:
            with transaction() as (session, now):
                mine = session.get_one(BroughtIn, row.id, with_for_update=True)
                refuse_file(mine, problem=problem, now=now)
    except Exception:  # noqa: BLE001 - it is leased, and tried again after that
        log.exception("file_untreated", brought_in=row.id)
        return False
    log.info("file_treated", brought_in=row.id, problem=problem)
    return True


def _read(row: BroughtIn) -> Brought | str:
    """Return what a file says, or why it says nothing to us."""
    try:
        return read_archive(row.content or b"")
    except NewerFileError:
        return "newer"
    except ValueError as problem:
        return _refused(row, problem)


def _refused(row: BroughtIn, problem: Exception) -> str:
    # Where it is wrong, and never what stands there.
    log.info("file_refused", brought_in=row.id, error=type(problem).__name__)
    return "not_ours"


def _look(row: BroughtIn) -> str:
    brought = _read(row)
    if isinstance(brought, str):
        return brought
    found = {
        "name": brought.patient["name"],
        "created_at": brought.patient["created_at"].isoformat(),
        "made_at": brought.made_at.isoformat(),
        "medicines": brought.medicines,
        "days": brought.days,
    }
    with transaction() as (_, now):
        """Only what time it is: the rest needs no database."""
    try:
        safe_pictures(brought)
        check_wanted(brought, now=now)
    except ValueError as problem:
        return _refused(row, problem)
    with transaction() as (session, now):
        mine = session.get_one(BroughtIn, row.id, with_for_update=True)
        tell_found(mine, found, now=now)
    return ""


def _bring(row: BroughtIn) -> str:
    brought = _read(row)
    if isinstance(brought, str):
        return brought
    pictures = safe_pictures(brought)
    try:
        with transaction() as (session, now):
            mine = session.get_one(BroughtIn, row.id, with_for_update=True)
            if mine.state == "wanted":
                bring_in(session, mine, brought, pictures, now=now)
    except (IntegrityError, NotOursError) as problem:
        return _refused(row, problem)
    return ""
