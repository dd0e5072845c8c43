"""What happens to addresses: added, proven, used, lost."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.db import insert_new
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.contacts.models import ContactPoint, ContactTest, StopLink
from pillweb.contacts.queries import accounts_to_tell, address_index
from pillweb.contacts.rules import (
    ACTIVE,
    FAILING,
    FAILURES_ALLOWED,
    GONE,
    STORM,
    TEST_LIFE,
    UNPROVEN,
    Person,
    Point,
)
from pillweb.outbox.actions import (
    Facts,
    delivery_row,
    post_deliveries,
    post_delivery,
)
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at

CONTACT_TEST = "contact_test"


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


class Manner(TypedDict, total=False):
    """How a message is told, beside its words; as the fields of Post."""

    step: int
    answers: Mapping[str, str] | None
    due_at: datetime | None
    not_before: datetime | None
    expires_at: datetime | None
    patient_id: int | None
    subject_id: int | None
    is_silent: bool
    is_urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message to one address.

    `about`, person, point and step make it one message however often it is posted.
    `answers` are addresses to POST to, by verb (taken, later, skip).
    """

    person: Person
    point: Point
    kind: str
    about: str
    context: Mapping[str, object]
    step: int = 0
    answers: Mapping[str, str] | None = None
    due_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    patient_id: int | None = None
    subject_id: int | None = None
    is_silent: bool = False
    is_urgent: bool = False

    @property
    def key(self) -> str:
        """What is equal in every repeat of the same message."""
        return f"{self.kind}:{self.about}:{self.person.key}:{self.point.id}:{self.step}"


def post_message(
    session: Session,
    person: Person,
    point: Point,
    *,
    kind: str,
    about: str,
    context: Mapping[str, object],
    now: datetime,
    **manner: Unpack[Manner],
) -> int | None:
    """Put one message to one address into the outbox; return its id where it is new.

    An address that got too much lately gets nothing more now: the row says so
    (suppressed, storm).
    """
    post = Post(
        person=person, point=point, kind=kind, about=about, context=context, **manner
    )
    tokens = stop_tokens(session, [point.id])
    facts = _row_of(post, tokens[point.id], is_flooded=point.is_flooded, now=now)
    with speaking(person.speech):
        return post_delivery(session, **facts)


def post_messages(
    session: Session, posts: Sequence[Post], *, now: datetime
) -> dict[str, int]:
    """Put many messages into the outbox; return the ids of the new ones by their key.

    As `post_message`, in a few statements. The caller holds a lock by which nobody
    else posts the same meanwhile.
    """
    tokens = stop_tokens(session, {post.point.id for post in posts})
    lately: Counter[int] = Counter()
    rows = []
    for post in posts:
        point = post.point
        with_these = replace(
            point,
            last_minute=point.last_minute + lately[point.id],
            last_hour=point.last_hour + lately[point.id],
        )
        lately[point.id] += not with_these.is_flooded
        facts = _row_of(
            post, tokens[point.id], is_flooded=with_these.is_flooded, now=now
        )
        with speaking(post.person.speech):
            rows.append(delivery_row(**facts))
    return post_deliveries(session, rows)


def _row_of(post: Post, stop_token: str, *, is_flooded: bool, now: datetime) -> Facts:
    return {
        "kind": post.kind,
        "channel": post.point.channel,
        "recipient": post.point.address,
        "dedupe_key": post.key,
        "context": dict(post.context),
        "how": {
            "answers": dict(post.answers or {}),
            "is_silent": post.is_silent,
            "is_urgent": post.is_urgent,
            "stop_url": link(f"/u/{stop_token}"),
        },
        "now": now,
        "due_at": post.due_at,
        "not_before": post.not_before,
        "expires_at": post.expires_at,
        "patient_id": post.patient_id or post.person.patient_id,
        "subject_id": post.subject_id,
        "contact_id": post.point.id,
        "account_id": post.person.account_id,
        "suppressed": STORM if is_flooded else None,
    }


def stop_tokens(session: Session, contact_ids: Collection[int]) -> dict[int, str]:
    """Return the secrets by which messages to addresses are stopped; one for ever."""
    kept = _kept_stop_tokens(session, contact_ids)
    missing = [contact for contact in contact_ids if contact not in kept]
    if not missing:
        return kept
    rows = []
    for contact in missing:
        token = new_token()
        hashed = token_hash(token)
        rows.append({"contact_id": contact, "token": token, "token_hash": hashed})
    insert_new(session, StopLink, rows)
    return kept | _kept_stop_tokens(session, missing)


def _kept_stop_tokens(session: Session, contact_ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(
        select(StopLink.contact_id, StopLink.token).where(
            StopLink.contact_id.in_(contact_ids)
        )
    )
    return {row.contact_id: row.token for row in rows}


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
