"""On Sunday at 6pm patients, and who wants it, hear how the week was."""

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.contacts.models import Preference
from pillweb.digests.actions.clocks import start_clocks
from pillweb.doses.models import Dose
from pillweb.outbox.models import Delivery
from pillweb.outbox.queries import compose_message
from pillweb.patients.models import Patient
from tests.digests.conftest import Wants, evening
from tests.world import World, make_world, plan, signed_in

DAY = timedelta(days=1)
SUNDAY = date(2026, 11, 29)


def lived(session: Session, world: World, now: datetime, *, left_out: int) -> datetime:
    """Let Rosa live until Sunday next week, 6pm; the last evenings have no record."""
    patient = session.get_one(Patient, world.patient)
    for days in (6, 12):
        plan(session, patient, now=now + days * DAY)
    at = now.replace(hour=18, minute=0) + 9 * DAY
    doses = session.scalars(
        sa.select(Dose)
        .where(Dose.patient_id == world.patient, Dose.due_at < at)
        .order_by(Dose.due_at)
    ).all()
    evenings = [dose for dose in doses if dose.local_label == "20:00"]
    for dose in doses:
        if dose not in evenings[len(evenings) - left_out :]:
            dose.state, dose.recorded_at, dose.taken_at = "taken", *[dose.due_at] * 2
    session.flush()
    return at


def of_last_week(found: list[Delivery]) -> list[Delivery]:
    return [one for one in found if one.dedupe_key.split(":")[2] == f"{SUNDAY}"]


def text(mail: Delivery) -> str:
    return " ".join(compose_message(mail).text.split())


def test_the_patient_hears_by_default_and_a_partner_who_wants_it(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    wants(world.marta, "week")
    found = evening(session, lived(session, world, now, left_out=0))
    mine, hers = of_last_week(found)
    assert [mine.recipient, hers.recipient] == [
        "rosa@family.example",
        "marta@family.example",
    ]
    assert mine.patient_id == hers.patient_id == world.patient
    assert "this was your week with the medicines. All was taken on" in text(mine)
    assert "days in a row. Well done." in text(mine)
    assert "this was Rosa's week with the medicines." in text(hers)
    assert compose_message(hers).subject == "Rosa's week"
    assert not [word for word in ("Amlodipine", "blood") if word in text(mine)]


def test_a_pattern_is_told_with_one_thing_to_try(
    session: Session, world: World, wants: Wants, now: datetime
) -> None:
    (mail,) = of_last_week(evening(session, lived(session, world, now, left_out=5)))
    said = text(mail)
    assert "Most often without a record: in the evening, 5 of 6." in said
    assert "Another time of day may be easier." in said
    assert "Well done" not in said


def test_who_does_not_want_it_does_not_get_it(
    session: Session, world: World, now: datetime
) -> None:
    session.add(Preference(patient_id=world.patient, unwanted={"week": ["email"]}))
    assert evening(session, lived(session, world, now, left_out=0)) == []


def test_a_week_is_told_once(session: Session, world: World, now: datetime) -> None:
    at = lived(session, world, now, left_out=0)
    assert len(of_last_week(evening(session, at))) == 1
    assert len(evening(session, at + DAY)) == len(evening(session, at))


def test_of_nothing_taken_for_a_week_nothing_is_made(
    session: Session, world: World, now: datetime
) -> None:
    assert evening(session, lived(session, world, now, left_out=99)) != []
    session.execute(sa.update(Dose).values(state="open", taken_at=None))
    session.execute(sa.delete(Delivery))
    assert evening(session, now.replace(hour=18, minute=0) + 16 * DAY) == []


@pytest.mark.parametrize("left_out", [0, 5])
def test_the_numbers_are_those_of_the_calendar(
    left_out: int, app: Flask, db: Database, now: datetime
) -> None:
    with db.transaction() as session:
        world = make_world(session, now=now)
        start_clocks(session, now=now, limit=100)
        at = lived(session, world, now, left_out=left_out)
        (mail,) = of_last_week(evening(session, at))
        message = compose_message(mail)
    with time_machine.travel(at, tick=False):
        client = signed_in(app, world.rosa, now=at)
        shown = client.get(message.link.partition(":8000")[2])
    summary = message.text.partition("All was taken on ")[2].partition(".")[0]
    assert shown.status_code == 200
    assert f"All was taken on {summary}." in shown.text
