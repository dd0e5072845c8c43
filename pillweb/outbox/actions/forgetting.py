"""What was kept of messages, and is no longer needed."""

from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from pillweb.base.db import Base
from pillweb.base.retention import MESSAGES, NOTES, WORDS, kept_for
from pillweb.channels.live import LiveNote
from pillweb.outbox.models import DEAD, Canary, Delivery

_UNSYNCHRONISED = {"synchronize_session": False}


def forget_deliveries(session: Session, *, now: datetime, limit: int) -> int:
    """Delete up to `limit` old messages, and what belongs to none any more.

    What failed keeps its words for a month, and everything else of it for three
    (domain 6). Returns how many messages were deleted.
    """
    old = session.scalars(
        select(Delivery.id)
        .where(
            Delivery.created_at <= now - kept_for(MESSAGES),
            Delivery.state.not_in(("pending", "leased")),
        )
        .order_by(Delivery.id)
        .limit(limit)
    ).all()
    _delete(session, Delivery, Delivery.id.in_(old))
    session.execute(
        update(Delivery)
        .where(
            text(DEAD),
            Delivery.context.is_not(None),
            Delivery.created_at <= now - kept_for(WORDS),
        )
        .values(context=None),
        execution_options=_UNSYNCHRONISED,
    )
    _delete(session, LiveNote, LiveNote.expires_at <= now - kept_for(NOTES))
    _delete(session, Canary, Canary.sent_at <= now - kept_for(NOTES))
    return len(old)


def _delete(session: Session, row: type[Base], which: object) -> None:
    session.execute(
        delete(row).where(which),  # type: ignore[arg-type]
        execution_options=_UNSYNCHRONISED,
    )
