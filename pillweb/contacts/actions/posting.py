"""Messages to somebody are put into the outbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.contacts.models import ContactPoint, ContactTest, StopLink
from pillweb.contacts.rules import (
    TEST_LIFE,
    Person,
    Point,
)
from pillweb.outbox.actions.posting import post_delivery

CONTACT_TEST = "contact_test"


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
