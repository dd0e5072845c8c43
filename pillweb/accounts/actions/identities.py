"""Who somebody is at an OpenID provider, and which account that is here."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.joining import make_account
from pillweb.accounts.models import Account, OidcIdentity, OidcTry
from pillweb.accounts.queries import account_by_email, any_account
from pillweb.accounts.rules import MAIL_LIFE
from pillweb.base.clean import clean_text
from pillweb.base.crypto import blind_index
from pillweb.base.errors import InvalidError, LinkGoneError
from pillweb.base.look import Look
from pillweb.base.mail_address import clean_email
from pillweb.base.retention import SIGN_INS, kept_for
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.turns import take_turns
from pillweb.channels.oidc import Sent, Who

LONGEST_NAME = 200


class Outcome(StrEnum):
    """What becomes of somebody who came back from a provider."""

    ENTER = "enter"
    LINKED = "linked"
    # The address has an account: its owner proves that by a mailed code.
    PROVE = "prove"
    # The provider checked no address, or nobody may make an account here.
    UNKNOWN = "unknown"
    # Somebody else's already.
    TAKEN = "taken"


class Met(NamedTuple):
    """What becomes of somebody, and whose account it is about."""

    outcome: Outcome
    account: Account | None = None


def new_sent() -> Sent:
    """Return new secrets for one way to a provider and back."""
    return Sent(new_token(), new_token(), new_token())


def begin_oidc(
    session: Session, sent: Sent, *, account_id: int | None, now: datetime
) -> str:
    """Keep what goes along; return the secret for the cookie of the browser.

    With `account_id` the identity is to be added to that account.
    """
    secret = new_token()
    session.add(
        OidcTry(
            account_id=account_id,
            state_hash=token_hash(sent.state),
            browser_hash=token_hash(secret),
            nonce=sent.nonce,
            verifier=sent.verifier,
            created_at=now,
            expires_at=now + MAIL_LIFE,
        )
    )
    return secret


def oidc_try_of(
    session: Session, state: str, *, browser: str, now: datetime
) -> OidcTry:
    """Return the way on which a browser comes back.

    Raises:
        LinkGoneError: it is another browser's, was gone already, or took too long.
    """
    row = session.scalar(
        select(OidcTry).where(
            OidcTry.state_hash == token_hash(state),
            OidcTry.browser_hash == token_hash(browser),
            OidcTry.used_at.is_(None),
            OidcTry.expires_at > now,
        )
    )
    if row is None:
        raise LinkGoneError
    return row


def use_oidc_try(session: Session, try_id: int, *, now: datetime) -> OidcTry:
    """Let a way be gone, for good.

    Raises:
        LinkGoneError: it was gone meanwhile.
    """
    row: OidcTry | None = session.scalar(
        update(OidcTry)
        .where(OidcTry.id == try_id, OidcTry.used_at.is_(None))
        .values(used_at=now)
        .returning(OidcTry)
    )
    if row is None:
        raise LinkGoneError
    return row


def _subject_index(issuer: str, subject: str) -> bytes:
    return blind_index(f"{issuer}\n{subject}", purpose="oidc.subject")


def meet(
    session: Session,
    row: OidcTry,
    who: Who,
    *,
    issuer: str,
    may_sign_up: bool,
    look: Look | None,
    now: datetime,
) -> Met:
    """Find whose account an identity is; add it, or an account, where that is right.

    An identity is known by issuer and subject alone, never by its address.
    """
    # Two who come back at once with one new identity take turns.
    take_turns(session, Account)
    index = _subject_index(issuer, who.subject)
    known = session.scalar(
        select(OidcIdentity).where(
            OidcIdentity.issuer == issuer, OidcIdentity.subject_index == index
        )
    )
    if known is not None:
        if row.account_id not in {None, known.account_id}:
            return Met(Outcome.TAKEN)
        known.last_used_at = now
        outcome = Outcome.LINKED if row.account_id else Outcome.ENTER
        return Met(outcome, session.get_one(Account, known.account_id))
    if row.account_id is not None:
        add_identity(session, row.account_id, issuer=issuer, index=index, now=now)
        return Met(Outcome.LINKED, session.get_one(Account, row.account_id))
    email = _address(who)
    account = account_by_email(session, email) if email else None
    if account is not None:
        row.account_id, row.subject_index = account.id, index
        return Met(Outcome.PROVE, account)
    # The first account is whoever runs this: nobody becomes that by coming here first.
    if not email or not may_sign_up or not any_account(session):
        return Met(Outcome.UNKNOWN)
    made = make_account(
        session,
        name=clean_text(who.name)[:LONGEST_NAME] or email.partition("@")[0],
        email=email,
        look=look,
        now=now,
    )
    made.confirmed_at = now
    add_identity(session, made.id, issuer=issuer, index=index, now=now)
    return Met(Outcome.ENTER, made)


def _address(who: Who) -> str:
    try:
        return clean_email(who.email)
    except InvalidError:
        return ""


def add_identity(
    session: Session, account_id: int, *, issuer: str, index: bytes, now: datetime
) -> None:
    """Let an identity of a provider sign an account in."""
    session.add(
        OidcIdentity(
            account_id=account_id,
            issuer=issuer,
            subject_index=index,
            made_at=now,
            last_used_at=now,
        )
    )


def join_proven(
    session: Session, *, browser: str, account_id: int, issuer: str, now: datetime
) -> None:
    """Add the identity of a browser to the account whose mailed code was typed there.

    Raises:
        LinkGoneError: nobody came back in this browser for that account, lately.
    """
    row = session.scalar(
        update(OidcTry)
        .where(
            OidcTry.browser_hash == token_hash(browser),
            OidcTry.account_id == account_id,
            OidcTry.subject_index.is_not(None),
            OidcTry.used_at > now - MAIL_LIFE,
            OidcTry.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(OidcTry)
    )
    if row is None or row.subject_index is None:
        raise LinkGoneError
    index = row.subject_index
    take_turns(session, OidcIdentity)
    known = session.scalar(
        select(OidcIdentity.id).where(
            OidcIdentity.issuer == issuer, OidcIdentity.subject_index == index
        )
    )
    if known is None:
        add_identity(session, account_id, issuer=issuer, index=index, now=now)


def identities_of(session: Session, account_id: int) -> list[OidcIdentity]:
    """Return by which identities an account signs in."""
    found = session.scalars(
        select(OidcIdentity)
        .where(OidcIdentity.account_id == account_id)
        .order_by(OidcIdentity.id)
    )
    return list(found)


def remove_identities(session: Session, account_id: int) -> None:
    """Let no identity of a provider sign an account in any more."""
    session.execute(delete(OidcIdentity).where(OidcIdentity.account_id == account_id))


def forget_oidc_tries(session: Session, *, now: datetime, limit: int) -> int:
    """Delete ways to providers of a day ago; return how many those were."""
    old = (
        select(OidcTry.id)
        .where(OidcTry.created_at <= now - kept_for(SIGN_INS))
        .limit(limit)
    )
    gone = session.scalars(
        delete(OidcTry).where(OidcTry.id.in_(old)).returning(OidcTry.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
