"""Messages about doses are posted: each told once of a dose at a step, by its rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from pillweb.base.db import ask, insert_new_from, table_of
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.contacts.actions.posting import Post, post_messages
from pillweb.contacts.rules import Person, Point
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import DeliveryDose, ReminderLink
from pillweb.reminders.queries.buttons import answer_urls
from pillweb.reminders.rules.course import DueDose
from pillweb.reminders.rules.lateness import LINK_LIFE

A_MINUTE_S = 60
_KEEP_DOSES = insert(table_of(DeliveryDose))
_MOVED_NAMES = ("dose_id", "recipient", "kind", "step")
_MOVED = [table_of(DeliveryDose).c[name] for name in _MOVED_NAMES]
_KEEP_LINKS = insert(table_of(ReminderLink))


class ToldDose(NamedTuple):
    """A dose as far as a message about it asks."""

    id: int
    reminder_id: int
    due_at: datetime


class Draft(NamedTuple):
    """One message about doses, to all the addresses that were chosen.

    `doses` are each with its step. `path` is where its link leads, ending in a slash
    where a secret follows that answers the first dose's reminder. It does not leave
    before `not_before`.
    """

    person: Person
    points: Sequence[Point]
    kind: str
    doses: Sequence[tuple[DueDose | ToldDose, int]]
    patient_id: int
    context: Mapping[str, Any]
    path: str
    due_at: datetime
    not_before: datetime | None = None
    expires_at: datetime | None = None
    is_silent: bool = False
    is_urgent: bool = False

    @property
    def about(self) -> str:
        """What the message is known by: its first dose, at the time it is due.

        The time, so that a dose that is moved after it was told is told again.
        """
        first = self.doses[0][0]
        return f"{first.id}.{int(first.due_at.timestamp()) // A_MINUTE_S}"


def post_drafts(session: Session, drafts: Sequence[Draft], *, now: datetime) -> None:
    """Put messages about doses into the outbox, with what each is about and its link.

    The caller holds the patients, and looked what was told already; the rules of the
    tables are what makes it certain.
    """
    made = [(draft, point, new_token()) for draft in drafts for point in draft.points]
    posts = [_post(draft, point, token) for draft, point, token in made]
    ids = post_messages(session, posts, now=now)
    rows, links = [], []
    for (draft, point, token), post in zip(made, posts, strict=True):
        delivery_id = ids.get(post.key)
        if delivery_id is None:
            continue
        rows += _rows_of(draft, point, delivery_id)
        if draft.path.endswith("/"):
            links.append(_link_row(draft, point, token, delivery_id, now=now))
    if rows:
        ask(session, _KEEP_DOSES, rows)
    if links:
        ask(session, _KEEP_LINKS, links)


def _post(draft: Draft, point: Point, token: str) -> Post:
    path = draft.path + token if draft.path.endswith("/") else draft.path
    first, step = draft.doses[0]
    return Post(
        person=draft.person,
        point=point,
        kind=draft.kind,
        about=draft.about,
        step=step,
        context={**draft.context, "link": link(path)},
        answers=answer_urls(token, point.channel) if draft.path == "/t/" else None,
        due_at=draft.due_at,
        not_before=draft.not_before,
        expires_at=draft.expires_at,
        patient_id=draft.patient_id,
        subject_id=first.reminder_id,
        is_silent=draft.is_silent,
        is_urgent=draft.is_urgent,
    )


def _rows_of(draft: Draft, point: Point, delivery_id: int) -> list[dict[str, Any]]:
    return [
        {
            "delivery_id": delivery_id,
            "dose_id": dose.id,
            "recipient": draft.person.key,
            "channel": point.channel,
            "kind": draft.kind,
            "step": step,
            "contact_id": point.id,
        }
        for dose, step in draft.doses
    ]


def _link_row(
    draft: Draft, point: Point, token: str, delivery_id: int, *, now: datetime
) -> dict[str, Any]:
    first = draft.doses[0][0]
    begins_at = now if draft.person.account_id else first.due_at
    return {
        "reminder_id": first.reminder_id,
        "patient_id": draft.patient_id,
        "delivery_id": delivery_id,
        "account_id": draft.person.account_id,
        "channel": point.channel,
        "token_hash": token_hash(token),
        "created_at": now,
        "expires_at": begins_at + LINK_LIFE,
    }


def follow_deliveries(session: Session, followed: Mapping[int, int]) -> None:
    """Let messages that went by another channel be about what the first ones were.

    `followed` names the new delivery of each old one.
    """
    for old, new in followed.items():
        channel = copy_doses(session, old, new)
        session.execute(
            update(ReminderLink)
            .where(ReminderLink.delivery_id == old)
            .values(delivery_id=new, channel=channel),
            execution_options={"synchronize_session": False},
        )


def copy_doses(session: Session, old: int, new: int) -> str:
    """Let a delivery be about the doses of another; return its channel."""
    way = session.execute(
        select(Delivery.channel, Delivery.contact_id).where(Delivery.id == new)
    ).one()
    insert_new_from(
        session,
        DeliveryDose,
        [*_MOVED_NAMES, "delivery_id", "channel", "contact_id"],
        select(
            *_MOVED, literal(new), literal(way.channel), literal(way.contact_id)
        ).where(DeliveryDose.delivery_id == old),
    )
    channel: str = way.channel
    return channel
