"""What is left of somebody is erased, a little at a time, and stays erased.

The ledger beside the database is written first: whatever is killed after that, and
whatever backup is put back, the erasing goes on from there.
"""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from pillweb.audit.actions import append_entry
from pillweb.base.db import insert_new, table_of
from pillweb.base.line_file import add_lines
from pillweb.base.log import log
from pillweb.base.visits import JOB, Visit
from pillweb.channels.email import reference_to
from pillweb.channels.mailbox import forget_mails
from pillweb.rights.models import Erasure
from pillweb.rights.queries import (
    ROWS,
    Holding,
    fingerprint_of,
    holdings_of,
    keys_told,
    ledger,
    ledger_file,
)
from pillweb.rights.rules import LEAVES_AFTER, PATIENT, Erased, Whose, ledger_line

BATCH = 200


def note_erasing(session: Session, whose: Whose, *, now: datetime) -> bool:
    """Write into the ledger, to the disk itself, that somebody is erased; once.

    False, with nothing written, where it was taken back since somebody looked. After
    this nobody can take it back, not even by a press that began in time.

    Raises:
        OSError: it cannot be written; nothing may be erased then.
    """
    kind = ROWS[whose.kind]
    which = kind.id == whose.row_id
    over = select(kind.id).where(which, kind.leaves_at <= now)
    if session.scalar(over.with_for_update()) is None:
        return False
    fingerprint = fingerprint_of(session, whose) or b""
    if fingerprint not in {one.fingerprint for one in ledger()}:
        add_lines(ledger_file(), [ledger_line(Erased(whose, fingerprint, now))])
    session.execute(update(kind).where(which).values(leaves_at=now - LEAVES_AFTER))
    return True


def erase_some(
    session: Session, whose: Whose, *, now: datetime, limit: int = BATCH
) -> bool:
    """Delete up to so many rows of somebody; say whether there may be more.

    With the last of them go the row itself and whatever hangs on it, and a tombstone
    without any word stands there instead.
    """
    row = ROWS[whose.kind]
    held = select(row.id).where(row.id == whose.row_id).with_for_update()
    if session.scalar(held) is None:
        return False
    forget_mails({reference_to(key) for key in keys_told(session, whose)})
    for holding in holdings_of(session, whose):
        if _delete(session, holding, limit=limit):
            return True
    fingerprint = fingerprint_of(session, whose) or b""
    insert_new(session, Erasure, [_tombstone(Erased(whose, fingerprint, now))])
    if whose.kind == PATIENT:
        visit = Visit(whose.row_id, JOB)
        append_entry(session, visit, act="jobs.erase", ids={}, now=now)
    table = table_of(row)
    session.execute(delete(table).where(table.c.id == whose.row_id))
    log.info("erased", kind=whose.kind, row=whose.row_id)
    return False


def _delete(session: Session, holding: Holding, *, limit: int) -> int:
    table, which = holding
    key = next(iter(table.primary_key.columns))
    some = select(key).where(which).limit(limit)
    done = session.execute(delete(table).where(key.in_(some)))
    return cast("CursorResult[Any]", done).rowcount


def complete_ledger(session: Session) -> None:
    """Write into the ledger whom the database knows to be erased and the ledger not.

    So it is whole again where its folder was lost.

    Raises:
        OSError: it cannot be written.
    """
    known = {one.fingerprint for one in ledger()}
    stones = session.scalars(select(Erasure).order_by(Erasure.id))
    lines = [
        ledger_line(Erased(Whose(one.kind, one.row_id), one.fingerprint, one.at))
        for one in stones
        if one.fingerprint not in known
    ]
    if lines:
        add_lines(ledger_file(), lines)


def replay_erasures(session: Session, *, now: datetime) -> int:
    """Erase again what a backup brought back of whom was erased; return how many.

    Also whom we were just erasing when we were killed. A tombstone goes with the row:
    where there is one, nothing came back.
    """
    kept = ledger()
    known = set(session.scalars(select(Erasure.fingerprint))) if kept else set()
    missing = [one for one in kept if one.fingerprint not in known]
    insert_new(session, Erasure, [_tombstone(one) for one in missing])
    back = [
        one for one in missing if fingerprint_of(session, one.whose) == one.fingerprint
    ]
    for one in back:
        while erase_some(session, one.whose, now=now):
            pass
    return len(back)


def _tombstone(erased: Erased) -> dict[str, object]:
    return {
        "kind": erased.whose.kind,
        "row_id": erased.whose.row_id,
        "fingerprint": erased.fingerprint,
        "at": erased.at,
    }
