"""Addresses are proven, stopped, ordered and forgotten."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.visits import note_answer
from pillweb.contacts.actions.adding import begin_anew
from pillweb.contacts.actions.reach import look_at_reach
from pillweb.contacts.models import ContactPoint, ContactTest, Preference
from pillweb.contacts.queries import (
    contacts_of,
    owned,
)
from pillweb.contacts.rules import (
    ACTIVE,
    FAILING,
    STOPPED,
    Owner,
    Wishes,
)


def answer_contact_test(session: Session, test: ContactTest, *, now: datetime) -> None:
    """Note that a test arrived, and so that its address works; twice changes nothing.

    Who is reached again is no longer out of reach. What was stopped stays so.
    """
    test.answered_at = test.answered_at or now
    contact = session.get_one(ContactPoint, test.contact_id, with_for_update=True)
    note_answer(session, contact.patient_id)
    if contact.state != STOPPED:
        contact.state, contact.failures, contact.last_error = ACTIVE, 0, None
    contact.proven_at = contact.proven_at or now
    contact.last_ok_at = now
    look_at_reach(session, contact, now=now)


def stop_contact(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Send nothing more to an address; twice changes nothing.

    What waits for it goes another way, where there is one, when it is to leave.
    """
    note_answer(session, contact.patient_id)
    contact.state = STOPPED
    look_at_reach(session, contact, now=now)


def start_contact(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Send to an address again that was stopped; any other stays as it is."""
    note_answer(session, contact.patient_id)
    begin_anew(contact)
    look_at_reach(session, contact, now=now)


def remove_contact(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Forget an address; what waits for it goes another way, where there is one.

    The last one of an account is only stopped: who has none is written to where they
    sign in.
    """
    owner = Owner(contact.patient_id, contact.account_id)
    if owner.account_id and len(contacts_of(session, owner)) == 1:
        stop_contact(session, contact, now=now)
        return
    session.delete(contact)
    worked = contact.state in {ACTIVE, FAILING}
    look_at_reach(session, contact, now=now, has_lost=worked)


def put_first(session: Session, contact: ContactPoint) -> None:
    """Let an address be the first of its owner's; the others keep their order."""
    mine = contacts_of(session, Owner(contact.patient_id, contact.account_id))
    for rank, one in enumerate([contact, *(one for one in mine if one != contact)], 1):
        one.rank = rank


def keep_wishes(session: Session, owner: Owner, wishes: Wishes) -> None:
    """Tell somebody as they wish from now on."""
    facts = asdict(wishes)
    insert_new(session, Preference, [owner._asdict() | facts])
    session.execute(update(Preference).where(owned(Preference, owner)).values(facts))
