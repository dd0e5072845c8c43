"""The rows of people who sign in, and of what they agreed to."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from pillweb.base.db import Base, Id
from pillweb.base.sealed import SealedText
from pillweb.base.tokens import new_mark


class Account(Base):
    """A person who signs in; found by a keyed hash of the e-mail address.

    `is_admin` is whoever runs this installation: sees which messages failed, not whose
    medicines they were about. `is_patient` is who takes medicine and helps nobody else:
    they stay signed in for longer. `passkey_handle` is by what passkeys know the
    account: random, so that they tell nobody whose they are. `nudge_off_at` is when
    somebody put away the advice to have a second way to sign in. `mark` is random and
    never given twice, as ids may be; from `leaves_at` on nothing of the account is
    kept.
    """

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(SealedText("account.name"))
    email: Mapped[str] = mapped_column(SealedText("account.email"))
    email_index: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    look: Mapped[str | None] = mapped_column(String(40))
    is_admin: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_patient: Mapped[bool] = mapped_column(default=False, server_default=false())
    passkey_handle: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    nudge_off_at: Mapped[datetime | None]
    mark: Mapped[bytes] = mapped_column(LargeBinary(16), default=new_mark)
    leaves_at: Mapped[datetime | None]


class WebSession(Base):
    """One browser that is signed in; the cookie's secret is kept as a hash only.

    It lives until it is revoked, was not seen for too long (`idle_ends_at`) or is too
    old (`expires_at`); `stay` names for how long that is (`accounts.rules.STAYS`).
    `last_seen_at` may be a quarter of an hour behind. `proved_at` is when somebody last
    showed here who they are. `name` is what the browser, or its person, calls it.
    """

    __tablename__ = "web_session"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    name: Mapped[str | None] = mapped_column(SealedText("web_session.name"))
    stay: Mapped[str] = mapped_column(String(8))
    last_seen_at: Mapped[datetime]
    idle_ends_at: Mapped[datetime]
    proved_at: Mapped[datetime]


class Passkey(Base):
    """A key that signs an account in; its secret half never leaves the device.

    `credential_id` and `public_key` (COSE) are what the device made. `sign_count` is
    how often it says that it signed; 0 where it does not count. `may_sync` and
    `is_synced`: whether the key can be, and is, on further devices. `doubted_at` is
    when the count last did not go up: somebody may have a copy of the key.
    """

    __tablename__ = "passkey"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(JSON)
    may_sync: Mapped[bool]
    is_synced: Mapped[bool]
    name: Mapped[str] = mapped_column(SealedText("passkey.name"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    doubted_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """Random bytes for a passkey to sign: once, in five minutes, in one browser.

    The browser is known by a secret in its cookie, of which the hash is kept, and by
    its session where somebody is signed in. `purpose` is one of `accounts.rules`: what
    is signed to get in proves nothing else.
    """

    __tablename__ = "passkey_challenge"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    session_id: Mapped[int | None] = mapped_column(
        ForeignKey("web_session.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str] = mapped_column(String(8))
    challenge: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccountLink(Base):
    """A mailed link to choose a password; works once.

    `invitation_hash` is of the invitation that somebody was about to answer who signed
    up: it goes on where the mail is opened.
    """

    __tablename__ = "account_link"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class AccountRequest(Base):
    """A wish for an account, or for another password; gone once it is treated.

    `kind` is "sign_up" or "reset". `look` is that of the browser that asked, with its
    language; `invitation_hash` of the invitation that it was about to answer. At
    `next_at` it is treated, later than it was made only where that failed before.
    """

    __tablename__ = "account_request"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(SealedText("account_request.name"))
    email: Mapped[str] = mapped_column(SealedText("account_request.email"))
    look: Mapped[str] = mapped_column(String(40))
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]


class SignInMail(Base):
    """A mailed way to sign one browser in: a link, and a code to type there.

    By `channel` sms it is a code alone, told to a phone. It works once, for ten
    minutes, until a newer one is asked for with the same address by the same channel,
    or its code was tried too often. An address without an account has rows all
    the same (no `account_id`, nothing was mailed): nobody learns from an answer which
    it was, and the limits count both. With `new_email` it signs nobody in: its code
    proves that this address is the account's.
    """

    __tablename__ = "sign_in_mail"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str] = mapped_column(
        String(12), default="email", server_default="email"
    )
    email_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    client_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    code_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    is_own_device: Mapped[bool]
    tries: Mapped[int] = mapped_column(default=0)
    new_email: Mapped[str | None] = mapped_column(SealedText("sign_in_mail.new_email"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_sign_in_mail_email_index_created_at", "email_index", "created_at"),
        Index("ix_sign_in_mail_client_index_created_at", "client_index", "created_at"),
    )


class AccountNotice(Base):
    """A message that told of a change in how an account is signed in to.

    `email` is where it went. Whoever holds its secret may end all ways in but mail to
    that address, which is the account's then, until `expires_at`, once.
    """

    __tablename__ = "account_notice"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(SealedText("account_notice.email"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    told_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class PrintedCode(Base):
    """A code on paper that signs its account in once; kept as an Argon2id hash.

    `place` is the digit it begins with: so one hash is compared, whoever asks.
    """

    __tablename__ = "printed_code"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    place: Mapped[int]
    code_hash: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("account_id", "place"),)


class EntryTry(Base):
    """A try to sign in by what can be guessed, right or wrong: these are counted."""

    __tablename__ = "entry_try"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    email_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    client_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime]
    __table_args__ = (
        Index("ix_entry_try_email_index_at", "email_index", "at"),
        Index("ix_entry_try_client_index_at", "client_index", "at"),
    )


class RecoveryHelper(Base):
    """Somebody an account holder trusts to let them in again."""

    __tablename__ = "recovery_helper"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    helper_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    named_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("account_id", "helper_id"),)


class Recovery(Base):
    """One time that a helper lets an account holder in again.

    Steps, in this order: begun, `ready_at` reached (a day later, or at once where the
    person said yes), a code made (`link_hash`, `code_index`), used in one browser
    (`browser_hash`), finished there. It is over when `ended_at` is set, by a stop or by
    its use, and at `expires_at`. The secrets of the notices: who holds `yes_hash` may
    say yes or stop it, who holds `stop_hash` may stop it.
    """

    __tablename__ = "recovery"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    helper_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    yes_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    stop_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    link_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    code_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    browser_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    tries: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    ready_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    code_expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class OidcIdentity(Base):
    """Whom somebody is at an OpenID provider; its subject is kept as a keyed hash."""

    __tablename__ = "oidc_identity"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    issuer: Mapped[str] = mapped_column(String(255))
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("issuer", "subject_index"),)


class OidcTry(Base):
    """One way to an OpenID provider and back, for one browser; it is gone once.

    `account_id` is whom the identity (`subject_index`) is to belong to: somebody signed
    in, or the owner of its address, who then proves that by a mailed code.
    """

    __tablename__ = "oidc_try"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(SealedText("oidc_try.verifier"))
    subject_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Consent(Base):
    """What was agreed to, and how; the newest holds.

    It is about the data of a patient, or of the account `owner_id`. `about` and
    `version` name the sentence that was shown (`accounts.rules.SENTENCES`), `how` the
    way it was agreed to (`accounts.rules.WAYS`), `note` what whoever recorded it wrote,
    as what a power of attorney is for. `account_id` is who recorded it.
    """

    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(
        ForeignKey("patient.id", ondelete="CASCADE"), index=True
    )
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL")
    )
    about: Mapped[str] = mapped_column(String(12))
    version: Mapped[str] = mapped_column(String(10))
    how: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(SealedText("consent.note"))
    given_at: Mapped[datetime]
