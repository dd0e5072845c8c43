"""Lives to take out and bring in, and all numbers that must stay the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.adherence.queries import outcomes_of
from pillweb.adherence.rules.calendar import month_calendar
from pillweb.adherence.rules.outcome import Outcome
from pillweb.adherence.rules.pattern import patterns
from pillweb.adherence.rules.tally import by_medicine, tally
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import skip_dose
from pillweb.doses.actions.planning import replan_doses
from pillweb.doses.models import Dose
from pillweb.doses.queries.days import day_of
from pillweb.doses.queries.intakes import shelf_of
from pillweb.medications.models import Medication
from pillweb.patients.actions import change_meals, change_zone
from pillweb.patients.models import Patient
from pillweb.reports.queries import gather_report
from pillweb.schedules.actions import change_lines, set_plan
from pillweb.schedules.rules.line import Pause
from pillweb.schedules.rules.pausing import paused, resumed
from pillweb.supply.queries.ledger import ledger_of
from pillweb.supply.queries.outlook import supplies_of
from pillweb.transfers.actions.asking import want_look
from pillweb.transfers.actions.bringing import bring_in, safe_pictures
from pillweb.transfers.queries.taking import write_everything
from pillweb.transfers.rules.reading import read_archive
from tests.supply.cupboard import Cupboard
from tests.world import daily, make_cast_account, make_patient, prescribe

FIRST = date(2026, 1, 1)
RANGES = (timedelta(days=6), timedelta(days=27), timedelta(days=364))


class Life:
    """Somebody who takes two medicines from before the clocks change on."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.own = Cupboard(session, make_patient(session, now=now), now)
        self.pills = [
            prescribe(session, self.own.patient, *clocks, now=now, name=name)
            for name, clocks in (("A", ("01:30", "20:00")), ("B", ("08:00",)))
        ]
        self.extras: list[int] = []
        self.plan()

    def plan(self) -> None:
        replan_doses(self.own.session, [self.own.patient.id], now=self.own.now)

    def tell(self, deed: str, which: int, number: int) -> None:
        """Let something happen, and a while go by."""
        getattr(self, deed)(self.pills[which], number)
        self.plan()
        self.own.now += timedelta(hours=5)
        self.plan()

    def _dose(self, pills: Medication, number: int) -> Dose:
        found = [
            dose
            for dose in self.own.doses(pills)
            if dose.state not in {"cancelled", "held"} and dose.due_at <= self.own.now
        ]
        return found[-1 - number % len(found)] if found else self.own.doses(pills)[0]

    def take(self, pills: Medication, number: int) -> None:
        self.own.take(self._dose(pills, number).id)

    def undo(self, pills: Medication, number: int) -> None:
        self.own.undo(self._dose(pills, number).id)

    def part(self, pills: Medication, number: int) -> None:
        self.own.take_some(self._dose(pills, number).id, Decimal("0.5"))

    def skip(self, pills: Medication, number: int) -> None:
        skip_dose(
            self.own.session,
            self._dose(pills, number).id,
            patient_id=self.own.patient.id,
            account_id=None,
            channel="page",
            reason=("unwell", "clinician_said", "forgot")[number % 3],
            now=self.own.now,
            note="In her own words\nof two lines",
        )

    def extra(self, pills: Medication, number: int) -> None:
        words = ("1", "1/2 tablet", "1/3 tablet")[number % 3]
        self.extras.append(self.own.take_more(self._dose(pills, number), words))

    def extra_back(self, _pills: Medication, number: int) -> None:
        if self.extras:
            self.own.undo_more(self.extras[number % len(self.extras)])

    def receive(self, pills: Medication, number: int) -> None:
        self.own.receive(pills, Fraction(28 + number, 1 + number % 3))

    def count(self, pills: Medication, number: int) -> None:
        self.own.count(pills, Fraction(number))

    def book(self, _pills: Medication, _number: int) -> None:
        self.own.book()

    def edit(self, pills: Medication, number: int) -> None:
        clocks = (("07:00",), ("02:30", "21:00"), ("08:00", "12:00", "23:30"))
        line = daily(*clocks[number % 3], start=self.own.now.date(), amount="2")
        facts: dict[str, Any] = {"author_id": None, "now": self.own.now}
        set_plan(self.own.session, pills, lines=[line], **facts)

    def pause(self, pills: Medication, number: int) -> None:
        start = self.own.now.date() + timedelta(days=number % 2)
        stay = Pause(start, start + timedelta(days=number), "hospital")
        self._change(pills, lambda line: paused(line, stay))

    def resume(self, pills: Medication, _number: int) -> None:
        self._change(pills, lambda line: resumed(line, self.own.now.date()))

    def _change(self, pills: Medication, change: Any) -> None:  # noqa: ANN401
        facts: dict[str, Any] = {"author_id": None, "now": self.own.now}
        change_lines(self.own.session, pills, change, reason="", **facts)

    def travel(self, _pills: Medication, number: int) -> None:
        change_zone(
            self.own.session,
            self.own.patient.id,
            ("America/New_York", "Asia/Kolkata", "Europe/London")[number % 3],
            at=self.own.now,
            is_travel=number % 2 == 0,
            account_id=None,
            now=self.own.now,
        )

    def eat(self, _pills: Medication, number: int) -> None:
        meals = {"breakfast": f"{7 + number % 3:02d}:00", "weekend": {"wake": "09:00"}}
        change_meals(self.own.session, self.own.patient.id, meals)

    def sleep(self, _pills: Medication, number: int) -> None:
        self.own.now += timedelta(days=number)


def taken_out(session: Session, patient_id: int, *, now: datetime) -> bytes:
    """Return the file of everything of somebody."""
    session.flush()
    session.expunge_all()
    out = BytesIO()
    write_everything(session, patient_id, out, is_own=True, now=now)
    return out.getvalue()


def brought(
    session: Session, raw: bytes, *, now: datetime, account_id: int | None = None
) -> int:
    """Bring somebody in from a file, for a new account; return the id."""
    if account_id is None:
        count = session.scalar(sa.select(sa.func.count()).select_from(Account))
        account_id = make_cast_account(session, f"Helper{count}", now=now).id
    row = want_look(session, account_id=account_id, content=raw, now=now)
    row.role = "caregiver"
    found = read_archive(raw)
    return bring_in(session, row, found, safe_pictures(found), now=now)


def _nameless(value: Any, places: dict[Any, int]) -> Any:  # noqa: ANN401 - of any type
    """Return a value in which a medicine is its place in the list, not its id."""
    if isinstance(value, Outcome):
        told = {one: getattr(value, one) for one in Outcome.__dataclass_fields__}
        return told | {"medicine": places.get(value.medicine)}
    return value


def numbers(session: Session, patient_id: int, *, now: datetime) -> dict[str, Any]:
    """Return everything that pages and reports tell of somebody in numbers."""
    session.flush()
    session.expire_all()
    patient = session.get_one(Patient, patient_id)
    mine = sa.select(Medication).where(Medication.patient_id == patient_id)
    medicines = session.scalars(mine.order_by(Medication.id)).all()
    places: dict[Any, int] = {one.id: place for place, one in enumerate(medicines)}
    place = zone(patient.zone)
    today = local(now, place).date()
    outcomes = outcomes_of(session, patient_id, first=FIRST, last=today)
    told: dict[str, Any] = {
        "outcomes": [_nameless(one, places) for one in outcomes],
        "patterns": patterns(outcomes, now),
        "calendar": [
            month_calendar(outcomes, 2026, month, today, now) for month in (10, 11)
        ],
        "report": gather_report(
            session, patient_id, first=today - RANGES[1], last=today, now=now
        ),
        "day": [
            (one.name, one.due_at, one.state, one.looks.words)
            for one in day_of(session, patient_id, place=place, now=now)
        ],
        "shelf": [
            (one.name, one.taken_at, one.amount, one.dose_text)
            for one in shelf_of(session, patient_id, now=now).intakes
        ],
    }
    for back in RANGES:
        some = [one for one in outcomes if one.nominal_date >= today - back]
        told[f"tally {back.days}"] = tally(some, now)
        told[f"each {back.days}"] = [
            (places[key], counts) for key, counts in by_medicine(some, now)
        ]
    supplies = supplies_of(session, patient_id, place=place, now=now)
    told["supplies"] = {
        places[key]: (one.balance, one.outlook) for key, one in supplies.items()
    }
    told["ledger"] = [_ledger(session, one) for one in medicines]
    return told


def _ledger(session: Session, medicine: Medication) -> Sequence[object]:
    """Return the ledger; who helped is nobody elsewhere."""
    rows, _older = ledger_of(session, medicine)
    return [replace(row, who="") for row in rows]
