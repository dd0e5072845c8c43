"""Makes the file of everything of a patient: claim, write, keep."""

from datetime import datetime, timedelta
from io import BytesIO

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.audit.actions import append_entry
from pillweb.base.built_rows import claim_row
from pillweb.base.db import database
from pillweb.base.i18n import speaking
from pillweb.base.log import log
from pillweb.base.look import read_look
from pillweb.base.visits import JOB, Visit
from pillweb.sharing.queries.access import managers_of
from pillweb.sharing.queries.hiding import see_as
from pillweb.transfers.actions.asking import forget_files, keep_file
from pillweb.transfers.models import TakenOut
from pillweb.transfers.queries.files import oldest_to_make
from pillweb.transfers.queries.taking import write_everything

# Ten years of ten doses a day take half a minute, on a small machine a few.
LEASE = timedelta(minutes=10)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a file waits to be made, or to be forgotten."""
    return oldest_to_make(session, now=now)


def run() -> int:
    """Make every wanted file, and forget the old ones; return how many were made."""
    with transaction() as (session, now):
        forget_files(session, now=now)
    done = 0
    while (row := _claim()) is not None:
        if row.state == "failed":
            log.error("file_failed", taken_out=row.id)
        else:
            done += _make(row)
    return done


def _claim() -> TakenOut | None:
    with transaction() as (session, now):
        return claim_row(session, TakenOut, now=now, lease=LEASE)


def _make(row: TakenOut) -> bool:
    """Make one file; one that cannot be made must not stop the others."""
    try:
        with transaction() as (_session, now):
            made_at = now
        content = _content(row, made_at)
        with transaction() as (session, now):
            kept = keep_file(session, row.id, content=content, now=now)
            if kept is not None:
                who, ids = Visit(kept.patient_id, JOB), {"taken_id": kept.id}
                append_entry(session, who, act="jobs.take_out", ids=ids, now=now)
    except Exception:  # noqa: BLE001 - it is leased, and tried again after that
        log.exception("file_unmade", taken_out=row.id)
        return False
    log.info("file_made", taken_out=row.id, bytes=len(content))
    return kept is not None


def _content(row: TakenOut, made_at: datetime) -> bytes:
    out = BytesIO()
    with (
        speaking(read_look(row.look).speech),
        database().standing_still() as session,
    ):
        see_as(session, row.account_id, row.patient_id)
        managers = managers_of(session, row.patient_id, now=made_at)
        write_everything(
            session,
            row.patient_id,
            out,
            is_own=managers.get(row.account_id, False),
            now=made_at,
        )
    return out.getvalue()
