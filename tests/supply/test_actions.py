"""The ledger on both databases: nothing is booked twice, lost, or out of nowhere."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa

from pillweb.base.db import Database
from pillweb.doses.actions.marking import (
    mark_taken,
    skip_dose,
    undo_marks,
)
from pillweb.doses.models import Dose
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from pillweb.supply.actions.booking import (
    book_supply,
    set_refill,
)
from pillweb.supply.actions.reminding import check_supplies
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.queries.ledger import balances_of, ledger_of
from pillweb.supply.queries.outlook import supplies_of
from pillweb.supply.rules.ledger import RECEIVED, RECOUNT
from pillweb.supply.rules.run_out import Lasting
from tests.at_once import at_once
from tests.supply.cupboard import DAY, HERE, LONDON, Cupboard
from tests.world import World, daily, plan, prescribe


def test_taken_takes_off_and_undo_gives_exactly_that_back(
    cupboard: Cupboard, pills: Medication
) -> None:
    cupboard.receive(pills, 28)
    first = cupboard.doses()[0].id
    assert cupboard.take(first)
    assert cupboard.balance(pills) == 27
    assert cupboard.book() == 1
    assert cupboard.balance(pills) == 27
    # What a tablet holds is said otherwise in between.
    pills.strength = "1 mg"
    assert cupboard.undo(first)
    assert cupboard.balance(pills) == 28
    assert cupboard.book() == 1
    assert cupboard.balance(pills) == 28


def test_what_is_recorded_between_two_looks_is_booked_by_the_second(
    cupboard: Cupboard, pills: Medication
) -> None:
    cupboard.receive(pills, 28)
    for day, left in enumerate((28, 26, 24)):
        at = cupboard.now.replace(hour=10) + day * DAY
        assert check_supplies(cupboard.session, now=at, limit=9) == 1
        assert cupboard.book() == 0
        assert cupboard.balance(pills) == left
        cupboard.now = at
        for dose in cupboard.doses()[2 * day : 2 * day + 2]:
            assert cupboard.take(dose.id)
    assert cupboard.undo(cupboard.doses()[5].id)
    assert cupboard.balance(pills) == 23


def test_booking_twice_changes_nothing(cupboard: Cupboard, pills: Medication) -> None:
    cupboard.receive(pills, 28)
    cupboard.take(cupboard.doses()[0].id)
    assert cupboard.book() == 1
    assert cupboard.book() == 0
    assert cupboard.balance(pills) == 27


def test_what_was_recorded_before_it_is_counted_is_not_taken_off(
    cupboard: Cupboard, pills: Medication
) -> None:
    first = cupboard.doses()[0].id
    cupboard.take(first)
    cupboard.count(pills, 10)
    assert cupboard.balance(pills) == 10
    cupboard.undo(first)
    assert cupboard.balance(pills) == 10


def test_a_count_is_an_entry_of_the_difference(
    cupboard: Cupboard, pills: Medication
) -> None:
    cupboard.receive(pills, 28)
    cupboard.take(cupboard.doses()[0].id)
    cupboard.count(pills, Fraction(79, 3))
    received, taken, counted = cupboard.entries(pills)
    assert (received.quantity, received.cause) == (Fraction(28), RECEIVED)
    assert taken.quantity == -1
    assert (counted.quantity, counted.cause) == (Fraction(-2, 3), RECOUNT)
    assert cupboard.balance(pills) == Fraction(79, 3)


def test_pressing_twice_is_one_entry_and_one_repeat(
    cupboard: Cupboard, pills: Medication
) -> None:
    set_refill(
        cupboard.session,
        pills,
        pack_size=Decimal(28),
        repeats_left=1,
        lead_days=3,
        fetcher_id=None,
        now=cupboard.now,
    )
    assert cupboard.receive(pills, 28, press="same")
    assert not cupboard.receive(pills, 28, press="same")
    assert cupboard.balance(pills) == 28
    assert cupboard.session.get_one(Stock, pills.id).repeats_left == 0
    assert cupboard.receive(pills, 28)
    assert cupboard.session.get_one(Stock, pills.id).repeats_left == 0


def test_a_dose_in_mg_counts_by_the_strength_and_a_third_is_a_third(
    cupboard: Cupboard,
) -> None:
    session, patient, now = cupboard.session, cupboard.patient, cupboard.now
    by_mg = prescribe(session, patient, "08:00", now=now, name="A", amount="7.5 mg")
    third = prescribe(session, patient, "09:00", now=now, name="B", amount="1/3 tablet")
    unclear = prescribe(session, patient, "10:00", now=now, name="C", amount="40 ml")
    plan(session, patient, now=now)
    for medication in (by_mg, third, unclear):
        cupboard.receive(medication, 10)
        for dose in cupboard.doses(medication)[:1]:
            assert cupboard.take(dose.id)
    left = [cupboard.balance(one) for one in (by_mg, third, unclear)]
    assert left == [Fraction(17, 2), Fraction(29, 3), 10]
    cupboard.book()
    assert [cupboard.balance(one) for one in (by_mg, third, unclear)] == left
    assert cupboard.entries(unclear)[-1].cause == "not_counted"
    found = supplies_of(session, patient.id, place=LONDON, now=now)
    assert found[unclear.id].outlook.lasting is Lasting.UNKNOWN


def test_a_part_and_a_skip_are_booked_as_what_they_are(
    cupboard: Cupboard, pills: Medication
) -> None:
    cupboard.receive(pills, 10)
    first, second = (dose.id for dose in cupboard.doses()[:2])
    cupboard.say(first, "part", Decimal("0.5"))
    assert cupboard.balance(pills) == Fraction(19, 2)
    cupboard.book()
    cupboard.say(first, "taken", Decimal(1))
    assert cupboard.balance(pills) == 9
    skip_dose(
        cupboard.session,
        second,
        patient_id=cupboard.patient.id,
        reason="forgot",
        now=cupboard.now,
        **HERE,
    )
    assert cupboard.balance(pills) == 9


def test_an_intake_beside_the_plan_is_booked_once_and_comes_back_once(
    cupboard: Cupboard, pills: Medication
) -> None:
    before = cupboard.take_more(cupboard.doses()[0], "1")
    cupboard.receive(pills, 28)
    assert cupboard.undo_more(before)
    assert cupboard.balance(pills) == 28
    dose = cupboard.doses()[0]
    first = cupboard.take_more(dose, "7.5 mg", key="same")
    assert cupboard.take_more(dose, "7.5 mg", key="same") == first
    second = cupboard.take_more(dose, "1/3 tablet")
    assert cupboard.balance(pills) == Fraction(157, 6)
    assert cupboard.book() == 2
    assert cupboard.undo_more(first)
    assert cupboard.balance(pills) == Fraction(83, 3)
    assert cupboard.book() == 1
    assert cupboard.book() == 0
    assert cupboard.undo_more(second)
    third = cupboard.take_more(dose, "2")
    assert cupboard.undo_more(third)
    rows, _ = ledger_of(cupboard.session, pills)
    assert rows[0].balance == cupboard.balance(pills) == 28
    assert cupboard.book() == 3
    assert ledger_of(cupboard.session, pills)[0] == rows


def test_the_ledger_shows_booked_and_unbooked_alike(
    cupboard: Cupboard, pills: Medication
) -> None:
    cupboard.receive(pills, 28)
    first, second = (dose.id for dose in cupboard.doses()[:2])
    cupboard.take(first)
    cupboard.undo(first)
    cupboard.take(second)
    before, _ = ledger_of(cupboard.session, pills)
    cupboard.book()
    assert ledger_of(cupboard.session, pills) == (before, None)
    assert [(row.cause, int(row.quantity), int(row.balance)) for row in before] == [
        ("taken", -1, 27),
        ("taken_back", 1, 28),
        ("taken", -1, 27),
        ("received", 28, 28),
    ]


def test_a_long_ledger_goes_on_on_older_pages(
    cupboard: Cupboard, pills: Medication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pillweb.supply.queries.ledger.ROWS_SHOWN", 2)
    for many in (1, 2, 3, 4, 5):
        cupboard.receive(pills, many)
    pages: list[list[tuple[int, int]]] = []
    before = None
    while not pages or before is not None:
        rows, before = ledger_of(cupboard.session, pills, before=before)
        pages.append([(int(row.quantity), int(row.balance)) for row in rows])
    assert pages == [[(5, 15), (4, 10)], [(3, 6), (2, 3)], [(1, 1)]]


def test_the_run_out_date_stands_still_when_a_dose_is_taken(
    cupboard: Cupboard, pills: Medication
) -> None:
    def runs_out() -> object:
        found = supplies_of(
            cupboard.session, cupboard.patient.id, place=LONDON, now=cupboard.now
        )
        return found[pills.id].outlook.runs_out_on

    cupboard.receive(pills, 11)
    before = runs_out()
    assert before == cupboard.now.date() + 5 * DAY
    cupboard.take(cupboard.doses()[0].id)
    assert runs_out() == before
    # This evening's, taken ahead of its time.
    cupboard.take(cupboard.doses()[1].id)
    assert runs_out() == before


def test_a_new_plan_moves_the_date_and_not_the_balance(
    cupboard: Cupboard, pills: Medication
) -> None:
    cupboard.receive(pills, 20)
    line = daily("08:00", start=cupboard.now.date(), amount="1/2 tablet")
    set_plan(cupboard.session, pills, lines=[line], author_id=None, now=cupboard.now)
    plan(cupboard.session, cupboard.patient, now=cupboard.now)
    found = supplies_of(
        cupboard.session, cupboard.patient.id, place=LONDON, now=cupboard.now
    )[pills.id]
    assert found.balance == 20
    assert found.outlook.runs_out_on is not None
    assert (found.outlook.runs_out_on - cupboard.now.date()).days in {39, 40}


@pytest.mark.parametrize("deed", ["confirm", "undo"])
def test_many_at_once_are_one_booking(
    deed: str, db: Database, world: World, now: datetime
) -> None:
    facts: dict[str, Any] = {"patient_id": world.patient, "now": now, **HERE}
    with db.transaction() as session:
        pills = session.get_one(Medication, world.medication)
        Cupboard(session, session.get_one(Patient, world.patient), now).receive(
            pills, 28
        )
        (dose,) = session.scalars(
            sa.select(Dose.id)
            .where(Dose.medication_id == world.medication)
            .order_by(Dose.due_at)
            .limit(1)
        )
        if deed == "undo":
            mark_taken(session, [dose], **facts)

    def act(_: int) -> None:
        with db.transaction() as session:
            if deed == "confirm":
                mark_taken(session, [dose], **facts)
            else:
                undo_marks(session, [dose], **facts)
        with db.transaction() as session:
            book_supply(session, world.patient, now=now)

    at_once(6, act)
    with db.reading() as session:
        left = balances_of(session, world.patient)[world.medication]
        booked = session.scalars(
            sa.select(SupplyEntry.cause).where(SupplyEntry.dose_event_id.is_not(None))
        ).all()
    assert left == (27 if deed == "confirm" else 28)
    assert sorted(booked) == ["taken", "taken_back"][: 1 if deed == "confirm" else 2]


def test_presses_at_once_are_one_entry(
    db: Database, world: World, now: datetime
) -> None:
    def press(_: int) -> bool:
        with db.transaction() as session:
            who = session.get_one(Patient, world.patient)
            pills = session.get_one(Medication, world.medication)
            return Cupboard(session, who, now).receive(pills, 28, press="same")

    assert sorted(at_once(6, press)) == [False] * 5 + [True]
    with db.reading() as session:
        assert balances_of(session, world.patient) == {world.medication: 28}


def test_counts_at_once_end_at_what_was_counted(
    db: Database, world: World, now: datetime
) -> None:
    def count(_: int) -> None:
        with db.transaction() as session:
            who = session.get_one(Patient, world.patient)
            pills = session.get_one(Medication, world.medication)
            Cupboard(session, who, now).count(pills, 20)

    at_once(4, count)
    with db.reading() as session:
        assert balances_of(session, world.patient) == {world.medication: 20}
