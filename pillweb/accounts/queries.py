"""Questions about accounts."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, AccountLink, WebSession
from pillweb.base.crypto import blind_index
from pillweb.base.db import ask
from pillweb.base.i18n import Speech
from pillweb.base.look import read_look
from pillweb.base.mail_address import email_key
from pillweb.base.tokens import token_hash
from pillweb.base.viewer import Viewer

_VIEWER = (
    select(WebSession.account_id, WebSession.id, Account.name, Account.email)
    .join(Account, Account.id == WebSession.account_id)
    .where(
        WebSession.token_hash == bindparam("hash"),
        WebSession.revoked_at.is_(None),
        WebSession.expires_at > bindparam("now"),
    )
)


def any_account(session: Session) -> bool:
    """Say whether anybody has an account yet."""
    return bool(session.scalar(select(exists().select_from(Account))))


def email_index(email: str) -> bytes:
    """Return the keyed hash by which an address is found."""
    return blind_index(email_key(email), purpose="email")


def account_by_email(session: Session, email: str) -> Account | None:
    """Return the account of an address."""
    return session.scalar(
        select(Account).where(Account.email_index == email_index(email))
    )


def speeches_of(session: Session, emails: Collection[str]) -> Mapping[str, Speech]:
    """Return how to speak to those of these addresses whose account has told."""
    asked = {email: email_index(email) for email in emails}
    rows = session.execute(
        select(Account.email_index, Account.look).where(
            Account.email_index.in_(set(asked.values())), Account.look.is_not(None)
        )
    )
    looks = {index: read_look(look or "") for index, look in rows}
    told = {index: look.speech for index, look in looks.items() if look.language}
    return {email: told[index] for email, index in asked.items() if index in told}


def viewer_of(session: Session, token: str, *, now: datetime) -> Viewer | None:
    """Return who is signed in by a cookie's secret, while the session lives."""
    row = ask(session, _VIEWER, {"hash": token_hash(token), "now": now}).first()
    if row is None:
        return None
    account_id, session_id, name, email = row
    return Viewer(account_id, session_id, name, email, now)


def live_link(session: Session, token: str, *, now: datetime) -> AccountLink | None:
    """Return a mailed link that may still be used."""
    return session.scalar(
        select(AccountLink).where(
            AccountLink.token_hash == token_hash(token),
            AccountLink.used_at.is_(None),
            AccountLink.expires_at > now,
        )
    )
