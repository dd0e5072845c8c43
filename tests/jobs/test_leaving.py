"""What changed since a message was posted counts when it leaves."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from jobs import deliver, fire_reminders, leaving
from jobs.leaving import may_leave
from pillweb.base.db import Database
from pillweb.channels.registry import Channel
from pillweb.contacts.actions.adding import add_contact, helpers_to_tell
from pillweb.contacts.actions.changing import keep_wishes, stop_contact
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.rules import Owner, Wishes
from pillweb.outbox.actions.sending import claim_deliveries
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import DeliveryDose
from pillweb.sharing.models import Grant
from tests.jobs.conftest import Moment
from tests.jobs.fakes import Fake
from tests.world import World

Row = tuple[str, str, str | None]


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Fake]:
    made = {"email": Fake("email"), "sms": Fake("sms", 1)}

    def known() -> Mapping[str, Channel]:
        return made

    for place in ("jobs.deliver", "pillweb.contacts.queries"):
        monkeypatch.setattr(f"{place}.channels", known)
    return made


@pytest.fixture
def due(db: Database, world: World, moment: Moment) -> Owner:
    """Rosa's reminder of 8 o'clock waits, by mail; she has a phone, too."""
    rosa = Owner(patient_id=world.patient)
    fire_reminders.run()
    with db.transaction() as session:
        session.execute(sa.delete(Delivery).where(Delivery.patient_id != world.patient))
        add_contact(
            session,
            channel="sms",
            address="+447700900123",
            patient_id=world.patient,
            is_proven=True,
            now=moment.now,
        )
        session.execute(sa.update(ContactPoint).values(state="active"))
    return rosa


def wish(db: Database, owner: Owner, **wishes: Any) -> None:  # noqa: ANN401
    with db.transaction() as session:
        keep_wishes(session, owner, Wishes(**wishes))


def tell_marta(
    db: Database,
    world: World,
    now: datetime,
    *,
    kind: str,
    **manner: Any,  # noqa: ANN401
) -> None:
    """Post something about Rosa to who helps her."""
    context = {
        "first_name": "Marta",
        "patient_name": "Rosa",
        "recorded_by": "",
        "time_words": "8am",
        "date_words": "Friday 20 November",
        "emergency": "112",
        "poison": "",
        "link": "http://127.0.0.1/patients/1/today",
    }
    with db.transaction() as session:
        people = helpers_to_tell(session, world.patient, [world.marta], now=now)
        marta = people[world.marta]
        post_message(
            session,
            marta,
            marta.points[0],
            kind=kind,
            about="1",
            context=context,
            now=now,
            patient_id=world.patient,
            **manner,
        )


def rows(db: Database) -> list[Row]:
    with db.reading() as session:
        found = session.scalars(sa.select(Delivery).order_by(Delivery.id))
        return [(one.channel, one.state, one.last_error) for one in found]


def only(db: Database) -> Delivery:
    with db.reading() as session:
        return session.scalars(sa.select(Delivery)).one()


def test_what_is_wanted_by_another_channel_since_goes_there_once(
    db: Database, due: Owner, fakes: Mapping[str, Fake]
) -> None:
    wish(db, due, unwanted={"doses": ["email"]})
    deliver.run()
    deliver.run()
    assert fakes["email"].sent == []
    assert [one.recipient for one in fakes["sms"].sent] == ["+447700900123"]
    assert rows(db) == [
        ("email", "superseded", "unwanted"),
        ("sms", "accepted", None),
    ]
    with db.reading() as session:
        told = session.scalars(sa.select(DeliveryDose.channel)).all()
    assert sorted(told) == ["email", "sms"]


@pytest.mark.parametrize("unwanted", [["email"], ["email", "sms"]])
def test_a_reminder_leaves_by_a_way_nobody_wants_when_no_wanted_one_works(
    db: Database, due: Owner, fakes: Mapping[str, Fake], unwanted: list[str]
) -> None:
    wish(db, due, unwanted={"doses": unwanted})
    with db.transaction() as session:
        gone = sa.update(ContactPoint).where(ContactPoint.channel == "sms")
        session.execute(gone.values(state="gone"))
    deliver.run()
    assert [one.topic.split(":")[0] for one in fakes["email"].sent] == ["dose_due"]
    assert rows(db) == [("email", "accepted", None)]


def test_what_is_wanted_nowhere_since_goes_nowhere(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    tell_marta(db, world, moment.now, kind="too_much")
    tell_marta(db, world, moment.now, kind="refill_due")
    wish(db, Owner(account_id=world.marta), unwanted={"refills": ["email"]})
    deliver.run()
    assert [one.topic.split(":")[0] for one in fakes["email"].sent] == ["too_much"]
    assert rows(db)[1] == ("email", "suppressed", "unwanted")


@pytest.mark.parametrize("over", ["status", "ends_at"])
def test_who_helps_no_more_is_told_nothing(
    db: Database, world: World, moment: Moment, fakes: Mapping[str, Fake], over: str
) -> None:
    """Stopped, or over to the second, before any job wrote that it is (43)."""
    tell_marta(db, world, moment.now, kind="too_much")
    with db.transaction() as session:
        mine = Grant.account_id == world.marta
        values = {over: "revoked" if over == "status" else moment.now}
        session.execute(sa.update(Grant).where(mine).values(values))
    deliver.run()
    assert fakes["email"].sent == []
    assert rows(db) == [("email", "cancelled", None)]


def test_what_was_for_an_address_that_was_stopped_goes_to_another(
    db: Database, due: Owner, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    with db.transaction() as session:
        for contact in session.scalars(sa.select(ContactPoint)):
            if contact.patient_id == due.patient_id and contact.channel == "email":
                # As if the sender had claimed before that.
                stop_contact(session, contact, now=moment.now)
        session.execute(sa.update(Delivery).values(state="pending"))
    deliver.run()
    assert fakes["email"].sent == []
    assert rows(db)[0] == ("email", "suppressed", "stopped")
    deliver.run()
    assert len(fakes["sms"].sent) == 1


def test_a_first_reminder_is_said_in_quiet_hours_without_a_sound(
    db: Database, due: Owner, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    wish(db, due, quiet_from="08:15", quiet_until="09:30")
    moment.move(minutes=11)
    deliver.run()
    assert [one.is_silent for one in fakes["email"].sent] == [True]


def test_what_is_said_again_waits_for_the_end_of_quiet_hours(
    db: Database, due: Owner, moment: Moment, fakes: Mapping[str, Fake]
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(DeliveryDose).values(step=1))
    wish(db, due, quiet_from="08:15", quiet_until="08:40")
    over = only(db).expires_at
    moment.move(minutes=11)
    assert deliver.run() == 0
    held = only(db)
    assert (held.state, held.attempts, held.lease_id) == ("pending", 0, None)
    assert held.next_at == moment.now.replace(minute=40)
    # It may not be said any later than before.
    assert held.expires_at == over
    moment.move(minutes=30)
    assert deliver.run() == 1
    assert [one.is_silent for one in fakes["email"].sent] == [False]


@pytest.mark.parametrize(
    ("is_urgent", "passes", "leaves"),
    [(True, True, 1), (True, False, 0), (False, True, 0)],
)
def test_what_a_helper_hears_waits_unless_it_is_time_critical(
    db: Database,
    world: World,
    moment: Moment,
    *,
    is_urgent: bool,
    passes: bool,
    leaves: int,
) -> None:
    night = {"quiet_from": "22:00", "quiet_until": "07:00", "urgent_passes": passes}
    wish(db, Owner(account_id=world.marta), **night)
    evening = moment.move(hours=13, minutes=50)
    tell_marta(
        db,
        world,
        evening,
        kind="too_much",
        is_urgent=is_urgent,
        expires_at=evening + timedelta(hours=3),
    )
    moment.move(minutes=10)
    assert deliver.run() == leaves
    moment.move(hours=8, minutes=50)
    assert deliver.run() == 0
    # However long it waited, it is not lost.
    moment.move(minutes=10)
    assert deliver.run() == 1 - leaves


def test_what_was_posted_in_quiet_hours_was_meant_for_them(
    db: Database, world: World, moment: Moment
) -> None:
    wish(db, Owner(account_id=world.marta), quiet_from="08:00", quiet_until="10:00")
    tell_marta(db, world, moment.now, kind="too_much")
    moment.move(minutes=10)
    assert deliver.run() == 1


def statements(session: Session, call: Any) -> int:  # noqa: ANN401
    count = 0

    def note(*_facts: object) -> None:
        nonlocal count
        count += 1

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", note)
    call()
    sa.event.remove(engine, "before_cursor_execute", note)
    return count


def test_the_last_look_at_twenty_messages_is_one_statement(
    db: Database, world: World, moment: Moment
) -> None:
    for number in range(20):
        tell_marta(db, world, moment.now, kind="too_much", step=number)
    with db.transaction() as session:
        claim = claim_deliveries(session, now=moment.now, limit=20)
        may = leaving.may_leave
        found = statements(session, lambda: may(session, claim.ready, now=moment.now))
        assert len(may_leave(session, claim.ready, now=moment.now)) == 6
    assert found == 1
