"""Files are asked for, sent in, agreed to, and forgotten."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.built_rows import BuiltRow
from pillweb.patients.models import Patient
from pillweb.transfers.models import BroughtIn, TakenOut

KEPT_FOR = timedelta(days=7)
# What nobody agrees to is somebody's whole life in a drawer.
UNDECIDED_FOR = timedelta(days=1)
A_MOMENT = timedelta(minutes=1)


def want_file(
    session: Session, patient_id: int, *, account_id: int, look: str, now: datetime
) -> TakenOut:
    """Ask for everything of a patient as a file; pressing twice is one."""
    # Locked, so that two presses at once take turns.
    session.execute(
        select(Patient.id).where(Patient.id == patient_id).with_for_update()
    )
    mine = select(TakenOut).where(
        TakenOut.patient_id == patient_id, TakenOut.account_id == account_id
    )
    is_new = (TakenOut.state == "wanted") | (TakenOut.created_at > now - A_MOMENT)
    twin = session.scalar(mine.where(TakenOut.state != "failed", is_new).limit(1))
    if twin is not None:
        return twin
    made = TakenOut(
        patient_id=patient_id,
        account_id=account_id,
        look=look,
        state="wanted",
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(made)
    session.flush()
    return made


def keep_file(
    session: Session, taken_id: int, *, content: bytes, now: datetime
) -> TakenOut | None:
    """Keep a file that was made; None where nobody wants it any more."""
    row = session.get(TakenOut, taken_id, with_for_update=True)
    if row is None or row.state != "wanted":
        return None
    row.state, row.content, row.built_at, row.lease_until = "ready", content, now, None
    row.expires_at = now + KEPT_FOR
    return row


def want_look(
    session: Session, *, account_id: int, content: bytes, now: datetime
) -> BroughtIn:
    """Have a file from elsewhere looked through; the one sent before is forgotten.

    While another of this account is being brought in, that one is returned.
    """
    session.execute(
        select(Account.id).where(Account.id == account_id).with_for_update()
    )
    mine = BroughtIn.account_id == account_id
    is_agreed = BroughtIn.agreed_at.is_not(None)
    coming = select(BroughtIn).where(mine, is_agreed, BroughtIn.state == "wanted")
    if under_way := session.scalar(coming.limit(1)):
        return under_way
    session.execute(delete(BroughtIn).where(mine, ~is_agreed))
    made = BroughtIn(
        account_id=account_id,
        content=content,
        state="wanted",
        created_at=now,
        expires_at=now + UNDECIDED_FOR,
    )
    session.add(made)
    session.flush()
    return made


def tell_found(row: BroughtIn, found: Mapping[str, object], *, now: datetime) -> None:
    """Say what is in a file; whoever sent it decides."""
    row.found = json.dumps(found, ensure_ascii=False)
    row.state, row.built_at, row.lease_until, row.tries = "ready", now, None, 0


def refuse_file(row: BroughtIn, *, problem: str, now: datetime) -> None:
    """Say why a file is not brought in, and forget what is in it."""
    row.content = row.found = row.note = None
    row.problem, row.state, row.built_at, row.lease_until = problem, "failed", now, None


def agree(
    session: Session,
    row: BroughtIn,
    *,
    role: str,
    how: str,
    note: str,
    now: datetime,
) -> bool:
    """Have a file brought in that was looked through; say whether that is new.

    `how` and `note` say how the patient agreed (`accounts.rules.WAYS`).
    """
    agreed = session.execute(
        update(BroughtIn)
        .where(
            BroughtIn.id == row.id,
            BroughtIn.state == "ready",
            BroughtIn.agreed_at.is_(None),
        )
        .values(state="wanted", agreed_at=now, role=role, how=how, tries=0)
        .returning(BroughtIn.id),
        execution_options={"synchronize_session": False},
    ).first()
    if agreed is None:
        return False
    row.note = note or None
    return True


def forget_files(session: Session, *, now: datetime) -> int:
    """Delete the files whose time is over; return how many."""
    gone = 0
    for kind in (TakenOut, BroughtIn):
        old = delete(kind).where(kind.expires_at <= now).returning(kind.id)
        gone += len(session.scalars(old).all())
    return gone


def give_up(row: BuiltRow) -> None:
    """Forget what was in a file that could not be brought in."""
    if isinstance(row, BroughtIn):
        row.content = row.found = None
        row.problem = row.problem or "ours"
