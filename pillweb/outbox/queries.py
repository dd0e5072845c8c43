"""Questions to the outbox."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from pillweb.base.db import ask, table_of
from pillweb.base.i18n import Speech, gettext_noop, speaking
from pillweb.base.i18n import gettext as _
from pillweb.base.render import render_mail
from pillweb.base.retention import MESSAGES, NOTES, WORDS, kept_for
from pillweb.channels import Answer, Attachment, Message, voice
from pillweb.channels.live import LiveNote
from pillweb.outbox.models import DEAD, WAITING, Breaker, Canary, Delivery
from pillweb.outbox.rules import (
    HOW,
    SPEECH,
    Health,
    Leased,
)

# The words on the buttons of a message.
ANSWERS = {
    "taken": gettext_noop("Taken"),
    "later": gettext_noop("In 10 minutes"),
    "skip": gettext_noop("Not taking it"),
}
HOUR = timedelta(hours=1)
_DELIVERY, _BREAKER = table_of(Delivery).c, table_of(Breaker).c
# As the index has it, or it would not be used.
_due = (text(WAITING), _DELIVERY.next_at <= bindparam("at"))
_OLDEST = select(func.min(_DELIVERY.next_at)).where(*_due)
_CHANNELS = select(_DELIVERY.channel).where(*_due).distinct()
_HEALTH = select(
    _BREAKER.failures, _BREAKER.failing_since, _BREAKER.retry_at, _BREAKER.last_error
).where(_BREAKER.channel == bindparam("by"))
_HEALTH_LOCKED = _HEALTH.with_for_update()


def oldest_waiting(session: Session, *, now: datetime) -> datetime | None:
    """Return since when the oldest message is due and unsent; None when all are."""
    since: datetime | None = ask(session, _OLDEST, {"at": now}).scalar()
    return since


def due_channels(session: Session, *, now: datetime) -> set[str]:
    """Return the channels by which something is to leave now."""
    return set(ask(session, _CHANNELS, {"at": now}).scalars())


def oldest_forgettable(session: Session, *, now: datetime) -> datetime | None:
    """Return since when something of the outbox is older than it is kept."""
    # Ids go up with time.
    first = select(Delivery.created_at).order_by(Delivery.id).limit(1)
    words = select(func.min(Delivery.created_at)).where(
        text(DEAD), Delivery.context.is_not(None)
    )
    found: list[tuple[datetime | None, timedelta]] = [
        (session.scalar(first), kept_for(MESSAGES)),
        (session.scalar(words), kept_for(WORDS)),
        (session.scalar(select(func.min(Canary.sent_at))), kept_for(NOTES)),
        (session.scalar(select(func.min(LiveNote.expires_at))), kept_for(NOTES)),
    ]
    over = [at + kept_for for at, kept_for in found if at is not None]
    return min((at for at in over if at <= now), default=None)


def health_of(session: Session, channel: str, *, locked: bool = False) -> Health:
    """Return how the provider of a channel does."""
    statement = _HEALTH_LOCKED if locked else _HEALTH
    row = ask(session, statement, {"by": channel}).first()
    return Health(*row) if row else Health()


def states_of(session: Session, keys: Collection[str]) -> dict[str, str]:
    """Return the states of the messages with these dedupe keys."""
    rows = session.execute(
        select(Delivery.dedupe_key, Delivery.state).where(Delivery.dedupe_key.in_(keys))
    )
    return {row.dedupe_key: row.state for row in rows}


def was_accepted(
    session: Session, *, kind: str, patient_id: int, subject_id: int
) -> bool:
    """Say whether the provider took over any message of this kind and subject."""
    found = session.scalar(
        select(Delivery.id)
        .where(
            Delivery.patient_id == patient_id,
            Delivery.kind == kind,
            Delivery.subject_id == subject_id,
            Delivery.accepted_at.is_not(None),
        )
        .limit(1)
    )
    return found is not None


def compose_message(
    delivery: Delivery | Leased,
    *,
    now: datetime | None = None,
    attachments: Sequence[Attachment] = (),
) -> Message:
    """Return the words of a delivery in its reader's language, from its templates.

    It is worth delivering from `now` on until it expires.
    """
    context = json.loads(delivery.context or "{}")
    speech = Speech(*context.pop(SPEECH, ()))
    if delivery.channel == voice.NAME:
        speech = voice.spoken(speech)
    how = context.pop(HOW, {})
    context |= {
        "lang": speech.language,
        "dir": speech.direction,
        "stop_url": how.get("stop_url", ""),
    }
    with speaking(speech):
        words = render_mail(delivery.kind, context)
        answers = tuple(
            Answer(verb, _(ANSWERS[verb]), url)
            for verb, url in how.get("answers", {}).items()
        )
    lasts = delivery.expires_at - now if now else HOUR
    return Message(
        key=delivery.dedupe_key,
        recipient=delivery.recipient,
        subject=words.subject,
        text=words.text,
        html=words.html,
        short=words.short,
        key_words=words.key_words,
        link=context.get("link", ""),
        topic=f"{delivery.kind}:{delivery.subject_id or delivery.id}",
        language=speech.language,
        answers=answers,
        attachments=tuple(attachments),
        stop_url=how.get("stop_url", ""),
        delivery_id=delivery.id,
        lasts_s=max(0, int(lasts.total_seconds())),
        is_silent=how.get("is_silent", False),
        is_urgent=how.get("is_urgent", False),
    )
