"""Questions to the outbox."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.base.i18n import Speech, speaking
from pillweb.base.render import render_mail
from pillweb.channels import Attachment, Message
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import SPEECH


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
    how = Speech(*context.pop(SPEECH, ()))
    context |= {"lang": how.language, "dir": how.direction}
    with speaking(how):
        subject, text, html = render_mail(delivery.kind, context)
    return Message(
        key=delivery.dedupe_key,
        recipient=delivery.recipient,
        subject=subject,
        text=text,
        html=html,
        attachments=tuple(attachments),
    )
