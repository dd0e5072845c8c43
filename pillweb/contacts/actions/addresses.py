"""What happens to addresses: added, proven, used, lost."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import and_, case, delete, exists, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.db import insert_new
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.models import ContactPoint, ContactTest, Preference
from pillweb.contacts.queries import accounts_to_tell, address_index, contacts_of, owned
from pillweb.contacts.rules import (
    ACTIVE,
    ALERTS,
    FAILING,
    FAILURES_ALLOWED,
    GONE,
    STOPPED,
    TEST_LIFE,
    UNPROVEN,
    Owner,
    Person,
    Point,
    Wishes,
    chosen_points,
    is_reached,
)
from pillweb.outbox.actions import suppress_waiting
from pillweb.patients.models import Patient, Unreachable
from pillweb.patients.queries import zone_at
from pillweb.sharing.queries import answerable_for

CONTACT_TEST = "contact_test"
UNREACHABLE = "unreachable"
# What failed without a failed send (nobody saw it) is not mended by one more send.
_UNSENT = and_(ContactPoint.state == FAILING, ContactPoint.failures > 0)
_AFTER_ARRIVAL = case((_UNSENT, ACTIVE), else_=ContactPoint.state)


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
    insert_new(session, ContactPoint, [row])
    kept = session.scalars(
        select(ContactPoint)
        .where(
            owned(ContactPoint, Owner(patient_id, account_id)),
            ContactPoint.channel == channel,
            ContactPoint.address_index == index,
        )
        .execution_options(populate_existing=True)
    ).one()
    _begin_anew(kept)
    return kept


def _begin_anew(contact: ContactPoint) -> None:
    if contact.state == STOPPED:
        contact.state = ACTIVE if contact.proven_at else UNPROVEN
        contact.failures, contact.last_error = 0, None


def replace_email(
    session: Session, patient_id: int, *, email: str, now: datetime
) -> ContactPoint:
    """Remind a patient at this e-mail address, and by mail nowhere else.

    An address that was once answered from is stopped, not forgotten.
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
        suppress_waiting(session, other.id, reason=STOPPED)
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

    Each has one address at least. Who told nothing of themselves lives by the
    patient's clock and reads the patient's language.
    """
    # Who took their last address away is left alone: it is stopped, not gone.
    unknown = select(Account).where(
        Account.id.in_(account_ids),
        ~exists().where(ContactPoint.account_id == Account.id),
    )
    for account in session.scalars(unknown).all():
        add_own_contact(session, account, now=now)
    patient = session.get_one(Patient, patient_id)
    return accounts_to_tell(
        session,
        account_ids,
        zone=zone_at(session, patient_id, at=now),
        language=patient.language,
        now=now,
    )


def send_contact_test(
    session: Session, contact: ContactPoint, person: Person, *, now: datetime
) -> ContactTest:
    """Send a link to an address, to prove by its answer that messages arrive."""
    token = new_token()
    test = ContactTest(
        contact_id=contact.id,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=now + TEST_LIFE,
    )
    session.add(test)
    session.flush()
    point = Point(contact.id, contact.channel, contact.address, contact.state)
    post_message(
        session,
        person,
        point,
        kind=CONTACT_TEST,
        about=str(test.id),
        context={
            "first_name": person.name,
            "about_others": person.account_id is not None,
            "link": link(f"/m/{token}"),
        },
        now=now,
        expires_at=test.expires_at,
    )
    return test


def answer_contact_test(session: Session, test: ContactTest, *, now: datetime) -> None:
    """Note that a test arrived, and so that its address works; twice changes nothing.

    Who is reached again is no longer out of reach. What was stopped stays so.
    """
    test.answered_at = test.answered_at or now
    contact = session.get_one(ContactPoint, test.contact_id, with_for_update=True)
    if contact.state != STOPPED:
        contact.state, contact.failures, contact.last_error = ACTIVE, 0, None
    contact.proven_at = contact.proven_at or now
    contact.last_ok_at = now
    _look_at_reach(session, contact, now=now)


def note_arrival(session: Session, contact_id: int, *, now: datetime) -> None:
    """Note that a provider took a message for this address over.

    What failed because messages could not be sent works again.
    """
    failed = session.execute(
        update(ContactPoint)
        .where(ContactPoint.id == contact_id)
        .values(
            last_ok_at=now,
            failures=0,
            last_error=None,
            state=_AFTER_ARRIVAL,
        )
        .returning(ContactPoint.patient_id, ContactPoint.failed_at),
        execution_options={"synchronize_session": False},
    ).first()
    if failed is not None and failed.patient_id and failed.failed_at:
        note_reach(session, failed.patient_id, now=now)


def note_failure(
    session: Session, contact_id: int, *, error: str, permanent: bool, now: datetime
) -> None:
    """Note that a message did not arrive; a dead address is gone, three fail it.

    A patient who is now reached nowhere is noted, and who helps is told.
    """
    contact = session.get(ContactPoint, contact_id, with_for_update=True)
    if contact is None:
        return
    contact.failures += 1
    contact.failed_at, contact.last_error = now, error
    if permanent and contact.state != STOPPED:
        contact.state = GONE
    elif contact.failures >= FAILURES_ALLOWED and contact.state == ACTIVE:
        contact.state = FAILING
    _look_at_reach(session, contact, now=now)


def stop_contact(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Send nothing more to an address, nor what waits for it; twice changes nothing."""
    contact.state = STOPPED
    suppress_waiting(session, contact.id, reason=STOPPED)
    _look_at_reach(session, contact, now=now)


def start_contact(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Send to an address again that was stopped; any other stays as it is."""
    _begin_anew(contact)
    _look_at_reach(session, contact, now=now)


def remove_contact(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Forget an address; what waits for it is not sent.

    The last one of an account is only stopped: who has none is written to where they
    sign in.
    """
    owner = Owner(contact.patient_id, contact.account_id)
    if owner.account_id and len(contacts_of(session, owner)) == 1:
        stop_contact(session, contact, now=now)
        return
    suppress_waiting(session, contact.id, reason="removed")
    session.delete(contact)
    _look_at_reach(session, contact, now=now)


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


def _look_at_reach(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    if contact.patient_id is not None:
        note_reach(session, contact.patient_id, now=now)


def note_reach(session: Session, patient_id: int, *, now: datetime) -> None:
    """Note whether reminders reach a patient anywhere; tell who helps, once, if not."""
    # Two last addresses that go at once must see each other.
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    mine = session.execute(
        select(ContactPoint.state, ContactPoint.channel, ContactPoint.address).where(
            ContactPoint.patient_id == patient_id
        )
    ).all()
    if is_reached([one.state for one in mine]):
        session.execute(delete(Unreachable).where(Unreachable.patient_id == patient_id))
        return
    row = {"patient_id": patient_id, "since": now, "told_at": now}
    if insert_new(session, Unreachable, [row]):
        lost = {(one.channel, one.address) for one in mine}
        _tell_unreachable(session, patient, lost, now=now)


def _tell_unreachable(
    session: Session,
    patient: Patient,
    lost: Collection[tuple[str, str]],
    *,
    now: datetime,
) -> None:
    """Tell all who answer for a patient, but not where the patient was just lost."""
    helpers = dict(answerable_for(session, patient.id))
    people = helpers_to_tell(session, patient.id, helpers, now=now)
    for account_id, person in people.items():
        left = [one for one in person.points if (one.channel, one.address) not in lost]
        elsewhere = replace(person, points=tuple(left))
        for point in chosen_points(elsewhere, ALERTS, loudest=1):
            post_message(
                session,
                person,
                point,
                kind=UNREACHABLE,
                about=f"{patient.id}:{now:%Y%m%dT%H%M%S}",
                context={
                    "first_name": person.name,
                    "patient_name": "" if helpers[account_id] else patient.name,
                    "link": link(f"/patients/{patient.id}/today"),
                },
                now=now,
                patient_id=patient.id,
                is_urgent=True,
            )
