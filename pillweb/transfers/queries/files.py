"""Questions about files that were asked for, and files that were sent in."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from pillweb.base.built_rows import oldest_wanted
from pillweb.base.errors import NotFoundError
from pillweb.patients.models import Patient
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.rules import SELF
from pillweb.transfers.models import BroughtIn, PastEntry, TakenOut

# Who waits behind so many others is told to come back.
MOST_WAITING = 50


def files_of(
    session: Session, patient_id: int, account_id: int, *, now: datetime
) -> Sequence[TakenOut]:
    """Return the files that an account asked for, newest first, without what is in."""
    return session.scalars(
        select(TakenOut)
        .where(
            TakenOut.patient_id == patient_id,
            TakenOut.account_id == account_id,
            TakenOut.expires_at > now,
        )
        .order_by(TakenOut.id.desc())
        .options(defer(TakenOut.content))
    ).all()


def file_of(
    session: Session, patient_id: int, account_id: int, taken_id: int, *, now: datetime
) -> TakenOut:
    """Return a file that is ready, for the account that asked for it.

    Raises:
        NotFoundError: there is none, not yet, no longer, or not for this account.
    """
    row = session.get(TakenOut, taken_id)
    if row is None or (row.patient_id, row.account_id) != (patient_id, account_id):
        raise NotFoundError
    if row.content is None or row.expires_at <= now:
        raise NotFoundError
    return row


def is_crowded(session: Session) -> bool:
    """Say whether so many files wait to be made that another would wait for long."""
    waiting = select(func.count()).where(TakenOut.state == "wanted")
    return (session.scalar(waiting) or 0) >= MOST_WAITING


def brought_of(
    session: Session, account_id: int, brought_id: int, *, now: datetime
) -> BroughtIn:
    """Return what an account sent in.

    Raises:
        NotFoundError: nothing such, or no longer.
    """
    row = session.get(BroughtIn, brought_id, options=[defer(BroughtIn.content)])
    if row is None or row.account_id != account_id or row.expires_at <= now:
        raise NotFoundError
    return row


def found_in(row: BroughtIn) -> Mapping[str, Any]:
    """Return what was found in a file, empty before it was looked through."""
    found: Mapping[str, Any] = json.loads(row.found or "{}")
    return found


def twins_of(
    session: Session, account_id: int, *, created_at: datetime, now: datetime
) -> bool:
    """Say whether this account has the patient of a file already.

    They are the same where they were added at the same microsecond, which goes along
    with every file. Patients of others are never looked at.
    """
    same = (
        select(Patient.id)
        .join(Grant, Grant.patient_id == Patient.id)
        .where(
            Grant.account_id == account_id,
            holds(now),
            Patient.created_at == created_at,
        )
    )
    return session.scalar(same.limit(1)) is not None


def is_patient(session: Session, account_id: int, *, now: datetime) -> bool:
    """Say whether somebody with this account takes medicine here already."""
    own = select(Grant.id).where(
        Grant.account_id == account_id, Grant.role == SELF, holds(now)
    )
    return session.scalar(own.limit(1)) is not None


def past_of(
    session: Session, patient_id: int, *, page: int, limit: int
) -> Sequence[PastEntry]:
    """Return the record from elsewhere, newest first, page by page from 0."""
    return session.scalars(
        select(PastEntry)
        .where(PastEntry.patient_id == patient_id)
        .order_by(PastEntry.at.desc(), PastEntry.id)
        .offset(page * limit)
        .limit(limit)
    ).all()


def oldest_to_make(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a file waits to be made, or to be forgotten."""
    wanted = oldest_wanted(session, TakenOut, now=now)
    return _earliest(wanted, *_over(session, now=now))


def oldest_to_bring(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a file waits to be looked through or brought in."""
    return oldest_wanted(session, BroughtIn, now=now)


def _over(session: Session, *, now: datetime) -> list[datetime | None]:
    ends = [
        session.scalar(select(func.min(kind.expires_at)))
        for kind in (TakenOut, BroughtIn)
    ]
    return [end for end in ends if end is not None and end <= now]


def _earliest(*found: datetime | None) -> datetime | None:
    return min((one for one in found if one is not None), default=None)
