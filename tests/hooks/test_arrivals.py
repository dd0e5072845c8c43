"""What became of messages that were taken over: arrived, lost, shown, bounced."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from pillweb.base.db import Database
from pillweb.channels.bounces import Bounce, sender_of
from pillweb.channels.webpush import receipt_mark
from pillweb.contacts.actions.adding import add_contact
from pillweb.contacts.models import ContactPoint
from pillweb.hooks.actions import note_bounce, note_unseen
from pillweb.outbox.models import Delivery
from pillweb.reminders.actions.firing import fire_reminders
from tests.conftest import use_settings
from tests.hooks.conftest import Post
from tests.hooks.test_replies import told
from tests.world import World

__all__ = ["told"]
SECRET = "what only the mail server and PillWeb know"


def row(db: Database, delivery_id: int) -> Delivery:
    with db.reading() as session:
        return session.get_one(Delivery, delivery_id)


def contact(db: Database, contact_id: int) -> ContactPoint:
    with db.reading() as session:
        return session.get_one(ContactPoint, contact_id)


def test_a_delivered_sms_is_noted_by_its_reference_or_by_our_id(
    post: Post, told: int, db: Database, now: datetime
) -> None:
    answer = post("/hooks/status", MessageSid="SM1", MessageStatus="delivered")
    assert answer.status_code == 204
    assert row(db, told).delivered_at == now
    # What is told afterwards does not take it back.
    post("/hooks/status", MessageSid="SM1", MessageStatus="failed", ErrorCode="30005")
    assert row(db, told).state == "accepted"


def ways(db: Database, delivery_id: int) -> list[str]:
    """Return by which channels was said what a message said."""
    about = row(db, delivery_id).subject_id
    with db.reading() as session:
        by = sa.select(Delivery.channel).where(Delivery.subject_id == about)
        return sorted(session.scalars(by))


@pytest.mark.parametrize(("code", "left"), [("30005", "gone"), ("30003", "active")])
def test_a_lost_sms_is_dead_and_another_channel_speaks_at_once(
    post: Post,
    told: int,
    db: Database,
    now: datetime,
    *,
    phone_id: int,
    code: str,
    left: str,
) -> None:
    sent = {"MessageSid": "SM?", "MessageStatus": "undelivered", "ErrorCode": code}
    with db.transaction() as session:
        mails = ContactPoint.channel == "email"
        session.execute(sa.update(ContactPoint).where(mails).values(state="active"))
    post(f"/hooks/status?delivery={told}", **sent)
    post(f"/hooks/status?delivery={told}", **sent)
    assert (row(db, told).state, row(db, told).last_error) == ("dead", f"sms_{code}")
    assert contact(db, phone_id).state == left
    assert contact(db, phone_id).failures == 1
    assert ways(db, told) == ["email", "sms"]
    with db.transaction() as session:
        fire_reminders(session, now=now + timedelta(seconds=1), limit=10)
    assert ways(db, told) == ["email", "sms"]


def test_a_call_nobody_took_leaves_the_number_as_it_was(
    post: Post, told: int, db: Database, phone_id: int
) -> None:
    post(f"/hooks/status?delivery={told}", CallSid="CA1", CallStatus="no-answer")
    assert row(db, told).last_error == "sms_no-answer"
    assert contact(db, phone_id).failures == 0


@pytest.fixture
def browser(db: Database, world: World, now: datetime) -> int:
    """Rosa's browser, to which three pushes went; nobody saw any."""
    with db.transaction() as session:
        found = add_contact(
            session,
            channel="webpush",
            address="{}",
            patient_id=world.patient,
            is_proven=True,
            now=now,
        )
        for number in range(3):
            session.add(
                Delivery(
                    kind="dose_due",
                    channel="webpush",
                    contact_id=found.id,
                    patient_id=world.patient,
                    dedupe_key=f"push {number}",
                    recipient="{}",
                    state="accepted",
                    created_at=now,
                    next_at=now,
                    expires_at=now,
                    accepted_at=now,
                )
            )
        return found.id


def pushed(db: Database) -> list[int]:
    with db.reading() as session:
        wanted = sa.select(Delivery.id).where(Delivery.channel == "webpush")
        return list(session.scalars(wanted.order_by(Delivery.id)))


def test_a_browser_that_shows_three_pushes_no_more_fails_until_one_is_seen(
    app: Flask, db: Database, browser: int, now: datetime, pinned: object
) -> None:
    with db.transaction() as session:
        assert note_unseen(session, now=now + timedelta(minutes=1), limit=9) == 0
        assert note_unseen(session, now=now + timedelta(minutes=2), limit=9) == 1
        assert note_unseen(session, now=now + timedelta(minutes=3), limit=9) == 0
    assert contact(db, browser).state == "failing"
    newest = pushed(db)[-1]
    phone = app.test_client(use_cookies=False)
    for mark in ("", "0" * 32, receipt_mark(newest + 1)):
        answer = phone.post("/hooks/push", data={"delivery": newest, "receipt": mark})
        assert answer.status_code == 403
    told = {"delivery": newest, "receipt": receipt_mark(newest)}
    assert phone.post("/hooks/push", data=told).status_code == 204
    assert row(db, newest).delivered_at == now
    assert contact(db, browser).state == "active"


def test_one_of_three_that_was_seen_is_enough(
    db: Database, browser: int, now: datetime
) -> None:
    with db.transaction() as session:
        seen = Delivery.id == pushed(db)[1]
        session.execute(sa.update(Delivery).where(seen).values(delivered_at=now))
        assert note_unseen(session, now=now + timedelta(minutes=9), limit=9) == 0


@pytest.fixture
def mailed(db: Database, world: World, now: datetime) -> Iterator[Delivery]:
    """A mail that left for Rosa, by an address that proves itself."""
    use_settings(BOUNCE_ADDRESS="bounce@pills.example", BOUNCE_SECRET=SECRET)
    with db.transaction() as session:
        fire_reminders(session, now=now, limit=10)
        mine = Delivery.patient_id == world.patient
        session.execute(
            sa.update(Delivery).where(mine).values(state="accepted", accepted_at=now)
        )
        found = session.scalars(sa.select(Delivery).where(mine)).one()
    yield found
    use_settings(BOUNCE_ADDRESS="", BOUNCE_SECRET="")


def note(to: str, status: str) -> bytes:
    """Return mail of a mail server about mail it could not deliver (RFC 3464)."""
    lines = [
        f"To: {to}",
        "Content-Type: multipart/report; boundary=B",
        "",
        "--B",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; x.example",
        "",
        "Final-Recipient: rfc822; r@x.example",
        "Action: failed",
        f"Status: {status}",
        "",
        "--B--",
        "",
    ]
    return "\n".join(lines).encode()


def bounced(app: Flask, raw: bytes, secret: str = SECRET) -> int:
    headers = {"X-Bounce-Secret": secret}
    phone = app.test_client(use_cookies=False)
    return phone.post("/hooks/bounce", data=raw, headers=headers).status_code


def test_only_a_fresh_genuine_dead_address_is_gone(
    app: Flask, db: Database, mailed: Delivery, now: datetime, pinned: object
) -> None:
    whose = mailed.contact_id or 0
    mine = sender_of(mailed.id, now=now)
    old = sender_of(mailed.id, now=now - timedelta(hours=49))
    forged = mine[:-20] + "0" * 20 + mine[-20:]
    for to, status in (
        (mine, "4.1.1"),
        (mine, "5.2.2"),
        (old, "5.1.1"),
        (forged, "5.1.1"),
    ):
        assert bounced(app, note(to, status)) in {204, 400}
        assert contact(db, whose).state == "unproven"
    assert bounced(app, note(mine, "5.1.1"), secret="wrong") == 403
    assert bounced(app, b"\xff\x00 nonsense") == 400
    assert contact(db, whose).state == "unproven"
    assert bounced(app, note(mine, "5.1.1")) == 204
    assert bounced(app, note(mine, "5.1.1")) == 204
    assert (contact(db, whose).state, contact(db, whose).failures) == ("gone", 1)
    assert row(db, mailed.id).last_error == "bounced"


@pytest.mark.parametrize("heard", ["opened_at", "answered_at"])
@pytest.mark.parametrize("later", [False, True])
def test_a_bounce_from_behind_an_address_that_answered_does_not_close_it(
    app: Flask,
    db: Database,
    mailed: Delivery,
    now: datetime,
    *,
    pinned: object,
    heard: str,
    later: bool,
) -> None:
    with db.transaction() as session:
        if later:
            session.add(
                Delivery(
                    kind="dose_due",
                    channel="email",
                    contact_id=mailed.contact_id,
                    dedupe_key="later",
                    recipient="",
                    state="accepted",
                    created_at=now,
                    next_at=now,
                    expires_at=now,
                    accepted_at=now,
                )
            )
            session.flush()
        newest = sa.select(sa.func.max(Delivery.id)).scalar_subquery()
        which = Delivery.id == (newest if later else mailed.id)
        session.execute(sa.update(Delivery).where(which).values({heard: now}))
    assert bounced(app, note(sender_of(mailed.id, now=now), "5.1.1")) == 204
    assert contact(db, mailed.contact_id or 0).state == "unproven"
    assert row(db, mailed.id).state == "accepted"


def test_without_a_secret_nobody_may_hand_mail_over(app: Flask, db: Database) -> None:
    assert bounced(app, b"x", secret="") == 403


def test_a_bounce_of_an_unknown_message_changes_nothing(
    db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        assert not note_bounce(session, Bounce(999, True, now), now=now)
