"""The line of messages that one process sends by one channel, one after the other."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.runtime import transaction
from pillweb.base.db import database
from pillweb.base.log import log
from pillweb.channels import Attachment, Send, SendError
from pillweb.contacts.actions.arriving import fall_back, note_arrivals, note_failure
from pillweb.contacts.queries import closed_contacts
from pillweb.contacts.rules import DAY, GONE, WEEK, WELL
from pillweb.digests.queries import digests_wanted
from pillweb.outbox.actions.breaking import heed_provider
from pillweb.outbox.actions.sending import (
    begin_attempts,
    bury_deliveries,
    claim_deliveries,
    close_deliveries,
    release_deliveries,
    settle_deliveries,
    supersede_deliveries,
    withdraw_attempts,
)
from pillweb.outbox.queries import compose_message
from pillweb.outbox.rules import (
    BROKEN,
    LEASE,
    SEND_LIMIT,
    TRIES_OF_ONE_CHANNEL,
    UNWORDABLE,
    Health,
    Leased,
    Sent,
)
from pillweb.reminders.actions.posting import follow_deliveries
from pillweb.reminders.queries.waiting import still_wanted
from pillweb.reports.queries import report_attachments

# As many as leave in this time are begun, and settled, in one commit: a crash repeats
# no more than a moment's messages.
MOMENT_S = 0.1
MOST_AT_ONCE = 2
LATE_EVERY_S = 0.5
# Whole turns, so that no commit is for a remainder.
BATCH = 10 * MOST_AT_ONCE

# Asks which of these deliveries are still to be said, when they are about to leave.
STILL_WANTED: dict[str, Callable[..., set[int]]] = {
    "dose_due": still_wanted,
    "dose_alert": still_wanted,
    "could_not_remind": still_wanted,
    "day_digest": partial(digests_wanted, group=DAY),
    "all_well": partial(digests_wanted, group=WELL),
    "week_digest": partial(digests_wanted, group=WEEK),
}
# What goes with a message.
ATTACHMENTS: dict[str, Callable[[Session, int | None], list[Attachment]]] = {
    "report": report_attachments,
}


def follow(
    session: Session, failed: Sequence[Leased], *, now: datetime
) -> dict[int, int]:
    """Send by another channel what did not arrive; return the new delivery of each."""
    if not failed:
        return {}
    followed = fall_back(session, failed, now=now)
    follow_deliveries(session, followed)
    for old, new in followed.items():
        log.info("message_followed", delivery=old, by=new)
    return followed


@dataclass
class Line:
    """What one process sends by one channel: claimed in batches, sent in order.

    A turn is one commit and what it allows to be sent: it settles what the turn
    before sent, claims when nothing is left, and begins the next few.
    """

    channel: str
    send: Send
    most: int = BATCH
    health: Health = field(default_factory=Health)
    accepted: int = 0
    _queue: deque[Leased] = field(default_factory=deque)
    _sent: list[Sent] = field(default_factory=list)
    _unsent: list[Leased] = field(default_factory=list)
    _leased_s: float = 0.0
    _at_once: int = 1
    _rests: bool = False

    def run(self, *, until: float) -> int:
        """Send until nothing is due or time is over; return how many were accepted."""
        try:
            while time.monotonic() < until and self.turn():
                pass
            with self._settling() as (session, now):
                release_deliveries(session, self._queue, now=now)
        except OperationalError:
            self._settle_late()
            raise
        return self.accepted

    @contextmanager
    def _settling(self) -> Iterator[tuple[Session, datetime]]:
        """Settle what was sent, and whatever else the block does, in one commit."""
        sent, unsent = self._sent, self._unsent
        try:
            with transaction() as (session, now):
                self._settle(session, now=now)
                yield session, now
        except OperationalError:
            self._sent, self._unsent = sent, unsent
            raise

    def _settle_late(self) -> None:
        """Write what was sent as soon as the database is back, while the lease lasts.

        Nobody else knows that the provider took it over.
        """
        while self._sent:
            if time.monotonic() - self._leased_s > LEASE.total_seconds():
                return
            time.sleep(LATE_EVERY_S)
            with suppress(OperationalError), self._settling():
                pass

    def turn(self) -> bool:
        """Send the next few; say whether there may be more."""
        with self._settling() as (session, now):
            if self._rests or not (self._queue or self._claim(session, now=now)):
                return False
            begun = self._begin(session, now=now)
        self._send(begun, now)
        return True

    def _claim(self, session: Session, *, now: datetime) -> bool:
        """Lease the next messages; say whether anything was due."""
        self._leased_s = time.monotonic()
        claim = claim_deliveries(
            session, now=now, limit=self.most, channel=self.channel
        )
        if claim.crashed:
            follow(session, claim.crashed, now=now)
        self._queue.extend(_to_open_contacts(session, claim.ready, now=now))
        return bool(claim.ready or claim.crashed)

    def _begin(self, session: Session, *, now: datetime) -> list[Leased]:
        """Begin as many of the next messages as leave in a moment, if any may."""
        left = LEASE.total_seconds() - (time.monotonic() - self._leased_s)
        if left < SEND_LIMIT.total_seconds():
            release_deliveries(session, self._queue, now=now)
            self._queue.clear()
            return []
        few = [
            self._queue.popleft() for _ in range(min(self._at_once, len(self._queue)))
        ]
        # What may have crashed its sender goes alone.
        if len(few) > 1 and any(one.attempts for one in few):
            self._queue.extendleft(reversed(few[1:]))
            few = few[:1]
        wanted = _wanted(session, few, now=now)
        close_deliveries(
            session, [one for one in few if one not in wanted], state="cancelled"
        )
        return begin_attempts(session, wanted, now=now)

    def _send(self, begun: Sequence[Leased], now: datetime) -> None:
        began = time.monotonic()
        for number, one in enumerate(begun):
            took = time.monotonic() - began
            if number and (took > MOMENT_S or self._sent[-1].error):
                self._unsent = list(begun[number:])
                break
            self._sent.append(send_one(self.send, one, now=now))
        if self._sent:
            each = (time.monotonic() - began) / len(self._sent)
            self._at_once = max(1, min(MOST_AT_ONCE, int(MOMENT_S / max(each, 1e-6))))

    def _settle(self, session: Session, *, now: datetime) -> None:
        """Write what became of what was sent, and what follows from it."""
        withdraw_attempts(session, self._unsent)
        self._queue.extendleft(reversed(self._unsent))
        sent, self._sent, self._unsent = self._sent, [], []
        if not sent:
            return
        dead, lost = settle_deliveries(session, sent, now=now)
        self.health = heed_provider(
            session, self.channel, sent, before=self.health, now=now
        )
        self._rests = self.health.retry_at is not None
        self.most = BATCH
        self._note(session, sent, dead, now=now)
        taken = sum(not one.error for one in sent)
        self.accepted += taken
        log.info("messages_settled", channel=self.channel, taken=taken, lost=lost)

    def _note(
        self,
        session: Session,
        sent: Sequence[Sent],
        dead: Sequence[Sent],
        *,
        now: datetime,
    ) -> None:
        """Note at the addresses what arrived and what did not; try other channels."""
        arrived = [one.leased.contact_id for one in sent if not one.error]
        note_arrivals(session, [one for one in arrived if one], now=now)
        for one in dead:
            # An address is not to blame for a provider that nobody reaches.
            is_its_fault = one.permanent or not self._rests
            if one.leased.contact_id and is_its_fault and not one.is_blameless:
                note_failure(
                    session,
                    one.leased.contact_id,
                    error=one.error,
                    permanent=one.permanent,
                    now=now,
                )
            log.warning("message_dead", delivery=one.leased.id, error=one.error)
        follow(session, [one.leased for one in dead], now=now)
        self._go_round(session, sent, dead, now=now)

    def _go_round(
        self,
        session: Session,
        sent: Sequence[Sent],
        dead: Sequence[Sent],
        *,
        now: datetime,
    ) -> None:
        """Send by another channel what failed too often to wait for this one."""
        tired = [
            one
            for one in sent
            if one.error and one not in dead and one.tries >= TRIES_OF_ONE_CHANNEL
        ]
        followed = follow(session, [one.leased for one in tired], now=now)
        supersede_deliveries(session, followed)


def _to_open_contacts(
    session: Session, rows: Sequence[Leased], *, now: datetime
) -> Iterable[Leased]:
    """Return what may go to its address; put aside what goes to one that is closed."""
    closed = closed_contacts(
        session, {row.contact_id for row in rows if row.contact_id}
    )
    if not closed:
        return rows
    gone = [row for row in rows if closed.get(row.contact_id or 0) == GONE]
    bury_deliveries(session, gone, error=GONE)
    follow(session, gone, now=now)
    for reason in set(closed.values()) - {GONE}:
        unwanted = [row for row in rows if closed.get(row.contact_id or 0) == reason]
        close_deliveries(session, unwanted, state="suppressed", error=reason)
    return [row for row in rows if row.contact_id not in closed]


def _wanted(session: Session, rows: Sequence[Leased], *, now: datetime) -> list[Leased]:
    """Return the messages whose subject still wants them said."""
    wanted = {row.id for row in rows if row.kind not in STILL_WANTED}
    for kind, question in STILL_WANTED.items():
        asked = [row.id for row in rows if row.kind == kind]
        if asked:
            wanted |= question(session, asked, now=now)
    return [row for row in rows if row.id in wanted]


def send_one(send: Send, one: Leased, *, now: datetime) -> Sent:
    """Hand one message to the provider; return how that ended, whatever happens."""
    try:
        message = compose_message(one, now=now, attachments=_files_of(one))
    except Exception:  # noqa: BLE001 - one bad row must not stop the others
        log.exception("message_unwordable", delivery=one.id, kind=one.kind)
        return Sent(one, error=UNWORDABLE, permanent=True, is_blameless=True)
    began = time.monotonic()
    try:
        receipt = send(message)
    except SendError as failure:
        return Sent(
            one,
            error=failure.code[:60],
            permanent=failure.permanent and not failure.is_ours,
            is_ours=failure.is_ours,
            retry_after_s=failure.retry_after_s,
            most_tries=failure.most_tries,
            took_s=time.monotonic() - began,
        )
    except Exception:  # noqa: BLE001 - nor may a provider that answers nonsense
        log.exception("channel_broken", delivery=one.id, channel=one.channel)
        return Sent(one, error=BROKEN, took_s=time.monotonic() - began)
    return Sent(one, receipt.reference)


def _files_of(one: Leased) -> list[Attachment]:
    attach = ATTACHMENTS.get(one.kind)
    if attach is None:
        return []
    with database().reading() as session:
        return attach(session, one.subject_id)
