"""Questions about accounts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import (
    Account,
    AccountLink,
    AccountNotice,
    AccountRequest,
    EntryTry,
    OidcIdentity,
    OidcTry,
    Passkey,
    PasskeyChallenge,
    PrintedCode,
    Recovery,
    SignInMail,
    WebSession,
)
from pillweb.accounts.rules import (
    MAIL,
    MAILS_COUNTED_FOR,
    MAILS_FROM_ANYWHERE,
    MAILS_PER_ADDRESS,
    MAILS_PER_CLIENT,
    MOST_TRIES,
    PASSKEY,
    PASSWORD,
    PRINTED,
    PRINTED_LETTERS,
    PROVIDER,
    TEXTS_PER_ADDRESS,
    TEXTS_PER_CLIENT,
    TRIES_PER_ADDRESS,
    TRIES_PER_CLIENT,
)
from pillweb.base.crypto import blind_index
from pillweb.base.db import ask
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.i18n import Speech, speech
from pillweb.base.look import read_look
from pillweb.base.mail_address import email_key
from pillweb.base.retention import SESSIONS, SIGN_INS, kept_for
from pillweb.base.tokens import token_hash
from pillweb.base.viewer import Viewer

EMAIL = "email"
_VIEWER = (
    select(
        WebSession.account_id,
        WebSession.id,
        Account.name,
        Account.email,
        WebSession.last_seen_at,
        WebSession.proved_at,
        exists()
        .where(
            Recovery.account_id == WebSession.account_id,
            Recovery.ended_at.is_(None),
            Recovery.expires_at > bindparam("now"),
        )
        .label("is_let_in"),
        Account.leaves_at,
    )
    .join(Account, Account.id == WebSession.account_id)
    .where(
        WebSession.token_hash == bindparam("hash"),
        WebSession.revoked_at.is_(None),
        WebSession.idle_ends_at > bindparam("now"),
        WebSession.expires_at > bindparam("now"),
    )
)


def any_account(session: Session) -> bool:
    """Say whether anybody has an account yet."""
    return bool(session.scalar(select(exists().select_from(Account))))


def set_up_code() -> str:
    """Return what whoever makes the first account of a public server must know.

    60 bits of our key: the same in every process, and told where PillWeb is started.
    """
    digest = blind_index("first_account", purpose="set_up")
    return "".join(PRINTED_LETTERS[one % len(PRINTED_LETTERS)] for one in digest[:12])


def email_index(email: str) -> bytes:
    """Return the keyed hash by which an address is found."""
    return blind_index(email_key(email), purpose="email")


def account_by_email(session: Session, email: str) -> Account | None:
    """Return the account of an address."""
    return session.scalar(
        select(Account).where(Account.email_index == email_index(email))
    )


def speech_of_account(account: Account) -> Speech:
    """Return how an account wants it, or how whoever asks for it is spoken to."""
    look = read_look(account.look or "")
    return look.speech if look.language else speech()


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
    account_id, session_id, name, email, *ends = row
    return Viewer(account_id, session_id, name, email, now, *ends)


def live_sessions(
    session: Session, account_id: int, *, now: datetime
) -> Sequence[WebSession]:
    """Return the browsers in which an account is signed in, used last first."""
    return session.scalars(
        select(WebSession)
        .where(
            WebSession.account_id == account_id,
            WebSession.revoked_at.is_(None),
            WebSession.idle_ends_at > now,
            WebSession.expires_at > now,
        )
        .order_by(WebSession.last_seen_at.desc(), WebSession.id.desc())
    ).all()


def live_session_of(
    session: Session, account_id: int, session_id: int, *, now: datetime
) -> WebSession:
    """Return one browser in which an account is signed in.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    for row in live_sessions(session, account_id, now=now):
        if row.id == session_id:
            return row
    raise NotFoundError


def passkeys_of(session: Session, account_id: int) -> Sequence[Passkey]:
    """Return the passkeys of an account, the newest first."""
    return session.scalars(
        select(Passkey)
        .where(Passkey.account_id == account_id)
        .order_by(Passkey.created_at.desc(), Passkey.id.desc())
    ).all()


def passkey_of(session: Session, account_id: int, passkey_id: int) -> Passkey:
    """Return one passkey of an account.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    found = session.get(Passkey, passkey_id)
    if found is None or found.account_id != account_id:
        raise NotFoundError
    return found


def ways_in(session: Session, account: Account) -> list[str]:
    """Return how somebody can sign in: names in `accounts.rules`, a passkey each.

    Mail is always one, so none of the others is ever the last.
    """
    password = [PASSWORD] if account.password_hash else []
    keys = [PASSKEY] * len(passkeys_of(session, account.id))
    printed = [PRINTED] if printed_codes_left(session, account.id) else []
    mine = select(func.count()).where(OidcIdentity.account_id == account.id)
    provider = [PROVIDER] if session.scalar(mine) else []
    return [MAIL, *password, *keys, *printed, *provider]


def wants_second_way(session: Session, account_id: int) -> bool:
    """Say whether somebody has one way to sign in, and has not put that advice away."""
    account = session.get_one(Account, account_id)
    return account.nudge_off_at is None and len(ways_in(session, account)) == 1


def is_asked_too_often(
    session: Session,
    *,
    email: str,
    client: str,
    now: datetime,
    channel: str = EMAIL,
    is_known: bool = False,
) -> bool:
    """Say whether enough ways to sign in were asked for, to or from an address.

    A browser that signed in to it before (`is_known`) is not kept out by what others
    ask for: of its mails only those from its network count.
    """
    is_mail = channel == EMAIL
    to_it = SignInMail.email_index == email_index(email)
    from_here = SignInMail.client_index == client_index(client)
    lately = [
        SignInMail.created_at > now - MAILS_COUNTED_FOR,
        SignInMail.channel == channel,
    ]
    counted = {from_here: MAILS_PER_CLIENT if is_mail else TEXTS_PER_CLIENT}
    if not is_mail:
        counted[to_it] = TEXTS_PER_ADDRESS
    elif not is_known:
        counted[to_it & from_here] = MAILS_PER_ADDRESS
        counted[to_it] = MAILS_FROM_ANYWHERE
    return _is_any_full(session, counted, lately)


def is_tried_too_often(
    session: Session,
    kind: str,
    *,
    email: str,
    client: str,
    now: datetime,
    is_known: bool,
) -> bool:
    """Say whether enough was guessed for an address, or from one, by a way in."""
    lately = [EntryTry.at > now - MAILS_COUNTED_FOR, EntryTry.kind == kind]
    for_it = EntryTry.email_index == email_index(email)
    from_here = EntryTry.client_index == client_index(client)
    counted = {
        for_it & from_here if is_known else for_it: TRIES_PER_ADDRESS,
        from_here: TRIES_PER_CLIENT,
    }
    return _is_any_full(session, counted, lately)


def _is_any_full(
    session: Session,
    counted: Mapping[ColumnElement[bool], int],
    lately: Sequence[ColumnElement[bool]],
) -> bool:
    return any(
        (session.scalar(select(func.count()).where(same, *lately)) or 0) >= most
        for same, most in counted.items()
    )


def printed_codes_left(session: Session, account_id: int) -> int | None:
    """Return how many printed codes of an account still work; None: never printed."""
    made, left = session.execute(
        select(func.count(), func.count().filter(PrintedCode.used_at.is_(None))).where(
            PrintedCode.account_id == account_id
        )
    ).one()
    return left if made else None


def client_index(client: str) -> bytes:
    """Return the keyed hash by which a visitor's network address is counted."""
    return blind_index(client, purpose="client")


def live_mail(session: Session, token: str, *, now: datetime) -> SignInMail | None:
    """Return what a mailed link to sign in belongs to, while it works."""
    return session.scalar(
        select(SignInMail).where(
            SignInMail.token_hash == token_hash(token),
            SignInMail.new_email.is_(None),
            SignInMail.ended_at.is_(None),
            SignInMail.tries < MOST_TRIES,
            SignInMail.expires_at > now,
        )
    )


def is_asked_by(mail: SignInMail, browser: str) -> bool:
    """Say whether a browser with this secret asked for the mail."""
    return compare_digest(mail.browser_hash, token_hash(browser))


def oldest_sign_in(session: Session, *, now: datetime) -> datetime | None:
    """Return since when something of sessions or sign-ins is older than it is kept."""
    found = (
        (
            session.scalar(select(func.min(PasskeyChallenge.expires_at))),
            kept_for(SIGN_INS),
        ),
        (session.scalar(select(func.min(EntryTry.at))), kept_for(SIGN_INS)),
        (
            session.scalar(select(func.min(AccountRequest.created_at))),
            kept_for(SIGN_INS),
        ),
        (session.scalar(select(func.min(OidcTry.created_at))), kept_for(SIGN_INS)),
        (session.scalar(select(func.min(SignInMail.created_at))), kept_for(SIGN_INS)),
        (session.scalar(select(func.min(WebSession.idle_ends_at))), kept_for(SESSIONS)),
        (session.scalar(select(func.min(AccountNotice.expires_at))), timedelta()),
    )
    over = [at + kept_for for at, kept_for in found if at is not None]
    return min((at for at in over if at <= now), default=None)


def request_waits(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of a request that is to be treated now."""
    return (
        AccountRequest.next_at <= now,
        AccountRequest.created_at > now - kept_for(SIGN_INS),
    )


def oldest_request(session: Session, *, now: datetime) -> datetime | None:
    """Return since when a request for an account or a password waits to be treated."""
    return session.scalar(
        select(func.min(AccountRequest.next_at)).where(*request_waits(now))
    )


def live_link(session: Session, token: str, *, now: datetime) -> AccountLink | None:
    """Return a mailed link that may still be used."""
    return session.scalar(
        select(AccountLink).where(
            AccountLink.token_hash == token_hash(token),
            AccountLink.used_at.is_(None),
            AccountLink.expires_at > now,
        )
    )


def live_notice(session: Session, token: str, *, now: datetime) -> AccountNotice:
    """Return the message whose secret can end a change.

    Raises:
        LinkGoneError: it is wrong, used or too old.
    """
    row = session.scalar(
        select(AccountNotice)
        .where(
            AccountNotice.token_hash == token_hash(token),
            AccountNotice.ended_at.is_(None),
            AccountNotice.expires_at > now,
        )
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise LinkGoneError
    return row
