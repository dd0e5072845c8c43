from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.outbox import actions
from pillweb.outbox.actions import (
    begin_attempt,
    cancel_delivery,
    claim_deliveries,
    post_delivery,
    release_deliveries,
    settle_delivery,
)
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.queries import oldest_waiting
from pillweb.outbox.rules import CRASHES_ALLOWED, LEASE
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


def claim_one(session: Session, *, now: datetime) -> Delivery:
    (delivery,) = claim_deliveries(session, now=now, limit=1)
    return delivery


def settle(
    session: Session,
    delivery: Delivery,
    *,
    now: datetime,
    error: str | None = None,
    permanent: bool = False,
) -> bool:
    return settle_delivery(
        session,
        delivery_id=delivery.id,
        lease_id=delivery.lease_id or "",
        now=now,
        provider_ref=None if error else "<reference@test>",
        error=error,
        permanent=permanent,
    )


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
    assert begin_attempt(session, delivery, now=now)
    assert SECRET in (delivery.context or "")
    assert settle(session, delivery, now=now + A_SECOND)
    assert delivery.state == "accepted"
    assert delivery.context is None
    assert delivery.provider_ref == "<reference@test>"
    assert delivery.accepted_at == now + A_SECOND
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
                claimed = claim_deliveries(session, now=now, limit=7)
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
    lease = first.lease_id
    begin_attempt(session, first, now=now)
    just_before = now + LEASE - A_SECOND
    assert claim_deliveries(session, now=just_before, limit=5) == []
    assert oldest_waiting(session, now=just_before) is None
    assert oldest_waiting(session, now=now + LEASE) == now + LEASE
    again = claim_one(session, now=now + LEASE)
    assert again.lease_id != lease


def test_a_lease_that_ran_out_begins_and_settles_nothing(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    first = claim_one(session, now=now)
    assert begin_attempt(session, first, now=now)
    session.expunge(first)
    again = claim_one(session, now=now + LEASE)
    later = now + LEASE + A_SECOND
    assert not begin_attempt(session, first, now=later)
    assert not settle(session, first, now=later)
    cancel_delivery(session, first)
    release_deliveries(session, [first])
    session.refresh(again)
    assert again.state == "leased"
    assert begin_attempt(session, again, now=later)
    assert settle(session, again, now=later)
    assert outcomes(session) == [None, "accepted"]


def test_a_lease_that_ran_out_begins_nothing_even_when_nobody_claimed_since(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    assert not begin_attempt(session, delivery, now=now + LEASE)


def test_a_permanent_error_ends_it_and_keeps_its_words(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    begin_attempt(session, delivery, now=now)
    settle(session, delivery, now=now, error="smtp_550", permanent=True)
    assert (delivery.state, delivery.last_error) == ("dead", "smtp_550")
    assert SECRET in (delivery.context or "")
    assert claim_deliveries(session, now=now + timedelta(days=1), limit=5) == []


def test_a_passing_error_is_tried_again_after_a_pause(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    delivery = claim_one(session, now=now)
    begin_attempt(session, delivery, now=now)
    settle(session, delivery, now=now, error="smtp_451")
    assert (delivery.state, delivery.last_error) == ("pending", "smtp_451")
    assert now + A_SECOND <= delivery.next_at <= now + 15 * A_SECOND
    assert claim_deliveries(session, now=now, limit=5) == []
    again = claim_one(session, now=delivery.next_at)
    begin_attempt(session, again, now=again.next_at)
    session.refresh(again)
    assert again.attempts == 2
    settle(session, again, now=again.next_at)
    assert outcomes(session) == ["smtp_451", "accepted"]


def test_what_would_be_tried_too_late_is_dead(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "backoff", lambda *_, **__: 10 * A_SECOND)
    post(session, "one", now=now, expires_at=now + 10 * A_SECOND)
    delivery = claim_one(session, now=now)
    begin_attempt(session, delivery, now=now)
    settle(session, delivery, now=now, error="smtp_451")
    assert delivery.state == "dead"


def test_what_is_past_its_time_is_never_sent(session: Session, now: datetime) -> None:
    post(session, "old", now=now, expires_at=now + timedelta(hours=1))
    at = now + timedelta(hours=1)
    post(session, "new", now=at)
    assert [d.dedupe_key for d in claim_deliveries(session, now=at, limit=9)] == ["new"]
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
    for delivery in claim_deliveries(session, now=now, limit=20):
        if delivery.dedupe_key == key:
            begin_attempt(session, delivery, now=now)
    return now + LEASE


def test_three_crashes_end_one_message_and_none_of_its_neighbours(
    session: Session, now: datetime
) -> None:
    for key in ("before", "poison", "after"):
        post(session, key, now=now)
    at = now
    for _ in range(CRASHES_ALLOWED):
        at = crash(session, "poison", now=at)
    left = claim_deliveries(session, now=at, limit=20)
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
    release_deliveries(session, [claim_one(session, now=now)])
    assert oldest_waiting(session, now=now) == now
    assert claim_one(session, now=now).dedupe_key == "one"


def test_what_nobody_needs_any_more_is_closed_unsent(
    session: Session, now: datetime
) -> None:
    post(session, "one", now=now)
    cancel_delivery(session, claim_one(session, now=now))
    assert states(session) == ["cancelled"]
    assert session.scalars(sa.select(Delivery.context)).one() is None
    assert outcomes(session) == []


def test_a_message_about_nothing_known_settles_nothing(
    session: Session, now: datetime
) -> None:
    assert not settle_delivery(session, delivery_id=99, lease_id="none", now=now)
