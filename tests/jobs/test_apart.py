"""One row that cannot be read stops nobody else (F12)."""

from collections.abc import MutableMapping
from typing import Any

import pytest
import sqlalchemy as sa

from jobs import fire_reminders, tell_late
from pillweb.base.db import Database
from pillweb.contacts.models import Preference
from pillweb.outbox.models import Delivery, Incident
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.waiting import passed_over
from tests.jobs.conftest import Moment
from tests.world import make_patient, plan, prescribe

BREAK = {
    "zone": "update patient set zone = 'US/Nowhere' where id = :id",
    "name": "update patient set name = 'AAAA' where id = :id",
    "address": "update contact_point set address = 'AAAA' where patient_id = :id",
}


def people(db: Database, moment: Moment, count: int = 3) -> list[int]:
    with db.transaction() as session:
        made = [
            make_patient(session, name=f"P{n}", now=moment.now) for n in range(count)
        ]
        for patient in made:
            prescribe(session, patient, "08:05", now=moment.now)
            plan(session, patient, now=moment.now)
        return [patient.id for patient in made]


def break_row(db: Database, what: str, patient_id: int) -> None:
    with db.transaction() as session:
        if what == "wish":
            hours = {"quiet_from": "25:00", "quiet_until": "26:00"}
            session.add(Preference(patient_id=patient_id, unwanted={}, **hours))
        else:
            session.execute(sa.text(BREAK[what]), {"id": patient_id})


def told_to(db: Database, kind: str = "dose_due") -> set[int | None]:
    with db.reading() as session:
        rows = sa.select(Delivery.patient_id).where(Delivery.kind == kind)
        return set(session.scalars(rows))


@pytest.mark.parametrize("what", [*BREAK, "wish"])
def test_whoever_cannot_be_reminded_is_passed_over_and_shown(
    db: Database, moment: Moment, told: list[MutableMapping[str, Any]], what: str
) -> None:
    first, bad, last = people(db, moment)
    break_row(db, what, bad)
    fire_reminders.run()
    assert told_to(db) == {first, last}
    assert [one["patient"] for one in told if "passed_over" in one["event"]] == [bad]
    with db.reading() as session:
        (incident,) = session.scalars(sa.select(Incident)).all()
        assert (incident.kind, incident.about) == ("unfired", f"p{bad}")
        # Nobody else's page says that reminders are late.
        assert fire_reminders.oldest(session, moment.now) is None


def test_whoever_can_be_reminded_again_is(db: Database, moment: Moment) -> None:
    bad, *others = people(db, moment)
    break_row(db, "wish", bad)
    fire_reminders.run()
    with db.transaction() as session:
        session.execute(sa.delete(Preference))
    moment.move(minutes=1)
    fire_reminders.run()
    assert told_to(db) == {bad, *others}
    with db.reading() as session:
        assert passed_over(session) == set()


def test_what_nobody_was_reminded_of_is_told_to_the_others(
    db: Database, moment: Moment
) -> None:
    first, bad, last = people(db, moment)
    with db.transaction() as session:
        session.execute(sa.update(Reminder).values(state="late"))
    moment.move(hours=2)
    break_row(db, "zone", bad)
    tell_late.run()
    assert told_to(db, "dose_late") == {first, last}


def test_more_bad_rows_than_a_batch_stop_nobody(
    db: Database, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.apart.BATCH", 2)
    ids = people(db, moment, 6)
    for bad in ids[:4]:
        break_row(db, "zone", bad)
    fire_reminders.run()
    assert told_to(db) == set(ids[4:])
