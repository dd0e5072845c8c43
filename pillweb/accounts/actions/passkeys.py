"""Passkeys: asked for, added, used to sign in and to prove who it is, removed."""

from datetime import datetime
from hmac import compare_digest
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account, Passkey, PasskeyChallenge
from pillweb.accounts.queries import passkeys_of
from pillweb.accounts.rules import (
    ADD,
    CHALLENGE_LIFE,
    ENTER,
    PROVE,
    must_verify,
    went_up,
)
from pillweb.base.i18n import gettext as _
from pillweb.base.log import log
from pillweb.base.passkeys import (
    Known,
    Signed,
    ask_for_key,
    ask_for_new_key,
    check_claim,
    new_challenge,
    new_handle,
    read_claim,
    read_new_key,
)
from pillweb.base.retention import SIGN_INS, kept_for
from pillweb.base.tokens import new_token, token_hash


class Browser(NamedTuple):
    """Which browser it is: by a secret in its cookie, and by its session, if any."""

    secret: str
    session_id: int | None = None


class Asked(NamedTuple):
    """What a browser is asked: the secret for its cookie, and what its script needs."""

    secret: str
    options: str


class Verdict(NamedTuple):
    """What became of an answer: a passkey, or in a sentence why there is none.

    `is_proof`: the device knew its person.
    """

    passkey: Passkey | None
    is_proof: bool = False
    words: str = ""


def _ask(
    session: Session, browser: Browser, *, purpose: str, now: datetime
) -> tuple[str, bytes]:
    """Keep a new challenge in place of the one this browser was given before."""
    secret, challenge = new_token(), new_challenge()
    before = PasskeyChallenge.browser_hash == token_hash(browser.secret)
    session.execute(delete(PasskeyChallenge).where(before))
    session.add(
        PasskeyChallenge(
            browser_hash=token_hash(secret),
            session_id=browser.session_id,
            purpose=purpose,
            challenge=challenge,
            expires_at=now + CHALLENGE_LIFE,
        )
    )
    return secret, challenge


def _take(
    session: Session, browser: Browser, *, purpose: str, now: datetime
) -> bytes | None:
    """Use up the challenge of this browser, and of its session, for this purpose."""
    row = PasskeyChallenge
    return session.scalar(
        delete(row)
        .where(
            row.browser_hash == token_hash(browser.secret),
            row.session_id.is_not_distinct_from(browser.session_id),
            row.purpose == purpose,
            row.expires_at > now,
        )
        .returning(row.challenge)
    )


def _known(session: Session, account_id: int) -> list[Known]:
    return [
        Known(one.credential_id, one.transports)
        for one in passkeys_of(session, account_id)
    ]


def _must_verify(account: Account) -> bool:
    return must_verify(is_patient=account.is_patient, is_admin=account.is_admin)


def ask_to_enter(session: Session, browser: Browser, *, now: datetime) -> Asked:
    """Ask a browser for any passkey of ours: it knows whose it is, we name nobody."""
    secret, challenge = _ask(session, browser, purpose=ENTER, now=now)
    return Asked(secret, ask_for_key(challenge, verified=False))


def ask_to_prove(
    session: Session, browser: Browser, account_id: int, *, now: datetime
) -> Asked:
    """Ask a browser for a passkey of this account that knows its person."""
    secret, challenge = _ask(session, browser, purpose=PROVE, now=now)
    known = _known(session, account_id)
    return Asked(secret, ask_for_key(challenge, known=known, verified=True))


def ask_for_passkey(
    session: Session, browser: Browser, account_id: int, *, now: datetime
) -> Asked:
    """Ask a browser to have a passkey made for this account."""
    account = session.get_one(Account, account_id)
    account.passkey_handle = account.passkey_handle or new_handle()
    secret, challenge = _ask(session, browser, purpose=ADD, now=now)
    options = ask_for_new_key(
        challenge,
        handle=account.passkey_handle,
        email=account.email,
        name=account.name,
        known=_known(session, account_id),
        verified=_must_verify(account),
    )
    return Asked(secret, options)


def _no(why: str, words: str = "") -> Verdict:
    log.info("passkey_refused", why=why)
    return Verdict(
        None, words=words or _("That did not work. Nothing was changed. Try again.")
    )


def add_passkey(
    session: Session,
    browser: Browser,
    account_id: int,
    *,
    answer: str,
    name: str,
    now: datetime,
) -> Verdict:
    """Keep the passkey that a device made when this browser was asked."""
    account = session.get_one(Account, account_id)
    challenge = _take(session, browser, purpose=ADD, now=now)
    if challenge is None:
        return _no("challenge")
    made = read_new_key(answer, challenge, verified=_must_verify(account))
    if made is None:
        return _no("answer")
    taken = Passkey.credential_id == made.known.credential_id
    if session.scalar(select(Passkey.id).where(taken)) is not None:
        return _no("known")
    row = Passkey(
        account_id=account_id,
        credential_id=made.known.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        transports=list(made.known.transports),
        may_sync=made.may_sync,
        is_synced=made.is_synced,
        name=name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return Verdict(row)


def enter_by_passkey(
    session: Session, browser: Browser, *, answer: str, now: datetime
) -> Verdict:
    """Return the passkey by which this browser is to be signed in.

    Each call uses up what was asked, right or wrong. Of somebody who helps, the device
    must know its person.
    """
    challenge = _take(session, browser, purpose=ENTER, now=now)
    if challenge is None:
        return _no("challenge")
    return _verdict(session, answer, challenge, now=now)


def prove_by_passkey(
    session: Session, browser: Browser, account_id: int, *, answer: str, now: datetime
) -> Verdict:
    """Return the passkey by which somebody who is signed in has shown who they are."""
    challenge = _take(session, browser, purpose=PROVE, now=now)
    if challenge is None:
        return _no("challenge")
    return _verdict(session, answer, challenge, account_id=account_id, now=now)


def _verdict(
    session: Session,
    answer: str,
    challenge: bytes,
    *,
    now: datetime,
    account_id: int | None = None,
) -> Verdict:
    """Check an answer; with an account it has to be of that one, and be a proof."""
    claim = read_claim(answer)
    if claim is None:
        return _no("answer")
    row = session.scalar(
        select(Passkey).where(Passkey.credential_id == claim.raw_id).with_for_update()
    )
    if row is None or account_id not in {None, row.account_id}:
        return _no("unknown")
    account = session.get_one(Account, row.account_id)
    # A key that was found by itself says whose it is; one that was asked for may not.
    handle = claim.response.user_handle
    if not handle and account_id is not None:
        handle = account.passkey_handle
    if not compare_digest(handle or b"", account.passkey_handle or b"-"):
        return _no("handle")
    signed = check_claim(claim, challenge, public_key=row.public_key)
    if signed is None:
        return _no("signature")
    must = account_id is not None or _must_verify(account)
    if must and not signed.is_verified:
        return _no(
            "unverified",
            _("Your device did not ask for your finger, face or PIN."),
        )
    return _use(row, signed, now=now)


def _use(row: Passkey, signed: Signed, *, now: datetime) -> Verdict:
    """Note that a passkey was used, unless its count says that there is a copy."""
    if not went_up(row.sign_count, signed.sign_count):
        row.doubted_at = now
        log.warning("passkey_count_went_back", passkey_id=row.id)
        return _no("count")
    row.sign_count, row.is_synced = signed.sign_count, signed.is_synced
    row.last_used_at = now
    return Verdict(row, signed.is_verified)


def remove_passkeys(
    session: Session, account_id: int, passkey_ids: list[int] | None = None
) -> int:
    """Let passkeys of an account, these or all, sign nobody in; return how many."""
    which = [Passkey.account_id == account_id]
    if passkey_ids is not None:
        which.append(Passkey.id.in_(passkey_ids))
    gone = session.scalars(delete(Passkey).where(*which).returning(Passkey.id)).all()
    return len(gone)


def forget_challenges(session: Session, *, now: datetime, limit: int) -> int:
    """Delete what passkeys were to sign and nobody answered; return how many."""
    old = (
        select(PasskeyChallenge.id)
        .where(PasskeyChallenge.expires_at <= now - kept_for(SIGN_INS))
        .limit(limit)
    )
    gone = session.scalars(
        delete(PasskeyChallenge)
        .where(PasskeyChallenge.id.in_(old))
        .returning(PasskeyChallenge.id),
        execution_options={"synchronize_session": False},
    ).all()
    return len(gone)
