"""Who has access to a patient, and by which links."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.errors import NotFoundError
from pillweb.sharing.models import Grant, LinkOpening, ShareLink
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.rules import (
    ACCEPTED,
    NAMES,
    SELF,
    Helper,
    Level,
    Terms,
    gives_more,
    seen_by,
)


def links_of(session: Session, patient_id: int) -> Sequence[ShareLink]:
    """Return the patient's links, newest first."""
    return session.scalars(
        select(ShareLink)
        .where(ShareLink.patient_id == patient_id)
        .order_by(ShareLink.id.desc())
    ).all()


_HELPER = (
    select(
        Grant.id,
        Grant.account_id,
        Account.name,
        Grant.alerts,
        Grant.ladder_place,
        Grant.wants,
        Grant.level,
        Grant.role,
        Grant.sees,
        Grant.ends_at,
    )
    .join(Account, Account.id == Grant.account_id)
    .where(Grant.status == ACCEPTED, Grant.role != SELF)
    .order_by(Grant.id)
)


def helpers_of(session: Session, patient_id: int) -> list[Helper]:
    """Return everybody who helps a patient, first come first."""
    rows = session.execute(_HELPER.where(Grant.patient_id == patient_id))
    return [Helper._make(row) for row in rows]


def helper_of(session: Session, patient_id: int, grant_id: int) -> Helper:
    """Return one who helps a patient.

    Raises:
        NotFoundError: nobody helps this patient by that grant.
    """
    mine = _HELPER.where(Grant.patient_id == patient_id, Grant.id == grant_id)
    row = session.execute(mine).first()
    if row is None:
        raise NotFoundError
    return Helper._make(row)


def answerable_for(session: Session, patient_id: int) -> Sequence[tuple[int, bool]]:
    """Return (account id, whether it is the patient's own) of who answers for somebody.

    Those are all who manage, and all who are told of doses without a record.
    """
    rows = session.execute(
        select(Grant.account_id, Grant.role == SELF)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            or_(Grant.level >= int(Level.MANAGE), Grant.ladder_place.is_not(None)),
        )
        .order_by(Grant.id)
    )
    return [(account_id, is_self) for account_id, is_self in rows]


def managers_of(
    session: Session, patient_id: int, *, now: datetime
) -> Mapping[int, bool]:
    """Return who manages for a patient, and whether that account is the patient's."""
    rows = session.execute(
        select(Grant.account_id, (Grant.role == SELF).label("is_self")).where(
            Grant.patient_id == patient_id,
            Grant.level >= int(Level.MANAGE),
            holds(now),
        )
    )
    return {row.account_id: row.is_self for row in rows}


def still_helping(
    session: Session, patient_id: int, account_ids: Collection[int], *, now: datetime
) -> Mapping[int, bool]:
    """Return those of the accounts whose access to a patient has not ended.

    Each with whether it may know which medicines they are.
    """
    rows = session.execute(
        select(Grant.account_id, Grant.level, Grant.sees).where(
            Grant.patient_id == patient_id,
            Grant.account_id.in_(account_ids),
            holds(now),
        )
    )
    return {row.account_id: NAMES in seen_by(row.level, row.sees) for row in rows}


def accounts_wanting(session: Session, patient_id: int, group: str) -> Sequence[int]:
    """Return the helpers who are to get a kind of message about a patient."""
    found = helpers_of(session, patient_id)
    return [helper.account_id for helper in found if group in helper.wants]


def told_of_doses(session: Session, patient_id: int) -> dict[int, int | None]:
    """Return the accounts that are told where a dose was not reminded or recorded.

    Each with its place on the ladder, None where it has none.
    """
    rows = session.execute(
        select(Grant.account_id, Grant.ladder_place)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.role != SELF,
            or_(Grant.ladder_place.is_not(None), Grant.alerts.is_(True)),
        )
        .order_by(Grant.id)
    )
    return {row.account_id: row.ladder_place for row in rows}


def told_of(
    session: Session, patient_id: int, *, besides: int | None
) -> Sequence[tuple[int, str]]:
    """Return (account id, name) of who is told when too much is recorded."""
    rows = session.execute(
        select(Account.id, Account.name)
        .join(Grant, Grant.account_id == Account.id)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.alerts.is_(True),
        )
        .order_by(Grant.id)
    )
    return [(row.id, row.name) for row in rows if row.id != besides]


def has_own_account(session: Session, patient_id: int, *, now: datetime) -> bool:
    """Say whether a patient signs in."""
    own = select(Grant.id).where(
        Grant.patient_id == patient_id, Grant.role == SELF, holds(now)
    )
    return session.scalar(own.limit(1)) is not None


def own_accounts_of(
    session: Session, patient_id: int, *, now: datetime
) -> Sequence[tuple[str, str, datetime]]:
    """Return (name, address, since when) of who signs in as the patient."""
    rows = session.execute(
        select(Account.name, Account.email, Grant.created_at)
        .join(Grant, Grant.account_id == Account.id)
        .where(Grant.patient_id == patient_id, Grant.role == SELF, holds(now))
        .order_by(Grant.id)
    )
    return [(name, email, since) for name, email, since in rows]


def would_gain(
    session: Session,
    account_id: int,
    patient_id: int,
    offer: Terms,
    *,
    now: datetime,
) -> bool:
    """Say whether an offer gives an account more than it has, and takes nothing."""
    row = session.execute(
        select(Grant.level, Grant.role, Grant.sees, Grant.ends_at).where(
            Grant.account_id == account_id,
            Grant.patient_id == patient_id,
            holds(now),
        )
    ).first()
    if row is None:
        return True
    held = Terms(Level(row.level), row.role, frozenset(row.sees), row.ends_at)
    return gives_more(offer, held)


def link_of(session: Session, patient_id: int, link_id: int) -> ShareLink:
    """Return one link of a patient.

    Raises:
        NotFoundError: the patient has no such link.
    """
    row = session.get(ShareLink, link_id)
    if row is None or row.patient_id != patient_id:
        raise NotFoundError
    return row


def openings_of(session: Session, link_id: int) -> Sequence[LinkOpening]:
    """Return when a link was opened and with what, newest first."""
    return session.scalars(
        select(LinkOpening)
        .where(LinkOpening.link_id == link_id)
        .order_by(LinkOpening.id.desc())
    ).all()


def oldest_ended(session: Session, *, now: datetime) -> datetime | None:
    """Return since when access is over that nobody ended yet."""
    over = select(func.min(Grant.ends_at)).where(
        Grant.status == ACCEPTED, Grant.ends_at <= now
    )
    since: datetime | None = session.scalar(over)
    return since
