"""Questions to the outbox."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.base.i18n import Speech, gettext_noop, speaking
from pillweb.base.i18n import gettext as _
from pillweb.base.render import render_mail
from pillweb.channels import Answer, Attachment, Message
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import HOW, SPEECH

# The words on the buttons of a message.
ANSWERS = {
    "taken": gettext_noop("Taken"),
    "later": gettext_noop("In 10 minutes"),
    "skip": gettext_noop("Not taking it"),
}


def oldest_waiting(session: Session, *, now: datetime) -> datetime | None:
    """Return since when the oldest message is due and unsent; None when all are."""
    since: datetime | None = session.scalar(
        select(func.min(Delivery.next_at)).where(
            Delivery.state == "pending", Delivery.next_at <= now
        )
    )
    broken: datetime | None = session.scalar(
        select(func.min(Delivery.lease_until)).where(
            Delivery.state == "leased", Delivery.lease_until <= now
        )
    )
    return min((at for at in (since, broken) if at), default=None)


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
    delivery: Delivery, *, attachments: Sequence[Attachment] = ()
) -> Message:
    """Return the words of a delivery in its reader's language, from its templates."""
    context = json.loads(delivery.context or "{}")
    speech = Speech(*context.pop(SPEECH, ()))
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
    lasts = delivery.expires_at - delivery.next_at
    return Message(
        key=delivery.dedupe_key,
        recipient=delivery.recipient,
        subject=words.subject,
        text=words.text,
        html=words.html,
        short=words.short,
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
