"""Browsers that are signed in: begun, renewed, named, ended, forgotten."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, WebSession
from pillweb.accounts.rules import NEVER, OWN, STAYS, stay_of
from pillweb.base.retention import SESSIONS, kept_for
from pillweb.base.tokens import new_token, token_hash


def start_session(
    session: Session,
    account: Account,
    *,
    now: datetime,
    name: str | None = None,
    is_own_device: bool = False,
    is_proof: bool = True,
) -> str:
    """Sign a browser in; return the secret for its cookie.

    Without `is_proof` it is asked who it is before anything that must be theirs to do.
    """
    token = new_token()
    stay = stay_of(is_patient=account.is_patient, is_own_device=is_own_device)
    session.add(
        WebSession(
            account_id=account.id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + STAYS[stay].absolute,
            name=name,
            stay=stay,
            last_seen_at=now,
            idle_ends_at=now + STAYS[stay].idle,
            proved_at=now if is_proof else NEVER,
        )
    )
    return token


def renew_session(
    session: Session, session_id: int, *, now: datetime, is_proof: bool
) -> str:
    """Give a session another secret, which is returned: the one before is dead.

    For when somebody may do more than before. With `is_proof` they have just shown who
    they are. When it ends at the latest stays as it was; a helper who has become a
    patient stays signed in as patients do.
    """
    row = session.get_one(WebSession, session_id)
    account = session.get_one(Account, row.account_id)
    token = new_token()
    row.token_hash = token_hash(token)
    stay = stay_of(is_patient=account.is_patient, is_own_device=row.stay == OWN)
    if stay != row.stay:
        row.stay, row.expires_at = stay, row.created_at + STAYS[stay].absolute
    row.last_seen_at, row.idle_ends_at = now, now + STAYS[stay].idle
    if is_proof:
        row.proved_at = now
    return token


def note_session_seen(session: Session, session_id: int, *, now: datetime) -> None:
    """Write down that a session is used, which puts off when it ends unused."""
    row = session.get(WebSession, session_id)
    if row is not None:
        row.last_seen_at, row.idle_ends_at = now, now + STAYS[row.stay].idle


def end_session(session: Session, session_id: int, *, now: datetime) -> None:
    """Sign a browser out for good: its cookie is worth nothing from now on."""
    session.execute(
        update(WebSession).where(WebSession.id == session_id).values(revoked_at=now)
    )


def end_sessions(
    session: Session, account_id: int, *, now: datetime, but: int | None = None
) -> int:
    """Sign an account out everywhere, but for one session; return in how many."""
    ended = session.scalars(
        update(WebSession)
        .where(
            WebSession.account_id == account_id,
            WebSession.revoked_at.is_(None),
            WebSession.id != (but or 0),
        )
        .values(revoked_at=now)
        .returning(WebSession.id)
    ).all()
    return len(ended)


def forget_sessions(session: Session, *, now: datetime, limit: int) -> int:
    """Delete sessions that ended long ago; return how many those were."""
    old = (
        select(WebSession.id)
        .where(WebSession.idle_ends_at <= now - kept_for(SESSIONS))
        .limit(limit)
    )
    gone = session.scalars(
        delete(WebSession).where(WebSession.id.in_(old)).returning(WebSession.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
