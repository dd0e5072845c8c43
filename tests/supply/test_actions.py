"""The ledger on both databases: nothing is booked twice, lost, or out of nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from pillweb.base.db import Database
from pillweb.base.zones import zone
from pillweb.doses.actions.intakes import Told, record_another, undo_intake
from pillweb.doses.actions.marking import (
    mark_amount,
    mark_taken,
    skip_dose,
    undo_marks,
)
from pillweb.doses.models import Dose, DoseEvent
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import set_plan
from pillweb.schedules.rules.dose import read_dose
from pillweb.supply.actions.booking import (
    book_supply,
    count_supply,
    receive_supply,
    remove_supply,
    set_refill,
)
from pillweb.supply.actions.reminding import check_supplies
from pillweb.supply.models import Stock, SupplyEntry
from pillweb.supply.queries.ledger import balances_of, ledger_of
from pillweb.supply.queries.outlook import supplies_of
from pillweb.supply.rules.ledger import LOST, RECEIVED, RECOUNT
from pillweb.supply.rules.run_out import Lasting
from tests.at_once import at_once
from tests.world import World, daily, make_patient, plan, prescribe

HERE: dict[str, Any] = {"account_id": None, "channel": "page"}
LONDON = zone("Europe/London")
DAY = timedelta(days=1)


@dataclass
class Cupboard:
    """A patient's medicines, and how to say what happens to them."""

    session: Session
    patient: Patient
    now: datetime
    presses: int = 0

    def receive(
        self, medication: Medication, many: Fraction | int, *, press: str = ""
    ) -> bool:
        self.presses += 1
        return receive_supply(
            self.session,
            medication,
            quantity=Fraction(many),
            uses_repeat=True,
            account_id=None,
            press=press or f"press {self.presses}",
            now=self.now,
        )

    def count(self, medication: Medication, many: Fraction | int) -> None:
        count_supply(
            self.session,
            medication,
            counted=Fraction(many),
            account_id=None,
            press=None,
            now=self.now,
        )

    def lose(self, medication: Medication, many: Fraction | int) -> None:
        remove_supply(
            self.session,
            medication,
            quantity=Fraction(many),
            cause=LOST,
            account_id=None,
            press=None,
            now=self.now,
        )

    def take(self, dose_id: int) -> bool:
        ids: dict[str, Any] = {"patient_id": self.patient.id, "now": self.now}
        return bool(mark_taken(self.session, [dose_id], **ids, **HERE))

    def undo(self, dose_id: int) -> bool:
        ids: dict[str, Any] = {"patient_id": self.patient.id, "now": self.now}
        return bool(undo_marks(self.session, [dose_id], **ids, **HERE))

    def take_some(self, dose_id: int, amount: Decimal) -> bool:
        return mark_amount(
            self.session,
            dose_id,
            patient_id=self.patient.id,
            amount=amount,
            taken_at=self.now,
            now=self.now,
            **HERE,
        )

    def say(self, dose_id: int, what: str, amount: Decimal | None = None) -> None:
        """Append an event as the pages will, when they know more words."""
        self.session.add(
            DoseEvent(
                patient_id=self.patient.id,
                dose_id=dose_id,
                what=what,
                amount=amount,
                at=self.now,
                entered_at=self.now,
                channel="page",
            )
        )
        self.session.flush()

    def take_more(self, dose: Dose, amount: str, *, key: str = "") -> int:
        """Take something on top of a planned dose; the same form twice is once."""
        self.presses += 1
        told = Told(self.now, read_dose(amount), key or f"key {self.presses}")
        recorded = record_another(
            self.session,
            dose.id,
            told,
            patient_id=self.patient.id,
            medication_id=dose.medication_id,
            now=self.now,
            **HERE,
        )
        assert recorded.intake is not None
        return recorded.intake.id

    def undo_more(self, intake_id: int) -> bool:
        ids: dict[str, Any] = {"patient_id": self.patient.id, "now": self.now}
        return undo_intake(self.session, intake_id, account_id=None, **ids)

    def book(self) -> int:
        return book_supply(self.session, self.patient.id, now=self.now)

    def balance(self, medication: Medication) -> Fraction:
        return balances_of(self.session, self.patient.id)[medication.id]

    def doses(self, medication: Medication | None = None) -> Sequence[Dose]:
        wanted = sa.select(Dose).where(Dose.patient_id == self.patient.id)
        if medication is not None:
            wanted = wanted.where(Dose.medication_id == medication.id)
        return self.session.scalars(wanted.order_by(Dose.due_at, Dose.id)).all()

    def entries(self, medication: Medication) -> Sequence[SupplyEntry]:
        mine = SupplyEntry.medication_id == medication.id
        return self.session.scalars(
            sa.select(SupplyEntry).where(mine).order_by(SupplyEntry.id)
        ).all()


@pytest.fixture
def cupboard(session: Session, now: datetime) -> Cupboard:
    return Cupboard(session, make_patient(session, now=now), now)


@pytest.fixture
def pills(cupboard: Cupboard) -> Medication:
    found = prescribe(
        cupboard.session, cupboard.patient, "08:00", "20:00", now=cupboard.now
    )
    plan(cupboard.session, cupboard.patient, now=cupboard.now)
    return found


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


@dataclass
class Model:
    """The same story told by someone else: plain fractions, no rows."""

    balance: Fraction | None = None
    used: dict[int, Fraction] = field(default_factory=dict)

    def stands(self, dose: int, now_used: Fraction) -> None:
        if self.balance is not None:
            self.balance += self.used.get(dose, Fraction(0)) - now_used
            self.used[dose] = now_used


AMOUNTS = {
    "1": Fraction(1),
    "1/2 tablet": Fraction(1, 2),
    "1/3 tablet": Fraction(1, 3),
    "7.5 mg": Fraction(3, 2),
}
MANY = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(7, 2), Fraction(28)])
DEEDS = st.one_of(
    st.tuples(st.sampled_from(["receive", "count", "lose"]), st.booleans(), MANY),
    st.tuples(
        st.sampled_from(["take", "undo", "part", "taken_more", "extra", "extra_back"]),
        st.booleans(),
        st.integers(0, 5),
    ),
    st.tuples(st.just("edit"), st.booleans(), st.sampled_from(sorted(AMOUNTS))),
    st.tuples(
        st.sampled_from(["book", "look", "sleep", "twice"]),
        st.booleans(),
        st.just(None),
    ),
)


class Story:
    """Two medicines of one patient; whatever happens, rows and model agree."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.own = Cupboard(session, make_patient(session, now=now), now)
        self.pills = [
            prescribe(session, self.own.patient, "08:00", "20:00", now=now, name=name)
            for name in ("A", "B")
        ]
        self.models = [Model(), Model()]
        self.extras: list[tuple[int, int, Fraction]] = []
        self.last: tuple[int, Fraction, str] | None = None
        plan(session, self.own.patient, now=now)

    def tell(self, deed: str, which: int, what: Any) -> None:  # noqa: ANN401 - of many kinds
        pills, model = self.pills[which], self.models[which]
        if deed in {"receive", "count", "lose"}:
            self.move(deed, pills, model, what)
            if deed == "receive":
                self.last = (which, what, f"press {self.own.presses}")
        elif deed in {"extra", "extra_back"}:
            self.beside(deed, which, model, what)
        elif deed in {"take", "undo", "part", "taken_more"}:
            self.record(deed, pills, model, what)
        elif deed == "edit":
            line = daily("07:00", "21:00", start=self.own.now.date(), amount=what)
            facts: dict[str, Any] = {"author_id": None, "now": self.own.now}
            set_plan(self.own.session, pills, lines=[line], **facts)
        elif deed == "twice" and self.last:
            number, many, press = self.last
            assert not self.own.receive(self.pills[number], many, press=press)
        elif deed == "book":
            self.own.book()
        elif deed == "look":
            check_supplies(self.own.session, now=self.own.now, limit=99)
        elif deed == "sleep":
            self.own.now += timedelta(hours=11)
        plan(self.own.session, self.own.patient, now=self.own.now)

    def move(self, deed: str, pills: Medication, model: Model, many: Fraction) -> None:
        getattr(self.own, deed)(pills, many)
        before = model.balance or Fraction(0)
        model.balance = {
            "receive": before + many,
            "count": many,
            "lose": before - many,
        }[deed]

    def record(self, deed: str, pills: Medication, model: Model, number: int) -> None:
        found = [dose for dose in self.own.doses(pills) if dose.state != "cancelled"]
        dose = found[number % len(found)]
        each = AMOUNTS[dose.dose_text or "1"]
        if deed == "take" and self.own.take(dose.id):
            model.stands(dose.id, each)
        elif deed == "undo" and self.own.undo(dose.id):
            model.stands(dose.id, Fraction(0))
        elif deed in {"part", "taken_more"} and dose.amount is not None:
            amount = dose.amount / 2 if deed == "part" else dose.amount * 2
            if self.own.take_some(dose.id, amount):
                model.stands(dose.id, each * (Fraction(1, 2) if deed == "part" else 2))

    def beside(self, deed: str, which: int, model: Model, number: int) -> None:
        """Take something beside the plan, or take that back."""
        mine = [one for one in self.extras if one[0] == which]
        if deed == "extra":
            words, each = sorted(AMOUNTS.items())[number % len(AMOUNTS)]
            dose = self.own.doses(self.pills[which])[0]
            intake = self.own.take_more(dose, words)
            self.extras.append((which, intake, each))
            model.stands(-intake, each)
        elif mine and self.own.undo_more(mine[number % len(mine)][1]):
            model.stands(-mine[number % len(mine)][1], Fraction(0))

    def agree(self) -> None:
        balances = balances_of(self.own.session, self.own.patient.id)
        for pills, model in zip(self.pills, self.models, strict=True):
            assert balances.get(pills.id) == model.balance
            rows, _ = ledger_of(self.own.session, pills)
            assert sum(row.quantity for row in rows) == (model.balance or 0)
            assert not rows or rows[0].balance == model.balance


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(DEEDS, max_size=14))
def test_any_story_adds_up_to_what_an_independent_model_says(
    session: Session, now: datetime, story: list[tuple[str, bool, Any]]
) -> None:
    session.rollback()  # every story begins on an empty shelf
    told = Story(session, now)
    for deed, which, what in story:
        told.tell(deed, int(which), what)
        told.agree()
    told.own.book()
    assert told.own.book() == 0
    told.agree()
    for pills, model in zip(told.pills, told.models, strict=True):
        booked = sum(one.quantity for one in told.own.entries(pills))
        assert booked == (model.balance or 0)
