"""Sends what is in the outbox: claim, send, settle; a crash between loses nothing."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.log import log
from pillweb.channels import Attachment, Message, Send, SendError
from pillweb.channels.email import open_channel
from pillweb.contacts.rules import DAY, WEEK, WELL
from pillweb.digests.queries import is_digest_wanted
from pillweb.outbox.actions import (
    begin_attempt,
    cancel_delivery,
    claim_deliveries,
    release_deliveries,
    settle_delivery,
)
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message, oldest_waiting
from pillweb.outbox.rules import LEASE, SEND_LIMIT
from pillweb.reminders.queries.waiting import still_wanted
from pillweb.reminders.rules.course import DOSE_ALERT, DOSE_DUE
from pillweb.reports.queries import report_attachments

BATCH = 20
# Well under the time RQ gives this job: cut off in a send, that would count as a crash.
RUN_FOR_S = 60.0

# What must still be true of a message's subject when it is about to leave.
STILL_WANTED: dict[str, Callable[[Session, int | None], bool]] = {
    "day_digest": partial(is_digest_wanted, group=DAY),
    "all_well": partial(is_digest_wanted, group=WELL),
    "week_digest": partial(is_digest_wanted, group=WEEK),
}
# Of these it is asked by the doses they are about.
OF_DOSES = frozenset({DOSE_DUE, DOSE_ALERT})
# What goes with a message.
ATTACHMENTS: dict[str, Callable[[Session, int | None], list[Attachment]]] = {
    "report": report_attachments,
}

Claimed = tuple[Delivery, Message]


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a message waits to be sent."""
    return oldest_waiting(session, now=now)


def run() -> int:
    """Send everything due; return how many messages the provider took over."""
    accepted = 0
    began = time.monotonic()
    with open_channel() as send:
        while time.monotonic() - began < RUN_FOR_S:
            leased = time.monotonic()
            claimed, more = claim_some()
            for number, (delivery, message) in enumerate(claimed):
                left = LEASE.total_seconds() - (time.monotonic() - leased)
                if left < SEND_LIMIT.total_seconds():
                    release_rest([unsent for unsent, _ in claimed[number:]])
                    break
                accepted += send_one(send, delivery, message)
            if not more:
                break
    return accepted


def claim_some() -> tuple[list[Claimed], bool]:
    """Lease due messages; return those with words, and whether there were any."""
    with transaction() as (session, now):
        deliveries = claim_deliveries(session, now=now, limit=BATCH)
        composed = [(d, _compose(session, d, now=now)) for d in deliveries]
    claimed = [(d, message) for d, message in composed if message is not None]
    return claimed, bool(deliveries)


def release_rest(unsent: Sequence[Delivery]) -> None:
    """Give back what there was no time for."""
    with transaction() as (session, _):
        release_deliveries(session, unsent)


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


def _may_leave(delivery: Delivery) -> bool:
    """Open an attempt, unless the message is no longer wanted or no longer ours."""
    wanted = STILL_WANTED.get(delivery.kind)
    is_of_doses = delivery.kind in OF_DOSES
    with transaction() as (session, now):
        if (wanted and not wanted(session, delivery.subject_id)) or (
            is_of_doses and not still_wanted(session, [delivery.id], now=now)
        ):
            cancel_delivery(session, delivery)
            return False
        return begin_attempt(session, delivery, now=now)


def send_one(send: Send, delivery: Delivery, message: Message) -> bool:
    """Hand one message to the provider and write how that ended."""
    if not _may_leave(delivery):
        return False
    reference, error, permanent = None, None, False
    try:
        reference = send(message).reference
    except SendError as failure:
        error, permanent = failure.code, failure.permanent
    with transaction() as (session, now):
        ours = settle_delivery(
            session,
            delivery_id=delivery.id,
            lease_id=delivery.lease_id or "",
            now=now,
            provider_ref=reference,
            error=error,
            permanent=permanent,
        )
    log.info("message_settled", delivery=delivery.id, error=error, ours=ours)
    return error is None
