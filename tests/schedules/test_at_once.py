"""Plans that are changed by two at once, or while doses are planned."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import change_lines, set_plan, stop_medication
from pillweb.schedules.models import Plan
from pillweb.schedules.queries import standing_lines
from pillweb.schedules.rules.line import Pause
from pillweb.schedules.rules.pausing import paused
from tests.world import daily, make_patient, prescribe

SOON = timedelta(seconds=1)


@pytest.fixture
def pills(db: Database, now: datetime) -> int:
    with db.transaction() as session:
        return prescribe(session, make_patient(session, now=now), "08:00", now=now).id


def to_nine(session: Session, medication: Medication, now: datetime) -> None:
    lines = [daily("09:00", start=now.date())]
    set_plan(session, medication, lines=lines, author_id=None, now=now)


def stop(session: Session, medication: Medication, now: datetime) -> None:
    stop_medication(session, medication, now=now)


def pause(session: Session, medication: Medication, now: datetime) -> None:
    holiday = Pause(now.date(), now.date(), "")
    change_lines(
        session, medication, lambda line: paused(line, holiday), author_id=None, now=now
    )


def run_second(db: Database, deed: Callable[[Session], object], asking: str) -> Thread:
    """Begin a deed that asks for a row which somebody else holds; return as it asks."""
    asked = Event()

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.casefold().startswith(asking):
            asked.set()

    def begin() -> None:
        with db.transaction() as session:
            deed(session)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    thread = Thread(target=begin)
    thread.start()
    asked.wait(30)
    return thread


Deed = Callable[[Session, Medication, datetime], None]


@pytest.mark.parametrize(
    ("first", "second"), [(to_nine, stop), (stop, to_nine), (to_nine, pause)]
)
def test_the_second_builds_on_what_the_first_saved(
    db: Database, pills: int, now: datetime, first: Deed, second: Deed
) -> None:
    """Who is second has read the page's rows before the first one saved."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    with db.writing() as late:
        seen = late.get_one(Medication, pills)
        standing_lines(late, pills)
        with db.transaction() as early:
            first(early, early.get_one(Medication, pills), now)
        second(late, seen, now + SOON)
        late.commit()
    with db.reading() as session:
        medication = session.get_one(Medication, pills)
        open_plans = session.scalars(
            sa.select(sa.func.count()).where(Plan.valid_to.is_(None))
        ).one()
        assert (medication.stopped_at is None) == bool(open_plans)
        assert (medication.stopped_at is not None) == (second is stop)
        assert open_plans <= 1
        assert standing_lines(session, pills)[0].times[0].at == time(9) or first is stop


def test_a_plan_is_changed_while_doses_are_planned(
    db: Database, pills: int, now: datetime
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    with db.transaction() as planner:
        patient = planner.scalars(sa.select(Patient).with_for_update()).one()
        second = run_second(
            db,
            lambda session: to_nine(session, session.get_one(Medication, pills), now),
            "insert into plan",
        )
        plan_doses(planner, [(patient.id, patient.zone)], now=now)
    second.join()
    with db.transaction() as session:
        plan_doses(session, [(patient.id, patient.zone)], now=now)
        clocks = session.scalars(
            sa.select(Dose.local_label).where(Dose.state == "open", Dose.due_at > now)
        ).all()
    assert set(clocks) == {"09:00"}
