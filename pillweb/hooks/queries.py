"""Questions about whom a reply, a receipt or a bounce is of."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from pillweb.answers.queries import doses_told
from pillweb.contacts.models import ContactPoint, ContactTest
from pillweb.contacts.queries import accounts_to_tell, address_index, patients_to_tell
from pillweb.contacts.rules import (
    ACTIVE,
    CONTACT_TEST,
    OPEN_PAGE,
    UNPROVEN,
    Person,
)
from pillweb.doses.rules.days import OPEN
from pillweb.hooks.rules import REPLY_LIFE, SHOWN_WITHIN, UNSEEN_ALLOWED
from pillweb.outbox.models import Delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import stays
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.reminders.rules.course import DOSE_DUE

PUSH = "webpush"


def contacts_at(session: Session, channel: str, address: str) -> Sequence[ContactPoint]:
    """Return everybody who is reached at an address: two may share a phone.

    Whose data are about to be erased is nobody.
    """
    index = address_index(channel, address)
    return session.scalars(
        select(ContactPoint)
        .outerjoin(Patient, Patient.id == ContactPoint.patient_id)
        .where(
            stays(),
            ContactPoint.channel == channel,
            ContactPoint.address_index == index,
        )
        .order_by(ContactPoint.id)
    ).all()


def told_at(
    session: Session, contacts: Sequence[ContactPoint], *, now: datetime
) -> Sequence[Delivery]:
    """Return the messages a reply from these addresses may be about.

    Those are the newest reminder of each person that waits for an answer; without any,
    a test that does; or the newest message, of a day.
    """
    sent = session.scalars(
        select(Delivery)
        .where(
            Delivery.contact_id.in_([contact.id for contact in contacts]),
            Delivery.created_at > now - REPLY_LIFE,
            Delivery.accepted_at.is_not(None),
        )
        .order_by(Delivery.accepted_at.desc(), Delivery.id.desc())
    ).all()
    newest: dict[int | None, Delivery] = {}
    for one in sent:
        if one.kind == DOSE_DUE:
            newest.setdefault(one.contact_id, one)
    waiting = [one for one in newest.values() if _is_open(session, one)]
    tests = [one for one in sent if _is_unproven(session, one, now=now)]
    return waiting or tests[:1] or sent[:1]


def _is_open(session: Session, told: Delivery) -> bool:
    found = reminder_told_by(session, told)
    doses = doses_told(session, found[0], told.id) if found else []
    return any(dose.state == OPEN for dose in doses)


def _is_unproven(session: Session, told: Delivery, *, now: datetime) -> bool:
    if told.kind != CONTACT_TEST or told.contact_id is None:
        return False
    test = open_test(session, told.contact_id, now=now)
    return test is not None and test.answered_at is None


def person_of(session: Session, contact: ContactPoint, *, now: datetime) -> Person:
    """Return whom an address belongs to, and how they are spoken to."""
    if contact.patient_id is not None:
        return patients_to_tell(session, [contact.patient_id], now=now)[
            contact.patient_id
        ]
    whose = contact.account_id or 0
    found = accounts_to_tell(session, [whose], zone="UTC", language="en", now=now)
    return found[whose]


def open_test(
    session: Session, contact_id: int, *, now: datetime
) -> ContactTest | None:
    """Return the newest test of an address that can still be answered."""
    return session.scalar(
        select(ContactTest)
        .where(ContactTest.contact_id == contact_id, ContactTest.expires_at > now)
        .order_by(ContactTest.id.desc())
        .limit(1)
    )


def reminder_told_by(
    session: Session, delivery: Delivery
) -> tuple[Reminder, ReminderLink | None] | None:
    """Return what a message to a patient reminded of, and the link it carried."""
    if delivery.subject_id is None or delivery.account_id is not None:
        return None
    reminder = session.get(Reminder, delivery.subject_id)
    if reminder is None or reminder.patient_id != delivery.patient_id:
        return None
    link = session.scalar(
        select(ReminderLink).where(
            ReminderLink.delivery_id == delivery.id,
            ReminderLink.reminder_id == reminder.id,
        )
    )
    return reminder, link


def delivery_by_reference(
    session: Session, reference: str, delivery_id: int | None
) -> Delivery | None:
    """Return the message a provider names by its own reference, or we by our id."""
    found = session.scalar(
        select(Delivery).where(Delivery.provider_ref == reference).limit(1)
    )
    if found is None and delivery_id is not None:
        # It may tell what became of a message before we wrote down its reference.
        found = session.get(Delivery, delivery_id)
    return found


def was_heard_of(session: Session, delivery: Delivery) -> bool:
    """Say whether somebody opened or answered a message, or a later one there."""
    found = session.scalar(
        select(Delivery.id)
        .where(
            or_(
                Delivery.id == delivery.id,
                and_(
                    Delivery.contact_id == delivery.contact_id,
                    Delivery.created_at >= delivery.created_at,
                ),
            ),
            or_(Delivery.opened_at.is_not(None), Delivery.answered_at.is_not(None)),
        )
        .limit(1)
    )
    return found is not None


def unseen_browsers(
    session: Session, *, now: datetime, limit: int
) -> Sequence[tuple[ContactPoint, Delivery]]:
    """Return the browsers that showed nothing of their last three, and the newest.

    Each message was taken over two minutes ago or more: by a push service, or for an
    open page.
    """
    ranked = (
        select(
            Delivery.id,
            Delivery.contact_id,
            Delivery.delivered_at,
            func.row_number()
            .over(partition_by=Delivery.contact_id, order_by=Delivery.id.desc())
            .label("place"),
        )
        .join(ContactPoint, ContactPoint.id == Delivery.contact_id)
        .where(
            ContactPoint.channel.in_((PUSH, OPEN_PAGE)),
            ContactPoint.state.in_((ACTIVE, UNPROVEN)),
            Delivery.accepted_at <= now - SHOWN_WITHIN,
            Delivery.created_at > now - REPLY_LIFE,
        )
        .subquery()
    )
    unseen = (
        select(ranked.c.contact_id, func.max(ranked.c.id).label("newest"))
        .where(ranked.c.place <= UNSEEN_ALLOWED, ranked.c.delivered_at.is_(None))
        .group_by(ranked.c.contact_id)
        .having(func.count() == UNSEEN_ALLOWED)
        .limit(limit)
        .subquery()
    )
    rows = session.execute(
        select(ContactPoint, Delivery)
        .join(unseen, unseen.c.contact_id == ContactPoint.id)
        .join(Delivery, Delivery.id == unseen.c.newest)
    )
    return [(contact, delivery) for contact, delivery in rows]
