"""What became of a message is noted at its address, and followed by another."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, bindparam, case, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import ask, table_of
from pillweb.base.i18n import Speech
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.actions.reach import look_at_reach, note_reach
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import (
    accounts_to_tell,
    patients_to_tell,
)
from pillweb.contacts.rules import (
    ACTIVE,
    FAILING,
    FAILURES_ALLOWED,
    GONE,
    STOPPED,
    UNSEEN,
    Person,
    points_beside,
)
from pillweb.outbox.queries import states_of
from pillweb.outbox.rules import HOW, REACHING, SPEECH, Leased
from pillweb.patients.models import Patient

# What failed without a failed send (nobody saw it) is not mended by one more send.
_UNSENT = and_(ContactPoint.state == FAILING, ContactPoint.failures > 0)
_AFTER_ARRIVAL = case((_UNSENT, ACTIVE), else_=ContactPoint.state)
_POINT = table_of(ContactPoint).c
_ARRIVED = (
    update(table_of(ContactPoint))
    .where(_POINT.id == bindparam("which"), _POINT.failures == 0)
    .values(last_ok_at=bindparam("at"))
    .execution_options(preserve_rowcount=True)
)


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


def note_seen(session: Session, contact: ContactPoint, *, now: datetime) -> None:
    """Note that a browser showed something; one that seemed lost works again."""
    if contact.state == FAILING and contact.last_error == UNSEEN:
        contact.state, contact.last_error = ACTIVE, None
        look_at_reach(session, contact, now=now)


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
    look_at_reach(session, contact, now=now)


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
