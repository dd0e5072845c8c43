"""Any order of edits, records and plans: columns and events agree, the past stands."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from migrations.tables import metadata
from pillweb.audit.models import AuditEntry
from pillweb.base.db import make_engine
from pillweb.doses.actions.marking import mark_taken, skip_dose, undo_marks
from pillweb.doses.actions.planning import HALF_A_DAY, plan_doses
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import EARLY_BY, HORIZON, RECORDED, TRAVEL
from pillweb.medications.models import Medication
from pillweb.patients.actions import cancel_zone_change, change_meals, change_zone
from pillweb.patients.queries import zone_changes_of
from pillweb.schedules.actions import set_plan, stop_medication
from pillweb.schedules.queries import lives_of, planned_lines
from pillweb.schedules.rules.line import Line
from tests.doses.plans import CLOCKS, lines
from tests.doses.test_actions import DAY, HERE, doses, edit, rows, take
from tests.world import make_patient, plan, prescribe


def recounted(events: Sequence[DoseEvent]) -> dict[str, Any]:
    """Say what a dose's columns must be, from its events alone."""
    newest = events[-1] if events else None
    if newest is None or newest.what == "undone":
        return {
            "recorded_at": None,
            "taken_at": None,
            "taken_amount": None,
            "skip_reason": None,
        }
    taken = newest.what == "taken"
    return {
        "recorded_at": newest.entered_at,
        "taken_at": newest.at if taken else None,
        "taken_amount": newest.amount,
        "skip_reason": newest.reason,
    }


def check_columns_say_what_events_say(session: Session) -> None:
    for dose in doses(session):
        mine = sa.select(DoseEvent).where(DoseEvent.dose_id == dose.id)
        events = session.scalars(mine.order_by(DoseEvent.id)).all()
        expected = recounted(events)
        if dose.state == "cancelled" and dose.skip_reason == TRAVEL:
            expected["skip_reason"] = TRAVEL
        assert {name: getattr(dose, name) for name in expected} == expected
        newest = events[-1].what if events else "undone"
        unrecorded = {"open", "held", "cancelled"}
        assert dose.state in (unrecorded if newest == "undone" else {newest})


def test_columns_say_what_the_newest_event_says(
    session: Session, now: datetime
) -> None:
    rosa = make_patient(session, now=now)
    prescribe(session, rosa, "08:00", "12:00", "20:00", now=now)
    plan(session, rosa, now=now)
    first, second, third = doses(session)[:3]
    facts: dict[str, Any] = {"patient_id": rosa.id, "now": now, **HERE}
    mark_taken(session, [first.id, second.id], **facts)
    undo_marks(session, [second.id], **facts)
    skip_dose(session, second.id, reason="ran_out", **facts)
    skip_dose(session, third.id, reason="forgot", **facts)
    undo_marks(session, [third.id], **facts)
    mark_taken(session, [third.id], **facts)
    check_columns_say_what_events_say(session)
    assert [dose.state for dose in doses(session)[:3]] == ["taken", "skipped", "taken"]


ZONES = ("Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Tokyo")
BEGIN = datetime(2026, 10, 22, 6, 10, tzinfo=UTC)
TODAY = BEGIN.date()
LINES = lines(TODAY)
PLACES = st.sampled_from(ZONES)
MINUTES = st.sampled_from([1, 20, 55, 200, 700, 1440, 12000])
STANDS = ("due_at", "zone", "local_label", "nominal_date", "slot", "line_id")
NUMBERS = ("plan_id", "amount", "dose_text", "action", "window_min", "missed_at")


def facts(dose: Dose, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(dose, name) for name in names)


class Editing(RuleBasedStateMachine):
    """Anybody edits, travels, records, and the planner comes when it likes."""

    engine: sa.Engine
    at: datetime

    @initialize(first=LINES, second=LINES, place=PLACES)
    def begin(self, first: Line, second: Line, place: str) -> None:
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name != AuditEntry.__tablename__:  # which nothing can empty
                    connection.execute(table.delete())
        self.session = Session(self.engine, expire_on_commit=False)
        self.at = BEGIN
        self.patient = make_patient(self.session, now=self.at, zone=place)
        self.medications = [
            prescribe(self.session, self.patient, "08:00", now=self.at)
            for _ in range(2)
        ]
        for medication, line in zip(self.medications, (first, second), strict=True):
            self.write(medication, [line])
        self.acted: dict[int, tuple[Any, ...]] = {}
        self.planned_at = BEGIN
        self.plan()

    def write(self, medication: Medication, plan: list[Line]) -> None:
        set_plan(self.session, medication, lines=plan, author_id=None, now=self.at)

    def remember(self) -> None:
        """Note everything that must never change again by an edit or by planning."""
        for dose in doses(self.session, "taken", "skipped"):
            self.acted[dose.id] = facts(dose, "state", *STANDS, *NUMBERS)

    @rule(minutes=MINUTES)
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(number=st.integers(0, 1), plan=st.lists(LINES, min_size=1, max_size=2))
    def edit(self, number: int, plan: list[Line]) -> None:
        self.write(self.medications[number], plan)

    @rule(number=st.integers(0, 1), clocks=st.lists(CLOCKS, min_size=1, unique=True))
    def move_times(self, number: int, clocks: list[str]) -> None:
        edit(self.session, self.medications[number], *clocks, now=self.at)

    @rule(number=st.integers(0, 1))
    def stop(self, number: int) -> None:
        stop_medication(self.session, self.medications[number], now=self.at)

    @rule(place=PLACES, hours=st.sampled_from([0, 0, 3, 30, 200]))
    def travel(self, place: str, hours: int) -> None:
        self.change_zone(place, is_travel=True, hours=hours)

    @rule(place=PLACES)
    def move_home(self, place: str) -> None:
        self.change_zone(place, is_travel=False, hours=0)

    def change_zone(self, place: str, *, is_travel: bool, hours: int) -> None:
        change_zone(
            self.session,
            self.patient.id,
            place,
            at=self.at + timedelta(hours=hours),
            is_travel=is_travel,
            account_id=None,
            now=self.at,
        )

    @rule()
    def take_a_journey_back(self) -> None:
        for change in zone_changes_of(self.session, [self.patient.id]):
            if change.at > self.at:
                cancel_zone_change(
                    self.session, self.patient.id, change.id, now=self.at
                )
                return

    @rule(breakfast=CLOCKS, bedtime=st.sampled_from(["21:00", "23:45"]))
    def eat(self, breakfast: str, bedtime: str) -> None:
        self.plan()
        meals = {"breakfast": breakfast, "dinner": "18:30", "bedtime": bedtime}
        change_meals(self.session, self.patient.id, meals)

    @rule()
    def plan(self) -> None:
        """Plan, and see that what had come when it was last planned stands."""
        past = {
            dose.id: facts(dose, "state", *STANDS, *NUMBERS)
            for dose in doses(self.session)
            if dose.due_at <= self.planned_at and dose.state != "cancelled"
        }
        plan_doses(self.session, [(self.patient.id, self.patient.zone)], now=self.at)
        self.planned_at = self.at
        every = doses(self.session)
        after = {d.id: facts(d, "state", *STANDS, *NUMBERS) for d in every}
        assert {number: after[number] for number in past} == past
        self.what_is_to_come_is_what_the_plans_say(every)

    def what_is_to_come_is_what_the_plans_say(self, every: Sequence[Dose]) -> None:
        """See that nothing else is asked, and why what is not asked was recorded."""
        until = self.at + HORIZON
        life = lives_of(self.session, [self.patient.id])[self.patient.id]
        coming = [
            (one.line_id, due)
            for one in planned_lines(self.session, [self.patient.id], since=self.at)
            if one.valid_to is None
            for due in life.occurrences(one.rule, (self.at, until))
            if due.due_at > self.at
        ]
        asked = {
            (d.line_id, d.due_at): (d.zone, d.local_label, d.amount, d.nominal_date)
            for d in every
            if d.state == "open" and d.due_at > self.at
        }
        wanted = {
            (line, due.due_at): (
                due.zone,
                due.local_label,
                due.amount,
                due.nominal_date,
            )
            for line, due in coming
        }
        assert {key: wanted.get(key) for key in asked} == asked
        settled = [d for d in every if d.state in RECORDED or d.due_at <= self.at]
        for line, due in coming:
            if (line, due.due_at) in asked:
                continue
            assert any(
                d.line_id == line
                and d.state != "cancelled"
                and (
                    d.due_at == due.due_at
                    or (d.nominal_date, d.slot) == (due.nominal_date, due.slot)
                )
                for d in settled
            ), due

    def near(self) -> list[Dose]:
        """Return the open doses that somebody could record now."""
        every = doses(self.session, "open")
        return [d for d in every if -DAY < d.due_at - self.at <= EARLY_BY]

    @rule(number=st.integers(0, 5))
    def take(self, number: int) -> None:
        """Record one of the doses that are due about now."""
        near = self.near()
        if near:
            take(self.session, near[number % len(near)], now=self.at)
        self.remember()

    @rule(number=st.integers(0, 5))
    def skip(self, number: int) -> None:
        near = self.near()
        if near:
            dose = near[number % len(near)]
            skip_dose(
                self.session,
                dose.id,
                patient_id=dose.patient_id,
                reason="forgot",
                now=self.at,
                **HERE,
            )
        self.remember()

    @rule(number=st.integers(0, 5))
    def undo(self, number: int) -> None:
        recorded = doses(self.session, "taken", "skipped")
        if recorded:
            dose = recorded[-1 - number % len(recorded)]
            given = {"patient_id": dose.patient_id, "now": self.at, **HERE}
            if undo_marks(self.session, [dose.id], **given):
                self.acted.pop(dose.id, None)

    @invariant()
    def what_was_recorded_stands(self) -> None:
        now = {
            dose.id: facts(dose, "state", *STANDS, *NUMBERS)
            for dose in doses(self.session, "taken", "skipped")
        }
        assert {number: now.get(number) for number in self.acted} == self.acted

    @invariant()
    def no_moment_is_asked_for_twice(self) -> None:
        every = doses(self.session, "open", "held", "taken", "skipped")
        moments = [(dose.line_id, dose.due_at) for dose in every]
        assert len(moments) == len(set(moments))

    @invariant()
    def what_was_recorded_is_not_asked_again(self) -> None:
        """The same slot of the same date, while it would be waited for, is one dose."""
        by_slot: dict[tuple[Any, ...], list[Dose]] = {}
        for dose in doses(self.session, "taken", "skipped"):
            if dose.recorded_at and dose.recorded_at < self.planned_at:
                key = facts(dose, "line_id", "nominal_date", "slot")
                by_slot.setdefault(key, []).append(dose)
        for dose in doses(self.session, "open"):
            key = facts(dose, "line_id", "nominal_date", "slot")
            for one in by_slot.get(key, ()) if dose.due_at > self.planned_at else ():
                waited = min(one.missed_at - one.due_at, HALF_A_DAY)
                assert abs(one.due_at - dose.due_at) >= waited

    @invariant()
    def columns_say_what_events_say(self) -> None:
        check_columns_say_what_events_say(self.session)

    @rule()
    def plan_twice(self) -> None:
        self.plan()
        before = rows(self.session)
        self.plan()
        assert rows(self.session) == before

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.rollback()
            self.session.close()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database of its own, in which nothing is kept."""
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path}/edits.db")
        metadata.create_all(made)
    else:
        made = make_engine(request.getfixturevalue("postgres_url"))
    yield made
    made.dispose()


def test_no_order_of_edits_changes_what_was_recorded_or_asks_twice(
    engine: sa.Engine,
) -> None:
    machine = type("OnThisDatabase", (Editing,), {"engine": engine})
    few = engine.dialect.name == "postgresql"
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("EDITS", "10" if few else "30")),
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
