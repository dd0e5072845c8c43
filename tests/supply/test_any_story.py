"""Whatever is pressed in whatever order, the balance adds up."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from pillweb.medications.models import Medication
from pillweb.schedules.actions import set_plan
from pillweb.supply.actions.reminding import check_supplies
from pillweb.supply.queries.ledger import balances_of, ledger_of
from tests.supply.cupboard import Cupboard
from tests.world import daily, make_patient, plan, prescribe


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
