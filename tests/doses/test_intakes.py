"""Intakes beside the plan: one press is one, too much is asked about and kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from pillweb.adherence.queries import outcomes_of
from pillweb.base.db import Database
from pillweb.base.errors import NotFoundError
from pillweb.base.zones import zone
from pillweb.doses.actions.intakes import (
    Recorded,
    Told,
    record_another,
    record_needed,
    undo_intake,
)
from pillweb.doses.actions.marking import mark_amount, mark_taken, undo_marks
from pillweb.doses.models import Dose, DoseEvent, Intake
from pillweb.doses.queries.consumed import consumed_of
from pillweb.doses.queries.intakes import shelf_of
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import Prn
from tests.at_once import at_once
from tests.doses.needed import add_needed
from tests.world import make_patient, plan, prescribe

HOUR = timedelta(hours=1)


SOON = timedelta(milliseconds=200)


HERE: dict[str, Any] = {"account_id": None, "channel": "page"}


PRESSES = 50


Result = TypeVar("Result")


def press(
    session: Session,
    patient_id: int,
    medication_id: int,
    *,
    now: datetime,
    key: str = "one",
    **told: Any,  # noqa: ANN401 - what is told of it
) -> Recorded:
    needed = shelf_of(session, patient_id, now=now).find(medication_id)
    assert needed
    facts: dict[str, Any] = {
        "taken_at": now,
        "dose": needed.line.dose,
        "key": key,
    } | told
    return record_needed(
        session,
        needed,
        Told(**facts),
        patient_id=patient_id,
        place=zone("Europe/London"),
        now=now,
        **HERE,
    )


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Intake)) or 0


@pytest.fixture
def rosa(session: Session, now: datetime) -> Patient:
    return make_patient(session, now=now)


@pytest.fixture
def paracetamol(session: Session, rosa: Patient, now: datetime) -> int:
    return add_needed(session, rosa, now=now)


def test_the_same_form_twice_is_one_intake(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    first = press(session, rosa.id, paracetamol, now=now)
    second = press(session, rosa.id, paracetamol, now=now + SOON)
    assert first.intake is second.intake
    assert (first.is_new, second.is_new, count(session)) == (True, False, 1)


def test_another_device_is_asked_first(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    press(session, rosa.id, paracetamol, now=now)
    other = press(session, rosa.id, paracetamol, now=now + SOON, key="two")
    assert other.question == (
        "You already recorded this at 8.05am. Do not take it again before 12.05pm."
    )
    assert count(session) == 1


def test_what_was_truly_taken_is_always_kept(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    press(session, rosa.id, paracetamol, now=now)
    facts: dict[str, Any] = {
        "key": "two",
        "was_asked": True,
        "why": "The pain was worse",
    }
    kept = press(session, rosa.id, paracetamol, now=now + HOUR, **facts).intake
    assert kept
    assert (kept.was_asked, kept.why) == (True, "The pain was worse")
    assert count(session) == 2


def test_an_old_page_records_again_once_it_may(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    press(session, rosa.id, paracetamol, now=now)
    again = press(session, rosa.id, paracetamol, now=now + 5 * HOUR)
    assert again.is_new
    assert count(session) == 2


def test_one_form_is_one_intake_though_it_was_taken_back_in_between(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    first = press(session, rosa.id, paracetamol, now=now, was_asked=True).intake
    assert first
    undo_intake(session, first.id, patient_id=rosa.id, account_id=None, now=now)
    session.refresh(first)
    again = [
        press(session, rosa.id, paracetamol, now=now + SOON, was_asked=True)
        for _ in range(3)
    ]
    assert [one.is_new for one in again] == [True, False, False]
    assert count(session) == 2


def test_a_patch_that_came_off_is_no_dose(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    session.execute(sa.update(Dose).values(medication_id=paracetamol, action="remove"))
    mark_taken(session, [1], patient_id=rosa.id, now=now, **HERE)
    assert press(session, rosa.id, paracetamol, now=now + HOUR).is_new


def test_planned_doses_of_the_same_medicine_count(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", now=now, name="Paracetamol plus")
    plan(session, rosa, now=now)
    dose = session.scalars(sa.select(Dose)).first()
    assert dose
    session.execute(sa.update(Dose).values(medication_id=paracetamol))
    mark_taken(session, [dose.id], patient_id=rosa.id, now=now, **HERE)
    assert press(session, rosa.id, paracetamol, now=now + HOUR).question
    assert medication.id != paracetamol


def test_a_planned_dose_counts_by_its_ingredient(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    planned = prescribe(session, rosa, "08:00", now=now, name="Co-codamol")
    held = '[{"name": "paracetamol", "amount": "500 mg"}]'
    session.get_one(Medication, paracetamol).ingredients = held
    plan(session, rosa, now=now)
    dose = session.scalars(sa.select(Dose).order_by(Dose.due_at)).first()
    assert dose
    mark_taken(session, [dose.id], patient_id=rosa.id, now=now, **HERE)
    assert press(session, rosa.id, paracetamol, now=now + HOUR, key="a").is_new
    planned.ingredients = held
    later = now + 5 * HOUR
    dose.taken_at = later
    session.flush()
    asked = press(session, rosa.id, paracetamol, now=later + HOUR, key="b").question
    assert asked.startswith("You already recorded Co-codamol, which holds the same")


def test_an_intake_taken_back_no_longer_binds(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    kept = press(session, rosa.id, paracetamol, now=now).intake
    assert kept
    undo: dict[str, Any] = {"patient_id": rosa.id, "account_id": None}
    assert undo_intake(session, kept.id, now=now, **undo)
    assert not undo_intake(session, kept.id, now=now, **undo)
    session.refresh(kept)
    assert kept.undone_at == now
    assert press(session, rosa.id, paracetamol, now=now + SOON).is_new


def test_undo_ends_after_a_day_and_is_for_this_patient(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    kept = press(session, rosa.id, paracetamol, now=now).intake
    assert kept
    late = now + 24 * HOUR
    assert not undo_intake(
        session, kept.id, patient_id=rosa.id, account_id=None, now=late
    )
    with pytest.raises(NotFoundError):
        undo_intake(session, kept.id, patient_id=0, account_id=None, now=now)


def patiently(deed: Callable[[], Result]) -> Result:
    """Press again while too many press at once for a small pool, as a person would."""
    while True:
        try:
            return deed()
        except (exc.TimeoutError, exc.OperationalError):
            continue


@pytest.fixture
def ready(db: Database, now: datetime) -> tuple[int, int]:
    """A patient with paracetamol that has no limits at all, kept in the database."""
    with db.transaction() as session:
        patient = make_patient(session, now=now)
        return patient.id, add_needed(session, patient, now=now, prn=Prn())


@pytest.mark.parametrize("key_of", [lambda _: "one", str])
def test_fifty_presses_at_once_are_one_intake(
    db: Database, ready: tuple[int, int], now: datetime, key_of: Callable[[int], str]
) -> None:
    patient_id, medication_id = ready

    def deed(number: int) -> bool:
        with db.transaction() as session:
            key = key_of(number)
            ended = press(session, patient_id, medication_id, now=now, key=key)
            return ended.is_new

    ended = at_once(PRESSES, lambda number: patiently(lambda: deed(number)))
    assert sum(ended) == 1
    with db.reading() as session:
        assert count(session) == 1


def test_fifty_confirms_of_one_dose_are_one_event(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        patient = make_patient(session, now=now)
        prescribe(session, patient, "08:00", now=now)
        plan(session, patient, now=now)
        patient_id = patient.id

    def deed(number: int) -> int:
        with db.transaction() as session:
            if number % 2:
                who = {"patient_id": patient_id, "now": now, **HERE}
                return len(mark_taken(session, [1], **who))
            facts: dict[str, Any] = {"amount": Decimal(1), "taken_at": now}
            return mark_amount(
                session, 1, patient_id=patient_id, now=now, **facts, **HERE
            )

    ended = at_once(PRESSES, lambda number: patiently(lambda: deed(number)))
    assert sum(ended) == 1
    with db.reading() as session:
        assert len(session.scalars(sa.select(DoseEvent)).all()) == 1


def test_extra_and_needed_intakes_are_in_no_percentage(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    dose = session.scalars(sa.select(Dose).order_by(Dose.due_at)).first()
    assert dose
    mark_taken(session, [dose.id], patient_id=rosa.id, now=now, **HERE)
    days: dict[str, Any] = {"first": now.date(), "last": now.date()}
    before = outcomes_of(session, rosa.id, **days)
    press(session, rosa.id, paracetamol, now=now)
    told = Told(taken_at=now, dose=read_dose("1"), key="again", was_asked=True)
    facts: dict[str, Any] = {
        "patient_id": rosa.id,
        "medication_id": medication.id,
        "now": now,
    }
    record_another(session, dose.id, told, **facts, **HERE)
    record_another(session, dose.id, told, **facts, **HERE)
    assert count(session) == 2
    assert outcomes_of(session, rosa.id, **days) == before


def test_what_was_consumed_is_doses_and_intakes_that_stand(
    session: Session, rosa: Patient, paracetamol: int, now: datetime
) -> None:
    medication = prescribe(session, rosa, "08:00", "08:30", now=now, amount="1")
    plan(session, rosa, now=now)
    first, second, *_ = session.scalars(sa.select(Dose.id).order_by(Dose.due_at))
    about: dict[str, Any] = {"patient_id": rosa.id, "now": now, **HERE}
    mark_amount(session, first, amount=Decimal("0.5"), taken_at=now, **about)
    mark_taken(session, [second], **about)
    press(session, rosa.id, paracetamol, now=now)

    def found() -> list[tuple[str, Decimal | None, str | None]]:
        ids = [medication.id, paracetamol]
        rows = consumed_of(session, ids, since=now - HOUR)
        return sorted((row.source, row.amount, row.dose_text) for row in rows)

    assert found() == [
        ("dose", Decimal("0.5"), "1"),
        ("dose", Decimal(1), "1"),
        ("intake", Decimal(2), "2 tablets"),
    ]
    undo_marks(session, [first], **about)
    assert ("dose", Decimal("0.5"), "1") not in found()


@pytest.mark.parametrize(
    ("amount", "state"), [("0.5", "part"), ("1", "taken"), ("1.5", "taken")]
)
def test_another_amount_is_kept_and_taken_back_exactly(
    session: Session, rosa: Patient, now: datetime, amount: str, state: str
) -> None:
    prescribe(session, rosa, "08:00", now=now)
    plan(session, rosa, now=now)
    dose = session.scalars(sa.select(Dose).order_by(Dose.due_at)).first()
    assert dose
    about: dict[str, Any] = {"patient_id": rosa.id, "now": now, **HERE}
    more: dict[str, Any] = {
        "amount": Decimal(amount),
        "taken_at": now,
        "why": "a reason",
    }
    assert mark_amount(session, dose.id, **more, **about)
    assert not mark_amount(session, dose.id, **more, **about)
    session.refresh(dose)
    assert (dose.state, dose.taken_amount, dose.amount) == (
        state,
        Decimal(amount),
        Decimal(1),
    )
    undo_marks(session, [dose.id], **about)
    session.refresh(dose)
    assert (dose.state, dose.taken_amount, dose.taken_at) == ("open", None, None)
    events = session.scalars(sa.select(DoseEvent).order_by(DoseEvent.id)).all()
    assert [(event.what, event.amount) for event in events] == [
        (state, Decimal(amount)),
        ("undone", None),
    ]
