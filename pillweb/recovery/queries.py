"""Questions about who may let whom in again, and how far that is."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from pillweb.accounts.models import Account, Recovery, RecoveryHelper
from pillweb.base.errors import LinkGoneError, NotFoundError
from pillweb.base.sight import seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import address_index
from pillweb.contacts.rules import ACTIVE
from pillweb.recovery.rules import (
    A_WEEK,
    FINISH_LIFE,
    NOTHING,
    READY,
    STARTS_A_WEEK,
    WAITING,
)
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.rules import ACCEPTED, SELF, Level

EMAIL, SMS = "email", "sms"


class Entrusted(NamedTuple):
    """Somebody whom a helper may let in again, and how far that is."""

    trust_id: int
    name: str
    step: str


class Notice(NamedTuple):
    """What a notice is about; `may_agree` where it went to the person's own address."""

    recovery: Recovery
    helper_name: str
    may_agree: bool


def _held(grant: type[Grant], now: datetime) -> ColumnElement[bool]:
    ends = or_(grant.ends_at.is_(None), grant.ends_at > now)
    return and_(grant.status == ACCEPTED, ends)


def shared_patients(
    session: Session, account_id: int, other_id: int, *, now: datetime
) -> Sequence[int]:
    """Return the patients to whom both accounts have access now."""
    other = aliased(Grant)
    both = (
        select(Grant.patient_id)
        .join(other, other.patient_id == Grant.patient_id)
        .where(
            Grant.account_id == account_id,
            other.account_id == other_id,
            holds(now),
            _held(other, now),
        )
        .order_by(Grant.patient_id)
    )
    # Whoever is being let in again is nobody yet.
    with seeing_everybody(session):
        return session.scalars(both).all()


def helpers_to_name(
    session: Session, account_id: int, *, now: datetime
) -> Sequence[tuple[int, str]]:
    """Return (account id, name) of whom somebody can trust to let them in again.

    Those are the people whose access to a patient they can see: all who have it where
    they manage, and a patient whom they help.
    """
    other = aliased(Grant)
    rows = session.execute(
        select(Account.id, Account.name)
        .join(other, other.account_id == Account.id)
        .join(Grant, Grant.patient_id == other.patient_id)
        .where(
            Grant.account_id == account_id,
            other.account_id != account_id,
            holds(now),
            _held(other, now),
            or_(Grant.level >= int(Level.MANAGE), other.role == SELF),
        )
        .distinct()
        .order_by(Account.id)
    )
    return [(row.id, row.name) for row in rows]


def named_helpers(session: Session, account_id: int) -> set[int]:
    """Return the accounts that somebody trusts to let them in again."""
    return set(
        session.scalars(
            select(RecoveryHelper.helper_id).where(
                RecoveryHelper.account_id == account_id
            )
        )
    )


def trust_of(
    session: Session, helper_id: int, trust_id: int, *, now: datetime
) -> RecoveryHelper:
    """Return by what a helper may let somebody in again, now.

    Raises:
        NotFoundError: they are not trusted to, or share no patient any more.
    """
    row = session.get(RecoveryHelper, trust_id, populate_existing=True)
    if row is None or row.helper_id != helper_id:
        raise NotFoundError
    if not shared_patients(session, row.account_id, helper_id, now=now):
        raise NotFoundError
    return row


def may_let_in(session: Session, recovery: Recovery, *, now: datetime) -> bool:
    """Say whether whoever began it is still trusted, and still shares a patient."""
    account_id, helper_id = recovery.account_id, recovery.helper_id
    return helper_id in named_helpers(session, account_id) and bool(
        shared_patients(session, account_id, helper_id, now=now)
    )


def is_open(now: datetime) -> ColumnElement[bool]:
    """Return that a recovery was neither stopped nor used, nor is too old."""
    return and_(Recovery.ended_at.is_(None), Recovery.expires_at > now)


def open_recovery(
    session: Session, account_id: int, *, now: datetime
) -> Recovery | None:
    """Return by what an account is being let in again."""
    return session.scalar(
        select(Recovery).where(Recovery.account_id == account_id, is_open(now))
    )


def people_to_let_in(
    session: Session, helper_id: int, *, now: datetime
) -> list[Entrusted]:
    """Return everybody whom a helper may let in again, and how far that is."""
    rows = session.execute(
        select(RecoveryHelper.id, RecoveryHelper.account_id, Account.name)
        .join(Account, Account.id == RecoveryHelper.account_id)
        .where(RecoveryHelper.helper_id == helper_id)
        .order_by(RecoveryHelper.id)
    ).all()
    return [
        Entrusted(row.id, row.name, _step(session, row.account_id, helper_id, now=now))
        for row in rows
        if shared_patients(session, row.account_id, helper_id, now=now)
    ]


def _step(session: Session, account_id: int, helper_id: int, *, now: datetime) -> str:
    found = open_recovery(session, account_id, now=now)
    if found is None or found.helper_id != helper_id:
        return NOTHING
    return READY if found.ready_at <= now else WAITING


def has_begun_too_often(
    session: Session, trust: RecoveryHelper, *, now: datetime
) -> bool:
    """Say whether a helper began so often this week that they have to wait."""
    begun = session.scalar(
        select(func.count()).where(
            Recovery.account_id == trust.account_id,
            Recovery.helper_id == trust.helper_id,
            Recovery.started_at > now - A_WEEK,
        )
    )
    return (begun or 0) >= STARTS_A_WEEK


def notice_behind(session: Session, token: str, *, now: datetime) -> Notice:
    """Return what the notice with this secret is about.

    Raises:
        LinkGoneError: it is wrong, or over.
    """
    secret = token_hash(token)
    row = session.execute(
        select(Recovery, Account.name)
        .join(Account, Account.id == Recovery.helper_id)
        .where(
            or_(Recovery.yes_hash == secret, Recovery.stop_hash == secret),
            is_open(now),
        )
    ).first()
    if row is None:
        raise LinkGoneError
    recovery, helper_name = row
    return Notice(recovery, helper_name, recovery.yes_hash == secret)


def recovery_by_link(session: Session, token: str, *, now: datetime) -> Recovery:
    """Return what a helper's link lets in by.

    Raises:
        LinkGoneError: it is wrong, used, stopped or too old.
    """
    row = session.scalar(
        select(Recovery).where(
            Recovery.link_hash == token_hash(token),
            Recovery.code_expires_at > now,
            Recovery.ready_at <= now,
            is_open(now),
        )
    )
    if row is None:
        raise LinkGoneError
    return row


def recovery_of_browser(session: Session, secret: str, *, now: datetime) -> Recovery:
    """Return the recovery whose code was used in the browser with this secret.

    Raises:
        NotFoundError: there is none that waits to be finished.
    """
    row = session.scalar(
        select(Recovery).where(
            Recovery.browser_hash == token_hash(secret),
            Recovery.used_at > now - FINISH_LIFE,
            Recovery.finished_at.is_(None),
        )
    )
    if row is None:
        raise NotFoundError
    return row


def phone_of(session: Session, account_id: int | None) -> str | None:
    """Return the number to which an account has proven that its SMS arrive.

    Only one of the account itself: those of a patient may be somebody else's choice.
    """
    return session.scalar(
        select(ContactPoint.address)
        .where(
            ContactPoint.account_id == (account_id or 0),
            ContactPoint.channel == SMS,
            ContactPoint.state == ACTIVE,
            ContactPoint.proven_at.is_not(None),
        )
        .order_by(ContactPoint.rank, ContactPoint.id)
        .limit(1)
    )


def own_patients(session: Session, account_id: int, *, now: datetime) -> Sequence[int]:
    """Return the patients that an account is itself."""
    own = select(Grant.patient_id).where(
        Grant.account_id == account_id, Grant.role == SELF, holds(now)
    )
    with seeing_everybody(session):
        return session.scalars(own).all()


def patients_reached_at(
    session: Session, account_id: int, email: str, *, now: datetime
) -> Sequence[int]:
    """Return the patients an account is, or manages, who are reminded at an address."""
    theirs = (
        select(ContactPoint.patient_id)
        .join(Grant, Grant.patient_id == ContactPoint.patient_id)
        .where(
            Grant.account_id == account_id,
            or_(Grant.role == SELF, Grant.level >= int(Level.MANAGE)),
            holds(now),
            ContactPoint.channel == EMAIL,
            ContactPoint.address_index == address_index(EMAIL, email),
        )
        .order_by(ContactPoint.patient_id)
    )
    with seeing_everybody(session):
        return [one for one in session.scalars(theirs) if one is not None]
