"""Sends what is in the outbox: claim, send, settle; a crash between loses nothing."""

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.log import log
from pillweb.channels import Attachment, Message, SendError
from pillweb.channels.email import Send, open_channel
from pillweb.outbox.actions import cancel_delivery, claim_deliveries, settle_delivery
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message, oldest_waiting
from pillweb.outbox.rules import LEASE, SEND_LIMIT
from pillweb.reminders.queries import is_still_wanted
from pillweb.reports.queries import report_attachments

BATCH = 20

# What must still be true of a message's subject when it is about to leave.
STILL_WANTED: dict[str, Callable[[Session, int | None], bool]] = {
    "dose_due": is_still_wanted,
}
# What goes with a message.
ATTACHMENTS: dict[str, Callable[[Session, int | None], list[Attachment]]] = {
    "report": report_attachments,
}

Claimed = tuple[int, str, Message]


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a message waits to be sent."""
    return oldest_waiting(session, now=now)


def run() -> int:
    """Send everything due; return how many messages the provider took over."""
    accepted = 0
    with open_channel() as send:
        while True:
            began = time.monotonic()
            claimed, more = claim_some()
            for delivery_id, lease_id, message in claimed:
                left = LEASE.total_seconds() - (time.monotonic() - began)
                if left < SEND_LIMIT.total_seconds():
                    break
                accepted += send_one(send, delivery_id, lease_id, message)
            if not more:
                return accepted


def claim_some() -> tuple[list[Claimed], bool]:
    """Lease due messages; return those still wanted, and whether there were any."""
    claimed: list[Claimed] = []
    with transaction() as (session, now):
        deliveries = claim_deliveries(session, now=now, limit=BATCH)
        for delivery in deliveries:
            wanted = STILL_WANTED.get(delivery.kind)
            if wanted and not wanted(session, delivery.subject_id):
                cancel_delivery(session, delivery, now=now)
                continue
            message = _compose(session, delivery, now=now)
            if message is not None:
                claimed.append((delivery.id, delivery.lease_id or "", message))
    return claimed, bool(deliveries)


def _compose(session: Session, delivery: Delivery, *, now: datetime) -> Message | None:
    """Return the message, or put aside a row that cannot be worded: others go on."""
    try:
        attach = ATTACHMENTS.get(delivery.kind)
        files = attach(session, delivery.subject_id) if attach else []
        return compose_message(delivery, attachments=files)
    except Exception:  # noqa: BLE001 - one bad row must not stop the others
        log.exception("message_unwordable", delivery=delivery.id, kind=delivery.kind)
        settle_delivery(
            session,
            delivery_id=delivery.id,
            lease_id=delivery.lease_id or "",
            now=now,
            error="unwordable",
            permanent=True,
        )
        return None


def send_one(send: Send, delivery_id: int, lease_id: str, message: Message) -> bool:
    """Hand one message to the provider and write how that ended."""
    reference, error, permanent = None, None, False
    try:
        reference = send(message).reference
    except SendError as failure:
        error, permanent = failure.code, failure.permanent
    with transaction() as (session, now):
        ours = settle_delivery(
            session,
            delivery_id=delivery_id,
            lease_id=lease_id,
            now=now,
            provider_ref=reference,
            error=error,
            permanent=permanent,
        )
    log.info("message_settled", delivery=delivery_id, error=error, ours=ours)
    return error is None
