"""Questions about what is answered, and by whom."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.answers.rules import Said
from pillweb.base.errors import LinkGoneError
from pillweb.base.sight import let_see, seeing_everybody
from pillweb.base.tokens import token_hash
from pillweb.contacts.models import Preference
from pillweb.doses.models import DoseEvent
from pillweb.doses.queries.days import doses_among, doses_due_at
from pillweb.doses.rules.days import DoseFacts
from pillweb.reminders.models import DeliveryDose, Reminder, ReminderLink
from pillweb.sharing.models import Grant
from pillweb.sharing.rules import SELF


def link_behind(
    session: Session, token: str, *, now: datetime
) -> tuple[ReminderLink, Reminder]:
    """Return the link with this secret that a patient got, and its reminder.

    Raises:
        LinkGoneError: it is wrong, older than a day, or a helper's.
    """
    with seeing_everybody(session):
        found = session.execute(
            select(ReminderLink, Reminder)
            .join(Reminder, Reminder.id == ReminderLink.reminder_id)
            .where(
                ReminderLink.token_hash == token_hash(token),
                ReminderLink.expires_at > now,
                ReminderLink.account_id.is_(None),
            )
        ).first()
    if found is None:
        raise LinkGoneError
    link, reminder = found
    let_see(session, link.patient_id)
    return link, reminder


def doses_told(
    session: Session, reminder: Reminder, delivery_id: int | None
) -> list[DoseFacts]:
    """Return the standing doses a message told of: an answer to it is about them all.

    Where no message is known, or not what it told of, what is due at the reminder's
    moment.
    """
    told = select(DeliveryDose.dose_id).where(DeliveryDose.delivery_id == delivery_id)
    dose_ids = session.scalars(told).all() if delivery_id else []
    if dose_ids:
        return doses_among(session, reminder.patient_id, dose_ids)
    return doses_due_at(session, reminder.patient_id, reminder.due_at)


def said_last(session: Session, dose_ids: Collection[int]) -> Said | None:
    """Return who said the newest thing about these doses; None where nobody did."""
    row = session.execute(
        select(
            DoseEvent.account_id,
            Account.name,
            DoseEvent.channel,
            (Grant.role == SELF).label("is_self"),
        )
        .outerjoin(Account, Account.id == DoseEvent.account_id)
        .outerjoin(
            Grant,
            and_(
                Grant.account_id == DoseEvent.account_id,
                Grant.patient_id == DoseEvent.patient_id,
            ),
        )
        .where(DoseEvent.dose_id.in_(dose_ids))
        .order_by(DoseEvent.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Said(row.account_id, row.name or "", row.channel, bool(row.is_self))


def names_may_show(session: Session, patient_id: int) -> bool:
    """Say whether a patient allowed medicine names outside their own pages."""
    wish = select(Preference.shows_names).where(Preference.patient_id == patient_id)
    return bool(session.scalar(wish))
