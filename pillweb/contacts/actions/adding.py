"""Addresses are added."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.db import insert_new
from pillweb.base.sealed import sealed_rows
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import (
    accounts_to_tell,
    address_index,
    contacts_of,
    owned,
)
from pillweb.contacts.rules import (
    ACTIVE,
    STOPPED,
    UNPROVEN,
    Owner,
    Person,
)
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at
from pillweb.sharing.queries.access import still_helping


def add_contact(
    session: Session,
    *,
    channel: str,
    address: str,
    patient_id: int | None = None,
    account_id: int | None = None,
    rank: int = 1,
    is_proven: bool = False,
    now: datetime,
) -> ContactPoint:
    """Reach a patient or an account here, too; an address they have stays one.

    What was stopped begins anew, proven if it was.
    """
    index = address_index(channel, address)
    row = {
        "patient_id": patient_id,
        "account_id": account_id,
        "channel": channel,
        "address": address,
        "address_index": index,
        "rank": rank,
        "state": ACTIVE if is_proven else UNPROVEN,
        "created_at": now,
        "proven_at": now if is_proven else None,
        "failures": 0,
    }
    insert_new(session, ContactPoint, sealed_rows(session, ContactPoint, [row]))
    kept = session.scalars(
        select(ContactPoint)
        .where(
            owned(ContactPoint, Owner(patient_id, account_id)),
            ContactPoint.channel == channel,
            ContactPoint.address_index == index,
        )
        .execution_options(populate_existing=True)
    ).one()
    begin_anew(kept)
    return kept


def begin_anew(contact: ContactPoint) -> None:
    """Use an address that was stopped again; any other stays as it is."""
    if contact.state == STOPPED:
        contact.state = ACTIVE if contact.proven_at else UNPROVEN
        contact.failures, contact.last_error = 0, None


def replace_email(
    session: Session, patient_id: int, *, email: str, now: datetime
) -> ContactPoint:
    """Remind a patient at this e-mail address, and by mail nowhere else.

    An address that was once answered from is stopped, not forgotten. What waits for it
    goes to the new one when it is to leave.
    """
    kept = add_contact(
        session, channel="email", address=email, patient_id=patient_id, now=now
    )
    for other in contacts_of(session, Owner(patient_id=patient_id)):
        if other.channel != "email" or other is kept:
            continue
        if other.proven_at is None:
            session.delete(other)
        else:
            other.state = STOPPED
    return kept


def add_own_contact(session: Session, account: Account, *, now: datetime) -> None:
    """Reach an account at the address it signs in with, which it has answered from."""
    add_contact(
        session,
        channel="email",
        address=account.email,
        account_id=account.id,
        is_proven=account.confirmed_at is not None,
        now=now,
    )


def helpers_to_tell(
    session: Session, patient_id: int, account_ids: Collection[int], *, now: datetime
) -> Mapping[int, Person]:
    """Return how these accounts are told of a patient, by id.

    Whoever may not look any more is left out, and nobody is told names of medicines who
    may not see them. Each has one address at least. Who told
    nothing of themselves lives by the patient's clock and reads the patient's language.
    """
    helping = still_helping(session, patient_id, account_ids, now=now)
    # Who took their last address away is left alone: it is stopped, not gone.
    unknown = select(Account).where(
        Account.id.in_(helping),
        ~exists().where(ContactPoint.account_id == Account.id),
    )
    for account in session.scalars(unknown).all():
        add_own_contact(session, account, now=now)
    patient = session.get_one(Patient, patient_id)
    people = accounts_to_tell(
        session,
        helping,
        zone=zone_at(session, patient_id, at=now),
        language=patient.language,
        now=now,
    )
    return {
        account_id: person if helping[account_id] else _without_names(person)
        for account_id, person in people.items()
    }


def _without_names(person: Person) -> Person:
    return replace(person, wishes=replace(person.wishes, shows_names=False))
