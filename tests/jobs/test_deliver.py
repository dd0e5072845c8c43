import json
import time
from datetime import timedelta
from typing import Self

import pytest
import sqlalchemy as sa

from jobs import deliver, fire_reminders, line
from jobs.line import Line
from pillweb.admin.queries import dead_letters
from pillweb.base.db import Database
from pillweb.channels import Message, Receipt, SendError, email
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.outbox.actions.mending import give_up_delivery, try_delivery_again
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Attempt, Delivery
from pillweb.outbox.rules import SEND_LIMIT
from tests.at_once import at_once
from tests.jobs.conftest import Moment
from tests.services import Answer, SmtpSink
from tests.world import World

SECRETS = ("Amlodipine", "Brunomycin", "blood pressure", "5 mg", "With water")


@pytest.fixture
def due(db: Database, world: World, moment: Moment) -> World:
    """Two reminders in the outbox: Rosa's and Bruno's."""
    fire_reminders.run()
    return world


def states(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Delivery.state).order_by(Delivery.id)))


def post(db: Database, moment: Moment, count: int, *, kind: str = "report") -> None:
    with db.transaction() as session:
        for number in range(count):
            post_delivery(
                session,
                kind="reset_password" if kind == "report" else kind,
                recipient=f"p{number}@family.example",
                dedupe_key=f"{kind}:{number}",
                context={"link": "http://127.0.0.1/a/x", "valid_words": "for an hour"},
                now=moment.now,
            )


def test_the_mail_that_leaves_holds_no_medicine_anywhere(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    assert deliver.run() == 2
    for mail in sink.mails:
        parts = [str(part.get_content()) for part in mail.message.iter_parts()]
        heads = [f"{name}: {value}" for name, value in mail.message.items()]
        whole = "\n".join([*heads, *parts])
        assert not [secret for secret in SECRETS if secret in whole]
        assert "8am" in mail.message["Subject"]
        assert "/t/" in parts[0]


def test_what_was_taken_meanwhile_is_cancelled_and_not_sent(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        ids = session.scalars(sa.select(Dose.id).where(Dose.patient_id == due.patient))
        mark_taken(
            session,
            ids.all(),
            patient_id=due.patient,
            account_id=None,
            channel="page",
            now=moment.now,
        )
    deliver.run()
    assert [mail.recipients[0] for mail in sink.mails] == ["bruno@family.example"]
    assert sorted(states(db)) == ["accepted", "cancelled"]


def test_what_is_taken_while_the_batch_is_under_way_is_not_sent(
    db: Database, due: World, moment: Moment
) -> None:
    sent: list[str] = []

    def take_everything_else(message: Message) -> Receipt:
        sent.append(message.recipient)
        with db.transaction() as session:
            session.execute(sa.update(Dose).values(state="taken"))
        return Receipt("<one@test>")

    assert Line("email", take_everything_else).run(until=time.monotonic() + 5) == 1
    assert len(sent) == 1
    assert sorted(states(db)) == ["accepted", "cancelled"]


def test_a_row_that_cannot_be_worded_dies_alone(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        poison = session.scalars(sa.select(Delivery)).first()
        assert poison
        poison.context = json.dumps({"nothing": "known"})
        unknown = {"kind": "no_such_kind", "recipient": "x@x.example", "context": {}}
        post_delivery(session, dedupe_key="unknown", now=moment.now, **unknown)  # type: ignore[arg-type]
    assert deliver.run() == 1
    assert len(sink.mails) == 1
    assert sorted(states(db)) == ["accepted", "dead", "dead"]


def test_a_refused_address_dies_and_the_rest_leaves(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    sink.script(Answer("550 5.1.1 No such user", at="RCPT"))
    deliver.run()
    with db.reading() as session:
        wanted = sa.select(Delivery.state).where(Delivery.kind == "dose_due")
        assert sorted(session.scalars(wanted)) == ["accepted", "dead"]
    # Who helps hears by whom no reminder is got any more.
    assert "pending" not in states(db)


def test_a_passing_error_is_tried_again_and_arrives_once(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    sink.fail_next(1)
    assert deliver.run() == 1
    assert sorted(states(db)) == ["accepted", "pending"]
    moment.move(seconds=16)
    assert deliver.run() == 1
    assert len({mail.recipients for mail in sink.mails}) == len(sink.mails) == 2


def test_an_answer_that_was_lost_is_repeated_under_the_same_name(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    sink.script(Answer(hang_up=True))
    deliver.run()
    moment.move(seconds=16)
    deliver.run()
    assert states(db) == ["accepted", "accepted"]
    names = [mail.message["Message-ID"] for mail in sink.mails]
    assert len(names) == 3
    assert len(set(names)) == 2


def test_an_hour_of_refusals_ends_in_silence_not_in_a_late_take_it_now(
    db: Database, due: World, moment: Moment, sink: SmtpSink
) -> None:
    for _ in range(30):
        sink.fail_next(len(states(db)))
        deliver.run()
        moment.move(minutes=4)
    sink.clear()
    deliver.run()
    assert sink.mails == []
    assert set(states(db)) <= {"dead", "expired"}


def test_senders_at_once_send_everything_once(
    db: Database, world: World, moment: Moment, sink: SmtpSink
) -> None:
    post(db, moment, 45)
    assert sum(at_once(3, lambda _: deliver.run())) == 45
    addresses = [mail.recipients[0] for mail in sink.mails]
    assert len(addresses) == len(set(addresses)) == 45


def test_what_there_was_no_time_for_is_given_back_at_once(
    db: Database, world: World, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(db, moment, 12)
    # A sender so slow that each batch has time for one message only.
    monkeypatch.setattr(line, "LEASE", SEND_LIMIT + timedelta(seconds=0.2))
    monkeypatch.setattr(deliver, "RUN_FOR_S", 1.4)
    monkeypatch.setattr(email, "open_channel", lambda: Slow(0.3))
    assert deliver.run() >= 2
    waiting = [state for state in states(db) if state != "accepted"]
    assert waiting
    assert set(waiting) == {"pending"}
    with db.reading() as session:
        attempts = session.scalars(sa.select(Attempt.outcome)).all()
    assert set(attempts) == {"accepted"}


class Slow:
    """A channel that takes its time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, message: Message) -> Receipt:
        time.sleep(self.seconds)
        return Receipt(f"<{message.key}@test>")


def test_a_run_ends_before_its_worker_would_be_cut_off(
    db: Database, world: World, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Message) -> Receipt:
        moment.move(seconds=20)
        raise SendError("TimeoutError")

    class Refusing(Slow):
        def __call__(self, message: Message) -> Receipt:
            return refuse(message)

    post(db, moment, 3)
    monkeypatch.setattr(deliver, "RUN_FOR_S", 0.5)
    monkeypatch.setattr(email, "open_channel", lambda: Refusing(0))
    began = time.monotonic()
    deliver.run()
    assert time.monotonic() - began < 5


def test_a_row_that_cannot_be_read_waits_alone_and_dies_when_it_is_too_late(
    db: Database, moment: Moment, sink: SmtpSink
) -> None:
    post(db, moment, 3)
    with db.transaction() as session:
        known = session.scalars(sa.select(Delivery.id).order_by(Delivery.id)).all()
        # Encrypted with a key that nobody has any more.
        session.execute(
            sa.text("update delivery set recipient = :blob where id = :which"),
            {"blob": b"\1gone" + bytes(40), "which": known[1]},
        )
    assert deliver.run() == 2
    assert len(sink.mails) == 2

    def ends() -> list[tuple[str, str | None]]:
        with db.reading() as session:
            rows = sa.select(Delivery.state, Delivery.last_error)
            return [(a, b) for a, b in session.execute(rows.order_by(Delivery.id))]

    assert ends()[1] == ("pending", "unreadable")
    with db.transaction() as session:
        # Its hour is over before it could be tried again.
        soon = moment.now + timedelta(minutes=6)
        session.execute(sa.update(Delivery).values(expires_at=soon))
    moment.move(minutes=5)
    assert deliver.run() == 0
    assert ends()[1] == ("dead", "unreadable")
    with db.transaction() as session:
        ((letter, has_words),) = dead_letters(session)
        assert (letter.id, has_words) == (known[1], True)
        assert try_delivery_again(session, letter.id, now=moment.now)
        letter.state = "dead"
        session.flush()
        assert give_up_delivery(session, letter.id)
