"""Any order of edits, records and plans: columns and events agree, the past stands."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from pillweb.base.db import make_engine
from pillweb.doses.actions.marking import mark_taken, skip_dose, undo_marks
from pillweb.doses.actions.planning import plan_doses
from pillweb.doses.models import Dose, DoseEvent
from pillweb.doses.rules.days import EARLY_BY
from pillweb.schedules.actions import stop_medication
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
        assert {name: getattr(dose, name) for name in expected} == expected
        newest = events[-1].what if events else "undone"
        unrecorded = {"open", "cancelled"}
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


CLOCKS = st.lists(
    st.sampled_from(["07:00", "08:00", "08:30", "09:00", "13:00", "20:00", "21:30"]),
    min_size=1,
    max_size=4,
    unique=True,
).map(sorted)
ZONES = ("Europe/London", "America/New_York", "Pacific/Auckland")
BEGIN = datetime(2026, 10, 22, 6, 10, tzinfo=UTC)


class Editing(RuleBasedStateMachine):
    """Anybody edits, anybody records, and the planner comes when it likes."""

    engine: sa.Engine
    at: datetime

    @initialize(clocks=CLOCKS, zone=st.sampled_from(ZONES))
    def begin(self, clocks: list[str], zone: str) -> None:
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.session = Session(self.engine, expire_on_commit=False)
        self.at = BEGIN
        self.patient = make_patient(self.session, now=self.at, zone=zone)
        self.medication = prescribe(self.session, self.patient, *clocks, now=self.at)
        self.acted: dict[int, tuple[Any, ...]] = {}
        self.planned_at = BEGIN
        self.plan()

    def remember(self) -> None:
        """Note everything that must never change again by an edit or by planning."""
        for dose in doses(self.session):
            if dose.state in {"taken", "skipped"}:
                self.acted[dose.id] = (dose.due_at, dose.state, dose.line_id, dose.slot)

    @rule(minutes=st.sampled_from([1, 20, 55, 200, 700, 1440, 12000]))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(clocks=CLOCKS)
    def edit(self, clocks: list[str]) -> None:
        edit(self.session, self.medication, *clocks, now=self.at)

    @rule()
    def stop(self) -> None:
        stop_medication(self.session, self.medication, now=self.at)

    @rule()
    def plan(self) -> None:
        past = {
            dose.id: (dose.due_at, dose.state)
            for dose in doses(self.session)
            if dose.due_at <= self.planned_at and dose.state != "cancelled"
        }
        plan_doses(self.session, [(self.patient.id, self.patient.zone)], now=self.at)
        self.planned_at = self.at
        after = {dose.id: (dose.due_at, dose.state) for dose in doses(self.session)}
        assert {number: after[number] for number in past} == past

    def near(self) -> list[Dose]:
        """Return the open doses that somebody could record now."""
        every = doses(self.session, "open")
        return [d for d in every if -DAY < d.due_at - self.at <= EARLY_BY]

    @rule(number=st.integers(0, 5))
    def take(self, number: int) -> None:
        """Record one of the doses that are due about now."""
        near = self.near()
        if near:
            dose = near[number % len(near)]
            take(self.session, dose, now=self.at)
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

    @invariant()
    def what_was_recorded_stands(self) -> None:
        now = {
            dose.id: (dose.due_at, dose.state, dose.line_id, dose.slot)
            for dose in doses(self.session, "taken", "skipped")
        }
        assert {number: now.get(number) for number in self.acted} == self.acted

    @invariant()
    def no_moment_is_asked_for_twice(self) -> None:
        every = doses(self.session, "open", "taken", "skipped")
        moments = [(dose.line_id, dose.due_at) for dose in every]
        assert len(moments) == len(set(moments))

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


def test_no_order_of_edits_changes_what_was_recorded_or_asks_twice(
    tmp_path: Path,
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/edits.db")
    metadata.create_all(engine)
    machine = type("OnThisFile", (Editing,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    engine.dispose()
