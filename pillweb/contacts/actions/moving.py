"""Where an account is reached follows its address."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.actions.changing import remove_contact
from pillweb.contacts.models import ContactPoint, ContactTest
from pillweb.contacts.queries import address_index
from pillweb.contacts.rules import ACTIVE, STOPPED, UNPROVEN

EMAIL = "email"


def follow_address(
    session: Session,
    account: Account,
    patient_ids: Collection[int],
    *,
    before: str,
    since: datetime | None = None,
    now: datetime,
) -> None:
    """Reach an account and these patients by its address, in place of the one `before`.

    The address has just been proven. What was stopped stays so. What waits for the one
    before goes to the new one; of those that were there `since`, older ones stay, too.
    """
    olds = session.scalars(
        select(ContactPoint)
        .where(
            ContactPoint.channel == EMAIL,
            ContactPoint.address_index == address_index(EMAIL, before),
            ContactPoint.state != STOPPED,
            or_(
                ContactPoint.account_id == account.id,
                ContactPoint.patient_id.in_(patient_ids),
            ),
        )
        .order_by(ContactPoint.id)
    ).all()
    for old in olds:
        kept = add_contact(
            session,
            channel=EMAIL,
            address=account.email,
            patient_id=old.patient_id,
            account_id=old.account_id,
            rank=old.rank,
            now=now,
        )
        kept.state, kept.proven_at = ACTIVE, kept.proven_at or now
        kept.failures, kept.last_error = 0, None
        if since is None or old.created_at >= since:
            remove_contact(session, old, now=now)


def doubt_numbers(
    session: Session, account_id: int, *, channel: str, now: datetime
) -> None:
    """Let no number of an account be proven any more: it is written to all the same."""
    doubted = session.scalars(
        update(ContactPoint)
        .where(
            ContactPoint.account_id == account_id,
            ContactPoint.channel == channel,
            ContactPoint.state == ACTIVE,
        )
        .values(state=UNPROVEN, proven_at=None)
        .returning(ContactPoint.id)
    ).all()
    session.execute(
        update(ContactTest)
        .where(ContactTest.contact_id.in_(doubted), ContactTest.expires_at > now)
        .values(expires_at=now)
    )
