"""The whole machine is down from before 8am to 2pm (F15): what its people hear."""

from datetime import timedelta

import sqlalchemy as sa

from jobs import clock
from jobs.clock import Pulse
from pillweb.base.db import Database
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery, Incident
from pillweb.sharing.models import Grant
from tests.conftest import use_settings
from tests.jobs.conftest import Moment
from tests.services import SmtpSink
from tests.world import World


def test_an_outage_of_a_morning_is_one_message_each_and_nobody_missed_anything(
    db: Database, world: World, moment: Moment, sink: SmtpSink
) -> None:
    use_settings(REDIS_URL="")
    with db.transaction() as session:
        session.execute(
            sa.update(Grant)
            .where(Grant.account_id == world.marta)
            .values(ladder_place=1)
        )
    moment.move(minutes=-7)
    began = moment.now
    Pulse().beat()
    moment.move(hours=6)
    pulse = Pulse()
    pulse.beat_if_due()
    # Until the work of the morning is done nothing is told, so that it is told once.
    assert clock.tick() > 0
    for _ in range(12):
        moment.move(seconds=15)
        pulse.beat()
        clock.tick()
    with db.reading() as session:
        kinds = session.scalars(sa.select(Delivery.kind).order_by(Delivery.kind)).all()
        assert kinds == ["could_not_remind", "dose_late", "dose_late"]
        which = sa.select(Incident).where(Incident.kind == "stopped")
        stopped = session.scalars(which).one()
        assert stopped.opened_at == began
        assert stopped.closed_at
        assert moment.now - stopped.closed_at < timedelta(minutes=4)
        assert None not in session.scalars(sa.select(Incident.closed_at)).all()
        faults = session.execute(
            sa.select(Dose.local_label).where(Dose.system_fault).distinct()
        )
        assert [row.local_label for row in faults] == ["08:00"]
    assert len(sink.mails) == 3
    for mail in sink.mails:
        said = mail.message.as_string().casefold()
        assert "could not remind" in said
        assert "take it now" not in said
        assert "missed your" not in said
