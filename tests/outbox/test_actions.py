from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.outbox import rules
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.actions.sending import (
    begin_attempts,
    claim_deliveries,
    close_deliveries,
    release_deliveries,
    settle_deliveries,
    withdraw_attempts,
)
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.queries import due_channels, oldest_waiting
from pillweb.outbox.rules import CRASHES_ALLOWED, LEASE, Leased, Sent
from tests.at_once import at_once

A_SECOND = timedelta(seconds=1)
SECRET = "a-secret-in-a-link"


def post(
    session: Session, key: str, *, now: datetime, expires_at: datetime | None = None
) -> bool:
    posted = post_delivery(
        session,
        kind="dose_due",
        recipient="rosa@family.example",
        dedupe_key=key,
        context={"link": SECRET},
        now=now,
        expires_at=expires_at,
    )
    return posted is not None


def claim(session: Session, *, now: datetime, limit: int = 9) -> list[Leased]:
    return claim_deliveries(session, now=now, limit=limit).ready


def claim_one(session: Session, *, now: datetime) -> Leased:
    (delivery,) = claim(session, now=now, limit=1)
    return delivery


def begin(session: Session, delivery: Leased, *, now: datetime) -> bool:
    return begin_attempts(session, [delivery], now=now) == [delivery]


def settle(
    session: Session,
    delivery: Leased,
    *,
    now: datetime,
    error: str = "",
    permanent: bool = False,
) -> bool:
    reference = None if error else "<reference@test>"
    sent = Sent(delivery, reference, error, permanent)
    _dead, lost = settle_deliveries(session, [sent], now=now)
    return not lost


def row_of(session: Session, delivery: Leased) -> Delivery:
    return session.get_one(Delivery, delivery.id, populate_existing=True)


def states(session: Session) -> Sequence[str]:
    return session.scalars(sa.select(Delivery.state).order_by(Delivery.id)).all()


def outcomes(session: Session) -> Sequence[str | None]:
    return session.scalars(sa.select(Attempt.outcome).order_by(Attempt.id)).all()


def test_the_same_key_twice_is_one_message(session: Session, now: datetime) -> None:
    assert post(session, "dose_due:1:0", now=now)
    assert not post(session, "dose_due:1:0", now=now)
    assert post(session, "dose_due:1:1", now=now)
    assert states(session) == ["pending", "pending"]


def test_the_same_key_from_eight_at_once_is_one_message(
    db: Database, now: datetime
) -> None:
    def write(_: int) -> bool:
        with db.transaction() as session:
            return post(session, "one", now=now)

    assert sorted(at_once(8, write)) == [False] * 7 + [True]


def test_the_provider_s_word_is_kept_and_the_words_are_dropped(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    assert begin(session, delivery, now=now)
    assert SECRET in (delivery.context or "")
    assert settle(session, delivery, now=now + A_SECOND)
    row = row_of(session, delivery)
    assert row.state == "accepted"
    assert row.context is None
    assert row.provider_ref == "<reference@test>"
    assert row.accepted_at == now + A_SECOND
    assert outcomes(session) == ["accepted"]


def test_two_senders_at_once_never_get_the_same_message(
    db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        for number in range(60):
            post(session, f"row:{number}", now=now)

    def take_turns(_: int) -> list[int]:
        mine: list[int] = []
        while True:
            with db.transaction() as session:
                claimed = claim(session, now=now, limit=7)
                assert len(claimed) <= 7
                mine += [delivery.id for delivery in claimed]
            if not claimed:
                return mine

    taken = [number for mine in at_once(4, take_turns) for number in mine]
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 60


def test_a_lease_holds_thirty_seconds_and_then_anybody_may_claim(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    first = claim_one(session, now=now)
    begin(session, first, now=now)
    just_before = now + LEASE - A_SECOND
    assert claim(session, now=just_before) == []
    assert oldest_waiting(session, now=just_before) is None
    assert oldest_waiting(session, now=now + LEASE) == now + LEASE
    again = claim_one(session, now=now + LEASE)
    assert again.lease_id != first.lease_id


def test_a_lease_that_ran_out_begins_and_settles_nothing(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    first = claim_one(session, now=now)
    assert begin(session, first, now=now)
    again = claim_one(session, now=now + LEASE)
    later = now + LEASE + A_SECOND
    assert not begin(session, first, now=later)
    assert not settle(session, first, now=later)
    settle(session, first, now=later, error="smtp_550", permanent=True)
    close_deliveries(session, [first], state="cancelled")
    release_deliveries(session, [first], now=later)
    assert row_of(session, again).state == "leased"
    assert begin(session, again, now=later)
    assert settle(session, again, now=later)
    assert outcomes(session) == ["smtp_550", "accepted"]


def test_a_lease_that_ran_out_begins_nothing_even_when_nobody_claimed_since(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    assert not begin(session, delivery, now=now + LEASE)


def test_a_permanent_error_ends_it_and_keeps_its_words(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    begin(session, delivery, now=now)
    settle(session, delivery, now=now, error="smtp_550", permanent=True)
    row = row_of(session, delivery)
    assert (row.state, row.last_error) == ("dead", "smtp_550")
    assert SECRET in (row.context or "")
    assert claim(session, now=now + timedelta(days=1)) == []


def test_a_passing_error_is_tried_again_after_a_pause(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    begin(session, delivery, now=now)
    settle(session, delivery, now=now, error="smtp_451")
    row = row_of(session, delivery)
    assert (row.state, row.last_error) == ("pending", "smtp_451")
    assert now + A_SECOND <= row.next_at <= now + 15 * A_SECOND
    assert claim(session, now=now) == []
    at = row.next_at
    again = claim_one(session, now=at)
    begin(session, again, now=at)
    assert row_of(session, again).attempts == 2
    settle(session, again, now=at)
    assert outcomes(session) == ["smtp_451", "accepted"]


def test_what_would_be_tried_too_late_is_dead(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "backoff", lambda *_, **__: 10 * A_SECOND)
    post(session, "one", now=now, expires_at=now + 10 * A_SECOND)
    delivery = claim_one(session, now=now)
    begin(session, delivery, now=now)
    settle(session, delivery, now=now, error="smtp_451")
    assert row_of(session, delivery).state == "dead"


def test_a_send_that_was_begun_and_did_not_happen_is_no_attempt(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    begin(session, delivery, now=now)
    withdraw_attempts(session, [delivery])
    assert (row_of(session, delivery).attempts, outcomes(session)) == (0, [])
    assert begin(session, delivery, now=now)


def test_each_channel_is_claimed_by_itself(session: Session, now: datetime) -> None:
    post(session, "by mail", now=now)
    facts = {"kind": "dose_due", "recipient": "-", "context": {}, "now": now}
    post_delivery(session, dedupe_key="by sms", channel="sms", **facts)  # type: ignore[arg-type]
    assert due_channels(session, now=now - A_SECOND) == set()
    assert due_channels(session, now=now) == {"email", "sms"}
    assert [d.dedupe_key for d in claim(session, now=now)] == ["by mail"]
    assert due_channels(session, now=now) == {"sms"}


def test_what_is_past_its_time_is_never_sent(session: Session, now: datetime) -> None:
    post(session, "old", now=now, expires_at=now + timedelta(hours=1))
    at = now + timedelta(hours=1)
    post(session, "new", now=at)
    assert [d.dedupe_key for d in claim(session, now=at)] == ["new"]
    words = sa.select(Delivery.state, Delivery.context).order_by(Delivery.id)
    old, new = session.execute(words)
    assert tuple(old) == ("expired", None)
    assert new.state == "leased"


def test_many_expired_messages_do_not_hold_up_a_fresh_one(
    session: Session, now: datetime
) -> None:
    for number in range(25):
        post(session, f"old:{number}", now=now, expires_at=now + A_SECOND)
    at = now + timedelta(hours=1)
    post(session, "new", now=at)
    assert claim_one(session, now=at).dedupe_key == "new"


def crash(session: Session, key: str, *, now: datetime) -> datetime:
    """Claim everything, die while sending one; return when the lease is over."""
    for delivery in claim(session, now=now, limit=20):
        if delivery.dedupe_key == key:
            begin(session, delivery, now=now)
    return now + LEASE


def test_three_crashes_end_one_message_and_none_of_its_neighbours(
    session: Session, now: datetime
) -> None:
    for key in ("before", "poison", "after"):
        post(session, key, now=now)
    at = now
    for _ in range(CRASHES_ALLOWED):
        at = crash(session, "poison", now=at)
    left, crashed = claim_deliveries(session, now=at, limit=20)
    assert [d.dedupe_key for d in crashed] == ["poison"]
    assert sorted(d.dedupe_key for d in left) == ["after", "before"]
    assert states(session) == ["leased", "dead", "leased"]
    dead = session.scalars(sa.select(Delivery).where(Delivery.state == "dead")).one()
    assert dead.last_error == "crashed"
    assert SECRET in (dead.context or "")


def test_waiting_in_a_batch_again_and_again_is_no_crash(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    at = now
    for _ in range(CRASHES_ALLOWED + 2):
        assert claim_one(session, now=at)
        at += LEASE
    assert outcomes(session) == []


def test_what_there_was_no_time_for_is_due_as_before(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    release_deliveries(session, [claim_one(session, now=now)], now=now)
    assert oldest_waiting(session, now=now) == now
    assert claim_one(session, now=now).dedupe_key == "one"


def test_what_nobody_needs_any_more_is_closed_unsent(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    close_deliveries(session, [claim_one(session, now=now)], state="cancelled")
    assert states(session) == ["cancelled"]
    assert session.scalars(sa.select(Delivery.context)).one() is None
    assert outcomes(session) == []
