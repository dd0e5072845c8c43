"""Wishes for an account or another password: kept by a page, treated by a job.

So a page does the same for every address, and nobody learns from the time it takes
whether somebody has an account.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.joining import sign_up, want_reset
from pillweb.accounts.models import AccountRequest
from pillweb.accounts.queries import request_waits
from pillweb.base.i18n import speaking
from pillweb.base.look import Look, read_look
from pillweb.base.retention import SIGN_INS, kept_for

SIGN_UP, RESET = "sign_up", "reset"
AGAIN_AFTER = timedelta(minutes=1)


def keep_request(
    session: Session,
    kind: str,
    *,
    email: str,
    look: Look,
    now: datetime,
    name: str = "",
    invitation: bytes | None = None,
) -> None:
    """Keep what somebody asks for (SIGN_UP or RESET), whoever has this address."""
    session.add(
        AccountRequest(
            kind=kind,
            name=name,
            email=email,
            look=look.written,
            invitation_hash=invitation,
            created_at=now,
            next_at=now,
        )
    )


def claim_request(session: Session, *, now: datetime) -> int | None:
    """Lock the oldest request that waits, until the transaction ends; return its id."""
    return session.scalar(
        select(AccountRequest.id)
        .where(*request_waits(now))
        .order_by(AccountRequest.next_at, AccountRequest.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def treat_request(session: Session, request_id: int, *, now: datetime) -> None:
    """Do what was asked for, and delete the request: both or neither."""
    row = session.get_one(AccountRequest, request_id)
    look = read_look(row.look)
    with speaking(look.speech):
        if row.kind == SIGN_UP:
            sign_up(
                session,
                name=row.name,
                email=row.email,
                look=look,
                invitation=row.invitation_hash,
                now=now,
            )
        else:
            want_reset(session, email=row.email, now=now)
    session.delete(row)


def postpone_request(session: Session, request_id: int, *, now: datetime) -> None:
    """Try a request that failed again a little later: no other waits for it."""
    session.execute(
        update(AccountRequest)
        .where(AccountRequest.id == request_id)
        .values(next_at=now + AGAIN_AFTER)
    )


def forget_requests(session: Session, *, now: datetime, limit: int) -> int:
    """Delete requests that nobody could treat for a day; return how many those were."""
    old = (
        select(AccountRequest.id)
        .where(AccountRequest.created_at <= now - kept_for(SIGN_INS))
        .limit(limit)
    )
    gone = session.scalars(
        delete(AccountRequest)
        .where(AccountRequest.id.in_(old))
        .returning(AccountRequest.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
