from datetime import timedelta

import sqlalchemy as sa

from jobs import forget_deliveries
from pillweb.base.db import Database
from pillweb.channels.live import LiveNote
from pillweb.doses.models import Dose
from pillweb.outbox.actions.posting import post_delivery
from pillweb.outbox.models import Attempt, Canary, Delivery
from pillweb.sync.models import Replay
from tests.jobs.conftest import Moment
from tests.world import World


def post(db: Database, moment: Moment, key: str, *, days: int, state: str) -> None:
    at = moment.now - timedelta(days=days)
    with db.transaction() as session:
        number = post_delivery(
            session,
            kind="dose_due",
            recipient="rosa@family.example",
            dedupe_key=key,
            context={"link": "secret"},
            now=at,
        )
        session.execute(
            sa.update(Delivery).where(Delivery.id == number).values(state=state)
        )
        session.add(Attempt(delivery_id=number, lease_id=key, started_at=at))


def waits(db: Database, moment: Moment) -> bool:
    with db.reading() as session:
        return forget_deliveries.oldest(session, moment.now) is not None


def test_what_became_of_messages_is_kept_three_months_and_words_one(
    db: Database, moment: Moment
) -> None:
    post(db, moment, "old", days=90, state="accepted")
    post(db, moment, "old and dead", days=91, state="dead")
    post(db, moment, "kept", days=89, state="accepted")
    post(db, moment, "no words", days=30, state="dead")
    post(db, moment, "words", days=29, state="dead")
    assert waits(db, moment)
    assert forget_deliveries.run() == 2
    with db.reading() as session:
        left = session.execute(
            sa.select(Delivery.dedupe_key, Delivery.context.is_(None)).order_by(
                Delivery.id
            )
        ).all()
        attempts = session.scalar(sa.select(sa.func.count()).select_from(Attempt))
    assert left == [("kept", False), ("no words", True), ("words", False)]
    assert attempts == 3
    assert not waits(db, moment)


def test_more_than_a_batch_goes_in_batches(db: Database, moment: Moment) -> None:
    at = moment.now - timedelta(days=100)
    with db.transaction() as session:
        for number in range(forget_deliveries.BATCH + 7):
            post_delivery(
                session,
                kind="dose_due",
                recipient="-",
                dedupe_key=str(number),
                context={},
                now=at,
            )
        session.execute(sa.update(Delivery).values(state="expired"))
    assert forget_deliveries.run() == forget_deliveries.BATCH + 7
    assert not waits(db, moment)


def test_notes_canaries_and_answers_of_devices_go_in_their_time(
    db: Database, world: World, moment: Moment
) -> None:
    week, month = timedelta(days=7), timedelta(days=30)
    with db.transaction() as session:
        dose = session.scalars(sa.select(Dose.id)).first()
        for number, age in enumerate((timedelta(0), timedelta(seconds=1))):
            session.add(
                Canary(
                    channel="email", mark=str(number), sent_at=moment.now - week + age
                )
            )
            session.add(
                LiveNote(
                    device_index=b"device",
                    key=str(number),
                    delivery_id=1,
                    words="words",
                    link="link",
                    created_at=moment.now - month,
                    expires_at=moment.now - week + age,
                )
            )
            session.add(
                Replay(
                    account_id=world.rosa,
                    key=str(number),
                    patient_id=world.patient,
                    dose_id=dose,
                    deed="take",
                    pressed_at=moment.now - month,
                    received_at=moment.now - month + age,
                    outcome="recorded",
                )
            )
    forget_deliveries.run()
    with db.reading() as session:
        for row in (Canary, LiveNote, Replay):
            left = session.scalar(sa.select(sa.func.count()).select_from(row))
            assert left == 1, row
    assert not waits(db, moment)
