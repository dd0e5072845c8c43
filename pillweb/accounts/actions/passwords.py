"""Passwords of who is signed in: set, changed, removed."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.sessions import end_sessions, renew_session
from pillweb.accounts.models import Account, AccountLink
from pillweb.base.passwords import hash_password, password_fits


def is_own_password(session: Session, account_id: int, password: str) -> bool:
    """Say whether it is the password of this account."""
    account = session.get_one(Account, account_id)
    return password_fits(password, account.password_hash)


def keep_password(
    session: Session,
    account_id: int,
    *,
    password: str | None,
    session_id: int,
    now: datetime,
) -> str:
    """Set the password, or with None remove it; return this session's new secret.

    Every other session ends, and so does every mailed link to choose a password.
    """
    account = session.get_one(Account, account_id)
    account.password_hash = None if password is None else hash_password(password)
    session.execute(
        update(AccountLink)
        .where(AccountLink.account_id == account_id, AccountLink.used_at.is_(None))
        .values(used_at=now)
    )
    end_sessions(session, account_id, but=session_id, now=now)
    return renew_session(session, session_id, is_proof=True, now=now)
