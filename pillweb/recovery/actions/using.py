"""A helper gets a code, the person uses it in their browser and goes on from there."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.ending import end_chosen
from pillweb.accounts.models import Account, Recovery, RecoveryHelper
from pillweb.accounts.queries import account_by_email
from pillweb.accounts.rules import CODE_DIGITS
from pillweb.base.crypto import blind_index
from pillweb.base.digits import new_code
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.tokens import new_token, token_hash
from pillweb.recovery.queries import (
    is_open,
    may_let_in,
    open_recovery,
    recovery_by_link,
)
from pillweb.recovery.rules import CODE_LIFE, MOST_TRIES


def _code_index(code: str, recovery_id: int) -> bytes:
    return blind_index(f"{recovery_id}:{code}", purpose="recovery.code")


def make_recovery_code(
    session: Session, trust: RecoveryHelper, *, now: datetime
) -> tuple[str, str]:
    """Make a link's secret and a code that let somebody in; those before are dead.

    Raises:
        NotFoundError: this helper began nothing, it was stopped, or it is too early.
    """
    found = open_recovery(session, trust.account_id, now=now)
    is_ready = found is not None and found.ready_at <= now
    if found is None or not is_ready or found.helper_id != trust.helper_id:
        raise NotFoundError
    token, code = new_token(), new_code(CODE_DIGITS)
    found.link_hash = token_hash(token)
    found.code_index = _code_index(code, found.id)
    found.code_expires_at, found.tries = now + CODE_LIFE, 0
    return token, code


def use_recovery_code(
    session: Session, *, email: str, code: str, now: datetime
) -> str | None:
    """Use up a code; return the secret for the cookie of the browser, None where wrong.

    Each call is a try; after five the code is worth nothing. As much is asked of the
    database for an address without an account.
    """
    account = account_by_email(session, email)
    tried = session.scalar(
        update(Recovery)
        .where(
            Recovery.account_id == (account.id if account else 0),
            Recovery.code_index.is_not(None),
            Recovery.code_expires_at > now,
            Recovery.ready_at <= now,
            Recovery.tries < MOST_TRIES,
            is_open(now),
        )
        .values(tries=Recovery.tries + 1)
        .returning(Recovery)
    )
    if tried is None or tried.code_index != _code_index(code, tried.id):
        return None
    return _use(session, tried, now=now)


def use_recovery_link(session: Session, token: str, *, now: datetime) -> str:
    """Use up a helper's link; return the secret for the cookie of the browser.

    Raises:
        LinkGoneError: it is wrong, used, stopped, too old, or its helper may not now.
    """
    secret = _use(session, recovery_by_link(session, token, now=now), now=now)
    if secret is None:
        raise LinkGoneError
    return secret


def _use(session: Session, recovery: Recovery, *, now: datetime) -> str | None:
    """Bind a recovery to one browser; None where it was used or forbidden meanwhile."""
    if not may_let_in(session, recovery, now=now):
        return None
    secret = new_token()
    used = session.scalar(
        update(Recovery)
        .where(Recovery.id == recovery.id, Recovery.used_at.is_(None), is_open(now))
        .values(
            used_at=now,
            ended_at=now,
            link_hash=None,
            code_index=None,
            browser_hash=token_hash(secret),
        )
        .returning(Recovery.id)
    )
    return secret if used else None


def finish_recovery(
    session: Session, recovery: Recovery, *, ended: Collection[str], now: datetime
) -> Account:
    """End what the person chose of how they are signed in, or could sign in.

    `ended` are keys of `accounts.actions.ending`.

    Raises:
        NotFoundError: it was finished meanwhile.
    """
    finished = session.scalar(
        update(Recovery)
        .where(Recovery.id == recovery.id, Recovery.finished_at.is_(None))
        .values(finished_at=now, browser_hash=None)
        .returning(Recovery.id)
    )
    if finished is None:
        raise NotFoundError
    end_chosen(session, recovery.account_id, ended, now=now)
    return session.scalars(
        select(Account).where(Account.id == recovery.account_id)
    ).one()
