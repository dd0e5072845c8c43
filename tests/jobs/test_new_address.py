"""What waited for an address that was changed meanwhile goes to the new one."""

import pytest
import sqlalchemy as sa

from jobs import deliver, fire_reminders
from pillweb.base.db import Database
from pillweb.contacts.actions.adding import add_contact, replace_email
from pillweb.contacts.actions.changing import remove_contact, stop_contact
from pillweb.contacts.actions.posting import send_contact_test
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import patients_to_tell
from pillweb.outbox.models import Delivery
from pillweb.reminders.models import DeliveryDose, ReminderLink
from tests.jobs.conftest import Moment
from tests.services import SmtpSink
from tests.world import World

NEW = "new@family.example"


def told(db: Database, world: World) -> list[tuple[str, str, str | None]]:
    with db.reading() as session:
        rows = session.scalars(
            sa.select(Delivery)
            .where(Delivery.patient_id == world.patient)
            .order_by(Delivery.id)
        )
        return [(row.recipient, row.state, row.last_error) for row in rows]


@pytest.mark.parametrize("how", ["replaced", "replaced unproven", "stopped", "removed"])
def test_a_reminder_posted_before_leaves_for_the_new_address_once(
    db: Database, world: World, moment: Moment, sink: SmtpSink, how: str
) -> None:
    with db.transaction() as session:
        old = session.scalars(
            sa.select(ContactPoint).where(ContactPoint.patient_id == world.patient)
        ).one()
        if how != "replaced unproven":
            old.state, old.proven_at = "active", moment.now
    fire_reminders.run()
    with db.transaction() as session:
        old = session.get_one(ContactPoint, old.id)
        if how.startswith("replaced"):
            replace_email(session, world.patient, email=NEW, now=moment.now)
        else:
            add_contact(
                session,
                channel="email",
                address=NEW,
                patient_id=world.patient,
                is_proven=True,
                now=moment.now,
            )
            close = stop_contact if how == "stopped" else remove_contact
            close(session, old, now=moment.now)
    # The first run finds where it goes instead.
    deliver.run()
    deliver.run()
    first, second = told(db, world)
    reason = "stopped" if how in {"replaced", "stopped"} else "removed"
    assert first == ("rosa@family.example", "suppressed", reason)
    assert second == (NEW, "accepted", None)
    sent = [mail.recipients for mail in sink.mails]
    assert sum(NEW in people for people in sent) == 1
    assert not any("rosa@family.example" in people for people in sent)
    with db.reading() as session:
        ids = sa.select(Delivery.id).where(Delivery.patient_id == world.patient)
        newest = session.scalars(ids.order_by(Delivery.id)).all()[-1]
        link = sa.select(ReminderLink.delivery_id).where(
            ReminderLink.patient_id == world.patient
        )
        assert session.scalars(link).all() == [newest]
        about = sa.select(DeliveryDose.dose_id).where(
            DeliveryDose.delivery_id == newest
        )
        assert session.scalars(about).all() != []


def test_a_test_of_a_stopped_address_goes_nowhere(
    db: Database, world: World, moment: Moment, sink: SmtpSink
) -> None:
    with db.transaction() as session:
        point = session.scalars(
            sa.select(ContactPoint).where(ContactPoint.patient_id == world.patient)
        ).one()
        add_contact(
            session,
            channel="email",
            address=NEW,
            patient_id=world.patient,
            is_proven=True,
            now=moment.now,
        )
        rosa = patients_to_tell(session, [world.patient], now=moment.now)[world.patient]
        send_contact_test(session, point, rosa, now=moment.now)
        stop_contact(session, point, now=moment.now)
    deliver.run()
    assert told(db, world) == [("rosa@family.example", "suppressed", "stopped")]
    assert sink.mails == []
