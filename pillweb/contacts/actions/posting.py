"""Messages to somebody are put into the outbox."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pillweb.base.db import ask, insert_new
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.sealed import sealed_rows
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.turns import take_turns_about
from pillweb.contacts.models import ContactPoint, ContactTest, StopLink
from pillweb.contacts.queries import sent_lately
from pillweb.contacts.rules import CONTACT_TEST, STORM, TEST_LIFE, Person, Point
from pillweb.outbox.actions.posting import (
    Facts,
    delivery_row,
    post_deliveries,
    post_delivery,
)
from pillweb.outbox.models import Incident

# Who posts to these takes turns (`base.turns.take_turns_about`).
HELPERS = 1
_STOP_TOKENS = select(StopLink.contact_id, StopLink.token).where(
    StopLink.contact_id.in_(bindparam("ids", expanding=True))
)


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
    if point.is_flooded:
        _note_storms(session, {person.key}, now=now)
    with speaking(person.speech):
        return post_delivery(session, **facts)


def post_messages(
    session: Session, posts: Sequence[Post], *, now: datetime
) -> dict[str, int]:
    """Put many messages into the outbox; return the ids of the new ones by their key.

    As `post_message`, in a few statements. The caller holds rows by which nobody else
    posts the same meanwhile; it calls this once, and locks nothing after that.
    """
    lately = _sent_to_helpers(session, posts, now=now)
    tokens = stop_tokens(session, {post.point.id for post in posts})
    these: Counter[int] = Counter()
    stormed: set[str] = set()
    rows = []
    # Where there are too many, it is not the urgent ones that wait.
    for post in sorted(posts, key=lambda one: not one.is_urgent):
        point = post.point
        before = point.last_minute, point.last_hour
        minute, hour = lately.get(point.id, before)
        with_these = replace(
            point,
            last_minute=minute + these[point.id],
            last_hour=hour + these[point.id],
        )
        these[point.id] += not with_these.is_flooded
        if with_these.is_flooded:
            stormed.add(post.person.key)
        facts = _row_of(
            post, tokens[point.id], is_flooded=with_these.is_flooded, now=now
        )
        with speaking(post.person.speech):
            rows.append(delivery_row(**facts))
    _note_storms(session, stormed, now=now)
    return post_deliveries(session, rows)


def _sent_to_helpers(
    session: Session, posts: Sequence[Post], *, now: datetime
) -> dict[int, tuple[int, int]]:
    """Return what the addresses of helpers got lately, counting what others post now.

    Two who post for two patients of one helper take turns: what the first posted is
    counted by the second.
    """
    to_helpers = [post for post in posts if post.person.account_id]
    if not to_helpers:
        return {}
    helpers = {post.person.account_id or 0 for post in to_helpers}
    take_turns_about(session, HELPERS, helpers)
    return sent_lately(session, {post.point.id for post in to_helpers}, now=now)


def _note_storms(session: Session, keys: Collection[str], *, now: datetime) -> None:
    rows = [{"kind": STORM, "about": key, "opened_at": now} for key in sorted(keys)]
    insert_new(session, Incident, rows)


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
    insert_new(session, StopLink, sealed_rows(session, StopLink, rows))
    return kept | _kept_stop_tokens(session, missing)


def _kept_stop_tokens(session: Session, contact_ids: Collection[int]) -> dict[int, str]:
    rows = ask(session, _STOP_TOKENS, {"ids": list(contact_ids)})
    return {row.contact_id: row.token for row in rows}


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
