"""What happens to addresses: added, proven, used, lost."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.db import ask, insert_new, table_of
from pillweb.base.i18n import Speech, speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.contacts.models import ContactPoint, ContactTest, StopLink
from pillweb.contacts.queries import (
    accounts_to_tell,
    address_index,
    patients_to_tell,
)
from pillweb.contacts.rules import (
    ACTIVE,
    FAILING,
    FAILURES_ALLOWED,
    GONE,
    TEST_LIFE,
    UNPROVEN,
    Person,
    Point,
    points_beside,
)
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.queries import states_of
from pillweb.outbox.rules import HOW, REACHING, SPEECH, Leased
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at

CONTACT_TEST = "contact_test"
_POINT = table_of(ContactPoint).c
_ARRIVED = (
    update(table_of(ContactPoint))
    .where(_POINT.id == bindparam("which"), _POINT.failures == 0)
    .values(last_ok_at=bindparam("at"))
    .execution_options(preserve_rowcount=True)
)


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

    What was stopped or gone begins anew, unproven.
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
            ContactPoint.patient_id == patient_id
            if patient_id
            else ContactPoint.account_id == account_id,
            ContactPoint.channel == channel,
            ContactPoint.address_index == index,
        )
        .execution_options(populate_existing=True)
    ).one()
    if kept.state in {GONE, "stopped"}:
        kept.state, kept.failures, kept.last_error = UNPROVEN, 0, None
    return kept


def replace_email(
    session: Session, patient_id: int, *, email: str, now: datetime
) -> ContactPoint:
    """Remind a patient at this e-mail address, and by mail nowhere else."""
    kept = add_contact(
        session, channel="email", address=email, patient_id=patient_id, now=now
    )
    session.execute(
        delete(ContactPoint).where(
            ContactPoint.patient_id == patient_id,
            ContactPoint.channel == "email",
            ContactPoint.id != kept.id,
        )
    )
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
    owners = select(ContactPoint.account_id).where(ContactPoint.channel == "email")
    unknown = select(Account).where(
        Account.id.in_(account_ids),
        Account.id.not_in(owners.where(ContactPoint.account_id.is_not(None))),
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
        context={"first_name": person.name, "link": link(f"/m/{token}")},
        now=now,
        expires_at=test.expires_at,
    )
    return test


def answer_contact_test(session: Session, test: ContactTest, *, now: datetime) -> None:
    """Note that a test arrived, and so that its address works; twice changes nothing.

    Who is reached again is no longer out of reach.
    """
    test.answered_at = test.answered_at or now
    contact = session.get_one(ContactPoint, test.contact_id, with_for_update=True)
    if contact.state in {UNPROVEN, FAILING}:
        contact.state, contact.failures = ACTIVE, 0
    contact.proven_at = contact.proven_at or now
    contact.last_ok_at = now


def post_message(
    session: Session,
    person: Person,
    point: Point,
    *,
    kind: str,
    about: str,
    context: Mapping[str, Any],
    now: datetime,
    step: int = 0,
    answers: Mapping[str, str] | None = None,
    due_at: datetime | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    patient_id: int | None = None,
    subject_id: int | None = None,
    is_silent: bool = False,
    is_urgent: bool = False,
) -> int | None:
    """Put one message to one address into the outbox; return its id where it is new.

    `about`, person, channel and step make it one message however often it is posted.
    `answers` are addresses to POST to, by verb (taken, later, skip). An address that
    got too much lately gets nothing more now: the row says so (suppressed, storm).
    """
    how = {
        "answers": dict(answers or {}),
        "is_silent": is_silent,
        "is_urgent": is_urgent,
        "stop_url": link(f"/u/{stop_token(session, point.id)}"),
    }
    with speaking(person.speech):
        return post_delivery(
            session,
            kind=kind,
            channel=point.channel,
            recipient=point.address,
            dedupe_key=f"{kind}:{about}:{person.key}:{point.id}:{step}",
            context=dict(context),
            how=how,
            now=now,
            due_at=due_at,
            not_before=not_before,
            expires_at=expires_at,
            patient_id=patient_id or person.patient_id,
            subject_id=subject_id,
            contact_id=point.id,
            account_id=person.account_id,
            suppressed="storm" if point.is_flooded else None,
        )


def stop_token(session: Session, contact_id: int) -> str:
    """Return the secret by which messages to an address are stopped; one for ever."""
    kept = session.get(StopLink, contact_id)
    if kept is None:
        token = new_token()
        row = {
            "contact_id": contact_id,
            "token": token,
            "token_hash": token_hash(token),
        }
        insert_new(session, StopLink, [row])
        kept = session.get_one(StopLink, contact_id)
    return kept.token


def note_arrival(session: Session, contact_id: int, *, now: datetime) -> None:
    """Note that a provider took a message for this address over."""
    session.execute(
        update(ContactPoint)
        .where(ContactPoint.id == contact_id)
        .values(last_ok_at=now, failures=0, last_error=None),
        execution_options={"synchronize_session": False},
    )


def note_failure(
    session: Session, contact_id: int, *, error: str, permanent: bool, now: datetime
) -> None:
    """Note that a message did not arrive; a dead address is gone, three fail it."""
    contact = session.get(ContactPoint, contact_id, with_for_update=True)
    if contact is None:
        return
    contact.failures += 1
    contact.failed_at, contact.last_error = now, error
    if permanent:
        contact.state = GONE
    elif contact.failures >= FAILURES_ALLOWED and contact.state == ACTIVE:
        contact.state = FAILING


def note_arrivals(
    session: Session, contact_ids: Collection[int], *, now: datetime
) -> None:
    """Note that providers took messages for these addresses over.

    In the order of their ids: two who note the same ones never wait for each other.
    """
    if not contact_ids:
        return
    ids = sorted(set(contact_ids))
    well = ask(session, _ARRIVED, [{"which": one, "at": now} for one in ids]).rowcount
    if well == len(ids):
        return
    ailing = session.scalars(
        select(ContactPoint.id)
        .where(ContactPoint.id.in_(ids), ContactPoint.failures > 0)
        .order_by(ContactPoint.id)
    ).all()
    for one in ailing:
        note_arrival(session, one, now=now)


def fall_back(
    session: Session, failed: Sequence[Leased], *, now: datetime
) -> dict[int, int]:
    """Let messages that did not arrive go by the next channel of whom they are for.

    Returns the new delivery of each old one. There is none for somebody who has no
    other channel, or whom the same message reached, or still tries to, by one.
    """
    # Of two that fail at once by two channels, the second must see that the first did.
    session.execute(
        select(Patient.id)
        .where(Patient.id.in_({one.patient_id for one in failed}))
        .order_by(Patient.id)
        .with_for_update(key_share=True)
    )
    patient_ids = {one.patient_id or 0 for one in failed if not one.account_id}
    account_ids = {one.account_id for one in failed if one.account_id}
    told: dict[str, Person] = {}
    for person in patients_to_tell(session, patient_ids, now=now).values():
        told[person.key] = person
    helpers = accounts_to_tell(
        session, account_ids, zone="Etc/UTC", language="en", now=now
    )
    for person in helpers.values():
        told[person.key] = person
    followed = {}
    for one in failed:
        key = f"a{one.account_id}" if one.account_id else f"p{one.patient_id}"
        if one.contact_id and one.context and one.expires_at > now and key in told:
            posted = _post_beside(session, one, told[key], now=now)
            if posted is not None:
                followed[one.id] = posted
    return followed


def _post_beside(
    session: Session, failed: Leased, person: Person, *, now: datetime
) -> int | None:
    points = points_beside(person, failed.kind, failed=failed.contact_id or 0)
    head, _person, _point, step = failed.dedupe_key.rsplit(":", 3)
    keys = {point.id: f"{head}:{person.key}:{point.id}:{step}" for point in points}
    states = states_of(session, keys.values())
    context = json.loads(failed.context or "{}")
    how = context.pop(HOW, {})
    speech = Speech(*context.pop(SPEECH, ()))
    for point in points:
        state = states.get(keys[point.id])
        if state in REACHING:
            return None
        if state is None:
            return post_message(
                session,
                replace(person, speech=speech),
                point,
                kind=failed.kind,
                about=head.removeprefix(f"{failed.kind}:"),
                context=context,
                now=now,
                step=int(step),
                answers=how.get("answers"),
                due_at=failed.due_at,
                expires_at=failed.expires_at,
                patient_id=failed.patient_id,
                subject_id=failed.subject_id,
                is_silent=how.get("is_silent", False),
                is_urgent=how.get("is_urgent", False),
            )
    return None
