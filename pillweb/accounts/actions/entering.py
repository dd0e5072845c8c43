"""Signing in by a message: a link and a code, for the browser that asked."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, SignInMail
from pillweb.accounts.queries import (
    EMAIL,
    account_by_email,
    client_index,
    email_index,
    is_asked_by,
    live_mail,
    speech_of_account,
)
from pillweb.accounts.rules import (
    CODE_DIGITS,
    MAIL_LIFE,
    MAILS_ALIVE,
    MAILS_PER_CLIENT,
    MOST_TRIES,
)
from pillweb.base.crypto import blind_index
from pillweb.base.digits import new_code, spaced
from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import speaking, speech
from pillweb.base.links import link
from pillweb.base.retention import SIGN_INS, kept_for
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.turns import take_turns
from pillweb.outbox.actions.posting import post_delivery

NOBODY = "nobody@invalid"
SIGN_IN = "sign_in"


class Way(NamedTuple):
    """By which channel a way to sign in is sent, as which message, and where to.

    `address` asks the database the same of nobody as of somebody.
    """

    channel: str
    kind: str
    address: Callable[[Session, Account | None], str | None]


def _own_address(_session: Session, account: Account | None) -> str | None:
    return account.email if account else None


# What the code of a mail is good for.
_SIGNS_IN = SignInMail.new_email.is_(None)
BY_MAIL = Way(EMAIL, SIGN_IN, _own_address)


def _code_index(code: str, browser: bytes) -> bytes:
    # With our key and the browser's secret: eight digits alone are soon tried out.
    return blind_index(f"{browser.hex()}:{code}", purpose="sign_in.code")


def mail_sign_in(
    session: Session,
    *,
    email: str,
    client: str,
    is_own_device: bool,
    now: datetime,
    way: Way = BY_MAIL,
    before: str = "",
) -> str:
    """Send a link and a code to sign in, where the address has an account.

    What this browser asked for before (its secret) is worth nothing any more, and of
    what its network asked for at the same address all but the newest three. As much is
    done for an address without an account, or one that cannot be reached this way, but
    nothing leaves. Returns the secret for the cookie of the browser that asks.
    """
    take_turns(session, SignInMail)
    account = account_by_email(session, email)
    recipient = way.address(session, account)
    _end_earlier(session, email, way, client=client, before=before, now=now)
    kept = keep_mail(
        session,
        account_id=account.id if account and recipient else None,
        channel=way.channel,
        email=email,
        client=client,
        is_own_device=is_own_device,
        now=now,
    )
    with speaking(speech_of_account(account) if account else speech()):
        post_delivery(
            session,
            kind=way.kind,
            channel=way.channel,
            recipient=recipient or NOBODY,
            dedupe_key=kept.dedupe_key,
            context=_said(way, kept.token, kept.code),
            now=now,
            expires_at=now + MAIL_LIFE,
            suppressed=None if recipient else "no_account",
        )
    return kept.browser


class Kept(NamedTuple):
    """The secrets of a mail: of the browser that asked, of its link, and its code."""

    dedupe_key: str
    browser: str
    token: str
    code: str


def keep_mail(
    session: Session,
    *,
    account_id: int | None,
    email: str,
    client: str,
    now: datetime,
    channel: str = EMAIL,
    is_own_device: bool = False,
    new_email: str | None = None,
) -> Kept:
    """Keep a mail that works once, for ten minutes, where it was asked for.

    With `new_email` it signs nobody in: it proves that this is the account's.
    """
    browser, token, code = new_token(), new_token(), new_code(CODE_DIGITS)
    row = SignInMail(
        account_id=account_id,
        channel=channel,
        email_index=email_index(email),
        client_index=client_index(client),
        browser_hash=token_hash(browser),
        token_hash=token_hash(token),
        code_index=_code_index(code, token_hash(browser)),
        is_own_device=is_own_device,
        new_email=new_email,
        tries=0,
        created_at=now,
        expires_at=now + MAIL_LIFE,
    )
    session.add(row)
    session.flush()
    return Kept(f"sign_in:{row.id}", browser, token, code)


def _end_earlier(
    session: Session, email: str, way: Way, *, client: str, before: str, now: datetime
) -> None:
    of_network = (
        select(SignInMail.id)
        .where(
            SignInMail.email_index == email_index(email),
            SignInMail.client_index == client_index(client),
            SignInMail.channel == way.channel,
            _SIGNS_IN,
        )
        .order_by(SignInMail.id.desc())
        .offset(MAILS_ALIVE - 1)
        .limit(MAILS_PER_CLIENT)
    )
    of_browser = SignInMail.browser_hash == token_hash(before)
    end_mails(
        session,
        or_(of_browser, SignInMail.id.in_(of_network)),
        SignInMail.channel == way.channel,
        _SIGNS_IN,
        now=now,
    )


def end_mails(session: Session, *which: ColumnElement[bool], now: datetime) -> None:
    """Let mails to sign in, of which all this is true, be worth nothing any more."""
    session.execute(
        update(SignInMail)
        .where(*which, SignInMail.ended_at.is_(None))
        .values(ended_at=now)
    )


def was_entered(
    session: Session, account_id: int, *, now: datetime, code: str = "", token: str = ""
) -> bool:
    """Say whether a code or a link signed this account in just now: pressed twice."""
    used = session.scalars(
        select(SignInMail).where(
            SignInMail.account_id == account_id,
            SignInMail.ended_at.is_not(None),
            SignInMail.expires_at > now,
        )
    )
    return any(
        mail.token_hash == token_hash(token)
        or mail.code_index == _code_index(code, mail.browser_hash)
        for mail in used
    )


def _said(way: Way, token: str, code: str) -> dict[str, str]:
    """Return what a message says; a phone, where nobody signs in, gets no link."""
    said = {"code": spaced(code)}
    return said | {"link": link(f"/e/{token}")} if way is BY_MAIL else said


def enter_by_code(
    session: Session, *, browser: str, code: str, now: datetime
) -> SignInMail | None:
    """Use up the mail that this browser asked for to sign in, if this is its code.

    Each call is a try, right or wrong; after five the mail is worth nothing.
    """
    return use_code(session, _SIGNS_IN, browser=browser, code=code, now=now)


def use_code(
    session: Session,
    *which: ColumnElement[bool],
    browser: str,
    code: str,
    now: datetime,
) -> SignInMail | None:
    """Do what `enter_by_code` does, with a mail of which all this is true."""
    tried = session.scalar(
        update(SignInMail)
        .where(
            *which,
            SignInMail.browser_hash == token_hash(browser),
            SignInMail.ended_at.is_(None),
            SignInMail.tries < MOST_TRIES,
            SignInMail.expires_at > now,
        )
        .values(tries=SignInMail.tries + 1)
        .returning(SignInMail)
    )
    if tried is None or tried.code_index != _code_index(code, tried.browser_hash):
        return None
    return _use_up(session, tried, now=now)


def enter_by_link(
    session: Session, token: str, *, browser: str, now: datetime
) -> SignInMail:
    """Use up the mail of a link, in the browser that asked for it.

    Raises:
        LinkGoneError: it is wrong, used, too old, or of another browser.
    """
    mail = live_mail(session, token, now=now)
    used = mail and is_asked_by(mail, browser) and _use_up(session, mail, now=now)
    if not used:
        raise LinkGoneError
    return used


def _use_up(session: Session, mail: SignInMail, *, now: datetime) -> SignInMail | None:
    """End a mail and confirm its address; None where that was done meanwhile."""
    if mail.account_id is None:
        return None
    ended = session.scalar(
        update(SignInMail)
        .where(SignInMail.id == mail.id, SignInMail.ended_at.is_(None))
        .values(ended_at=now)
        .returning(SignInMail.id)
    )
    if ended is None:
        return None
    account = session.get_one(Account, mail.account_id)
    if mail.channel == EMAIL:
        account.confirmed_at = account.confirmed_at or now
    return mail


def forget_sign_in_mails(session: Session, *, now: datetime, limit: int) -> int:
    """Delete what was kept of mails to sign in; return how many those were."""
    old = (
        select(SignInMail.id)
        .where(SignInMail.created_at <= now - kept_for(SIGN_INS))
        .limit(limit)
    )
    gone = session.scalars(
        delete(SignInMail).where(SignInMail.id.in_(old)).returning(SignInMail.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
