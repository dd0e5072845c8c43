"""Accounts: made, confirmed, given a password and a look."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.accounts.actions.agreeing import note_joined
from pillweb.accounts.actions.sessions import end_sessions
from pillweb.accounts.models import Account, AccountLink
from pillweb.accounts.queries import (
    account_by_email,
    any_account,
    email_index,
    live_link,
    speech_of_account,
)
from pillweb.accounts.rules import CONFIRM_LIFE, RESET_LIFE
from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.look import Look, read_look
from pillweb.base.passwords import hash_password, needs_rehash, password_fits
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.turns import take_turns
from pillweb.outbox.actions.posting import post_delivery

CONFIRM = "confirm_sign_up"
RESET = "reset_password"


def make_account(
    session: Session,
    *,
    name: str,
    email: str,
    now: datetime,
    password: str | None = None,
    look: Look | None = None,
) -> Account:
    """Add an account; with a password it is confirmed and may sign in at once.

    The first of an installation is that of whoever runs it. It agrees to what is kept
    of it (`accounts.rules.SENTENCES`), as the page says.
    """
    account = Account(
        name=name,
        email=email,
        email_index=email_index(email),
        password_hash=None if password is None else hash_password(password),
        created_at=now,
        confirmed_at=None if password is None else now,
        look=None if look is None else look.written,
        is_admin=not any_account(session),
    )
    session.add(account)
    session.flush()
    note_joined(session, account.id, now=now)
    return account


def sign_up(
    session: Session,
    *,
    name: str,
    email: str,
    now: datetime,
    look: Look | None = None,
    invitation: bytes | None = None,
) -> None:
    """Mail the owner of an address a link to choose a password.

    Where the address already has an account, its owner is told so by mail and nothing
    changes. The password is chosen only behind the link, so nobody can prepare an
    account for somebody else's address. A new account begins with this look, and with
    the invitation that led to it, by the hash of its secret. Nothing is done where
    there is no account yet: the first is not made this way.
    """
    take_turns(session, Account)
    if not any_account(session):
        return
    account = account_by_email(session, email)
    if account is not None and account.confirmed_at is not None:
        _say_again(session, account, now=now)
        return
    if account is None:
        account = make_account(session, name=name, email=email, look=look, now=now)
    row = _mail_link(session, account, kind=CONFIRM, life=CONFIRM_LIFE, now=now)
    row.invitation_hash = invitation


def _say_again(session: Session, account: Account, *, now: datetime) -> None:
    with speaking(speech_of_account(account)):
        post_delivery(
            session,
            kind="already_have_account",
            recipient=account.email,
            dedupe_key=f"already:{account.id}:{now:%Y%m%d%H}",
            context={"sign_in_url": link("/sign-in"), "reset_url": link("/forgotten")},
            now=now,
        )


def want_reset(session: Session, *, email: str, now: datetime) -> None:
    """Mail a link to choose a new password, where the address has an account.

    Whoever let the link of their sign-up grow old gets another one.
    """
    account = account_by_email(session, email)
    if account is None:
        return
    kind, life = (
        (RESET, RESET_LIFE) if account.confirmed_at else (CONFIRM, CONFIRM_LIFE)
    )
    _mail_link(session, account, kind=kind, life=life, now=now)


def _mail_link(
    session: Session, account: Account, *, kind: str, life: timedelta, now: datetime
) -> AccountLink:
    token = new_token()
    row = AccountLink(
        account_id=account.id,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=now + life,
    )
    session.add(row)
    session.flush()
    with speaking(speech_of_account(account)):
        post_delivery(
            session,
            kind=kind,
            recipient=account.email,
            dedupe_key=f"account_link:{row.id}",
            context={"first_name": account.name, "link": link(f"/a/{token}")},
            now=now,
            expires_at=row.expires_at,
        )
    return row


def choose_password(
    session: Session, token: str, *, password: str, now: datetime
) -> Account:
    """Set the password behind a mailed link; end every session and other link.

    Raises:
        LinkGoneError: the link is wrong, used or too old.
    """
    row = live_link(session, token, now=now)
    if row is None:
        raise LinkGoneError
    used = session.scalars(
        update(AccountLink)
        .where(AccountLink.account_id == row.account_id, AccountLink.used_at.is_(None))
        .values(used_at=now)
        .returning(AccountLink.id)
    ).all()
    if row.id not in used:
        raise LinkGoneError
    account = session.get_one(Account, row.account_id)
    account.password_hash = hash_password(password)
    account.confirmed_at = account.confirmed_at or now
    end_sessions(session, account.id, now=now)
    return account


def account_that_signs_in(
    session: Session, *, email: str, password: str
) -> Account | None:
    """Return the account of this address and password.

    Takes as long for an unknown address as for a wrong password.
    """
    account = account_by_email(session, email)
    fits = password_fits(password, account.password_hash if account else None)
    if account is None or account.password_hash is None or not fits:
        return None
    if needs_rehash(account.password_hash):
        account.password_hash = hash_password(password)
    return account


def rename_account(session: Session, account_id: int, *, name: str) -> None:
    """Call an account so from now on."""
    session.get_one(Account, account_id).name = name


def choose_look(
    session: Session, account_id: int, *, spoken: str, **chosen: str
) -> None:
    """Keep what somebody chose of a look, for devices where nobody chose yet.

    What was not asked stays as the account has it; where it has no language yet it is
    the one that is `spoken` now.
    """
    account = session.get_one(Account, account_id)
    before = read_look(account.look or "").spoken(spoken)
    account.look = replace(before, **chosen).written
