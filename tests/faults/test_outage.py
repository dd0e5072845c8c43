"""Everything stood still for hours: F15 of `table.py`."""

import time
from datetime import timedelta

import sqlalchemy as sa

from pillweb.base.clock import now
from pillweb.base.db import Database
from pillweb.base.heartbeat import beat
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery, Incident
from pillweb.sharing.actions.granting import grant_access
from pillweb.sharing.rules import Level
from tests.faults.checks import assert_nothing_lost
from tests.running import Processes
from tests.services import SmtpSink
from tests.world import make_cast_account, make_patient, plan, prescribe

AWAY = timedelta(hours=6)


def kinds(db: Database) -> list[tuple[str, str]]:
    with db.reading() as session:
        rows = session.execute(sa.select(Delivery.kind, Delivery.state))
        return sorted((row.kind, row.state) for row in rows)


def test_six_hours_of_standstill_end_in_one_message_that_warns_of_doubling(
    db: Database, house: Processes, sink: SmtpSink
) -> None:
    # The last sign of life is six hours old, and four doses were due since.
    before = now() - AWAY - timedelta(minutes=20)
    clocks = [
        f"{before + timedelta(minutes=20, hours=hour):%H:%M}" for hour in (1, 2, 3, 4)
    ]
    with db.transaction() as session:
        patient = make_patient(session, now=before, zone="Etc/UTC")
        helper = make_cast_account(session, "Marta", now=before)
        grant_access(
            session,
            account_id=helper.id,
            patient_id=patient.id,
            level=Level.MANAGE,
            role="caregiver",
            now=before,
        )
        prescribe(session, patient, *clocks, now=before)
        plan(session, patient, now=before)
        beat(session, component="clock", instance="before:1", now=before)
    house.start("clock")
    house.start("worker")
    until = time.monotonic() + 90
    while ("dose_late", "accepted") not in kinds(db):
        assert time.monotonic() < until, (kinds(db), house.said())
        time.sleep(0.2)
    said = kinds(db)
    assert said.count(("dose_late", "accepted")) == 1
    assert not [kind for kind, _ in said if kind in {"dose_due", "dose_alert"}]
    (mail,) = [one for one in sink.mails if one.recipients == ("rosa@family.example",)]
    text = mail.message.get_body(("plain",))
    assert text
    assert "never take two doses together" in text.get_content()
    with db.reading() as session:
        faults = session.scalars(
            sa.select(Dose.system_fault).where(Dose.due_at < now())
        ).all()
        stopped = session.scalars(
            sa.select(Incident.opened_at).where(Incident.kind == "stopped")
        ).all()
    assert faults == [True] * 4
    assert len(stopped) == 1
    assert_nothing_lost(db, sink)
