"""The files of the cast: what they took out, and what they sent in."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.transfers.actions.asking import (
    keep_file,
    tell_found,
    want_file,
    want_look,
)
from tests.house.things import CANARIES


def taken_file(
    session: Session, patient_id: int, account_id: int, owner: str, *, now: datetime
) -> int:
    """Let an account have taken out everything of a patient; return the id of that."""
    row = want_file(session, patient_id, account_id=account_id, look="", now=now)
    content = f"PK {CANARIES[owner]}".encode()
    keep_file(session, row.id, content=content, now=now)
    session.flush()
    return row.id


def brought_file(session: Session, account_id: int, *, now: datetime) -> int:
    """Let an account have sent in a file that was looked through; return its id."""
    row = want_look(session, account_id=account_id, content=b"PK", now=now)
    found = {
        "name": CANARIES["rosa"],
        "created_at": now.isoformat(),
        "made_at": now.isoformat(),
        "medicines": 2,
        "days": 9,
    }
    tell_found(row, found, now=now)
    session.flush()
    return row.id
