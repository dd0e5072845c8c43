"""Two at once: F10, F16, F17 and F22 of `table.py`."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from jobs import deliver, fire_reminders, plan_doses
from jobs.line import Line
from pillweb.base.db import Database
from pillweb.channels import Message, Receipt
from pillweb.doses.actions.marking import mark_taken
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.outbox.models import Attempt, Delivery
from pillweb.patients.actions import note_plan_change
from pillweb.reminders.models import Reminder
from pillweb.schedules.actions import set_plan, stop_medication
from tests.at_once import at_once
from tests.faults.home import at_home, events
from tests.jobs.conftest import Moment, moment
from tests.services import SmtpSink
from tests.world import daily, make_patient, plan, prescribe

__all__ = ["moment"]

ROUNDS = 25


def rows_of(db: Database) -> tuple[int, int, int]:
    """Return how many doses, reminders and messages there are."""
    with db.reading() as session:
        doses, reminders, messages = (
            session.scalar(sa.select(sa.func.count()).select_from(row)) or 0
            for row in (Dose, Reminder, Delivery)
        )
    return doses, reminders, messages


def test_five_clocks_and_five_planners_make_the_rows_of_one(
    db: Database, moment: Moment
) -> None:
    people = []
    with db.transaction() as session:
        for number in range(6):
            patient = make_patient(session, name=f"P{number}", now=moment.now)
            prescribe(session, patient, "08:00", "08:05", "20:00", now=moment.now)
            people.append(patient.id)
    plan_doses.run()
    fire_reminders.run()
    once = rows_of(db)
    assert once[2] > 0

    def again(number: int) -> None:
        if number % 2:
            for patient_id in people:
                with db.transaction() as session:
                    note_plan_change(session, patient_id)
            plan_doses.run()
        fire_reminders.run()

    for _ in range(4):
        at_once(10, again)
    assert rows_of(db) == once


def race(db: Database, at: datetime, number: int) -> tuple[int, int]:
    """Take a dose while its reminder is claimed.

    Returns how many calls of the provider had been allowed when "taken" was kept, and
    how many there were in the end.
    """
    with db.transaction() as session:
        patient = make_patient(session, name=f"R{number}", now=at)
        prescribe(session, patient, "08:05", now=at)
        plan(session, patient, now=at)
        patient_id = patient.id
        dose_id = session.scalars(
            sa.select(Dose.id).where(Dose.patient_id == patient_id)
        ).first()
    fire_reminders.run()

    def calls() -> int:
        with db.reading() as session:
            return (
                session.scalar(
                    sa.select(sa.func.count())
                    .select_from(Attempt)
                    .join(Delivery, Delivery.id == Attempt.delivery_id)
                    .where(Delivery.patient_id == patient_id)
                )
                or 0
            )

    def take(_: int) -> int:
        with db.transaction() as session:
            mark_taken(
                session,
                [dose_id or 0],
                patient_id=patient_id,
                account_id=None,
                channel="page",
                now=at,
            )
        return calls()

    def send(_: int) -> int:
        Line("email", lambda message: Receipt(message.key)).turn()
        return 0

    allowed = at_once(2, lambda which: (take, send)[which](which))[0]
    Line("email", lambda message: Receipt(message.key)).run(until=float("inf"))
    return allowed, calls()


def test_nothing_is_sent_of_what_was_recorded_before_it_was_claimed(
    db: Database, moment: Moment
) -> None:
    found = [race(db, moment.now, number) for number in range(ROUNDS)]
    assert [allowed for allowed, _ in found] == [ended for _, ended in found]


def prescribed_at_seven(db: Database, moment: Moment, count: int) -> list[int]:
    """Let so many people have a dose at 8.05, planned an hour before."""
    earlier = moment.now - timedelta(hours=1)
    with db.transaction() as session:
        made = []
        for number in range(count):
            patient = make_patient(session, name=f"P{number}", now=earlier)
            made.append(prescribe(session, patient, "08:05", now=earlier).id)
            plan(session, patient, now=earlier)
    return made


@pytest.mark.parametrize("is_stopped", [False, True])
@pytest.mark.parametrize("minutes", [0, 5])
def test_what_waited_when_the_plan_changed_is_not_sent(
    db: Database, moment: Moment, sink: SmtpSink, minutes: int, *, is_stopped: bool
) -> None:
    (medication_id,) = prescribed_at_seven(db, moment, 1)
    fire_reminders.run()
    # Begun before the dose was due and kept after it was said; or begun after that.
    at = moment.now + timedelta(minutes=minutes, seconds=-1)
    with db.transaction() as session:
        medication = session.get_one(Medication, medication_id)
        if is_stopped:
            stop_medication(session, medication, now=at)
        else:
            lines = [daily("11:00", start=at.date())]
            set_plan(session, medication, lines=lines, author_id=None, now=at)
    moment.move(minutes=minutes)
    plan_doses.run()
    deliver.run()
    # What was due already is still today's dose when only its time is moved.
    assert len(sink.mails) == (minutes > 0 and not is_stopped)
    moment.move(hours=3)
    sink.clear()
    fire_reminders.run()
    deliver.run()
    assert len(sink.mails) == (minutes == 0 and not is_stopped)


def test_what_was_leased_when_the_plan_changed_is_not_begun(
    db: Database, moment: Moment
) -> None:
    medications = prescribed_at_seven(db, moment, 3)
    fire_reminders.run()
    sent: list[str] = []

    def send(message: Message) -> Receipt:
        sent.append(message.recipient)
        for medication_id in medications:
            with db.transaction() as session:
                medication = session.get_one(Medication, medication_id)
                stop_medication(session, medication, now=moment.now)
        return Receipt(message.key)

    line = Line("email", send)
    while line.turn():
        pass
    assert len(sent) == 1


def test_two_devices_ten_presses_each_are_one_dose(app: Flask, db: Database) -> None:
    home = at_home(app, db)
    statuses = [home.press() for _ in range(10)]
    assert set(statuses) == {303}
    assert events(db) == ["taken"]
    assert home.undo() == 303
    assert home.undo() in {303, 404, 409, 422}
    assert events(db) == ["taken", "undone"]


def test_a_dose_is_asked_for_once_however_late_its_plan_was_made(
    db: Database, moment: Moment
) -> None:
    with db.transaction() as session:
        patient = make_patient(session, now=moment.now)
        prescribe(session, patient, "08:00", now=moment.now - timedelta(minutes=10))
    at_once(4, lambda _: plan_doses.run())
    at_once(4, lambda _: fire_reminders.run())
    assert rows_of(db)[2] == 1
