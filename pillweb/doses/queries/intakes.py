"""Questions about intakes, and about everything taken, planned or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import (
    ColumnElement,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.db import ask
from pillweb.base.errors import NotFoundError
from pillweb.base.hiding import counting_hidden, hidden_ids
from pillweb.base.i18n import gettext as _
from pillweb.base.zones import Zone, day_bounds
from pillweb.doses.models import Dose, DoseEvent, Intake
from pillweb.doses.queries.days import (
    TODAY_ROWS,
    WIDTH,
    dose_of_row,
    today_values,
)
from pillweb.doses.rules.days import CANCELLED, PART, TAKEN, DoseFacts
from pillweb.doses.rules.intakes import IntakeFacts
from pillweb.medications.models import Medication
from pillweb.medications.rules import (
    Looks,
    needs_help_at_once,
    read_ingredients,
    unit_of,
)
from pillweb.schedules.models import Line, Plan
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.guard import Medicine, Taking
from pillweb.schedules.rules.line import Dose as Amount
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.missed import Advice, days_without_record, missed_advice
from pillweb.schedules.rules.needed import Needed
from pillweb.schedules.rules.slots_of_day import REMOVE

# How far back a record may still bind; limits longer than a month are very rare.
LOOK_BACK = timedelta(days=32)
SOME_DAYS = timedelta(days=3)
MEDICINE, KIND = 17, WIDTH


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one patient takes as needed, and what was taken that may bind it."""

    needed: tuple[Needed, ...]
    taken: tuple[Taking, ...]
    intakes: tuple[IntakeFacts, ...]

    def find(self, medication_id: int) -> Needed | None:
        """Return how a medicine is taken as needed."""
        return next((n for n in self.needed if n.medicine.id == medication_id), None)


def _none(column: Any) -> ColumnElement[Any]:  # noqa: ANN401 - of any type
    """Return an empty place for a column of other rows."""
    return cast(null(), column.type)


def _told(of: str) -> ColumnElement[str]:
    return literal_column(f"'{of}'")


# The columns of `TODAY_ROWS`, then: kind, ingredients, rule, dose, asked.
_DOSES = TODAY_ROWS.order_by(None).add_columns(
    _told("dose"),
    _none(Medication.ingredients),
    _none(Line.rule),
    _none(Intake.dose_id),
    _none(Intake.was_asked),
)
_UNPLANNED = [
    _none(column) for column in (Dose.action, Dose.nominal_date, Dose.local_label)
]
_UNSAID = [
    _none(column) for column in (Dose.window_min, Dose.skip_reason, Dose.later_until)
]
_UNSEEN = [
    _none(column)
    for column in (Medication.looks, Medication.picture_key, Dose.system_fault)
]
_LINES = (
    select(
        func.coalesce(Line.origin_id, Line.id),
        Medication.name,
        Medication.strength,
        Medication.form,
        Medication.reason,
        Medication.instruction,
        _none(Dose.amount),
        _none(Dose.dose_text),
        *_UNPLANNED,
        Plan.valid_from,
        _none(Dose.missed_at),
        _none(Dose.state),
        _none(Dose.recorded_at),
        _none(Dose.taken_at),
        _none(Dose.zone),
        Medication.id,
        *_UNSAID,
        Medication.looks,
        Medication.picture_key,
        _none(Dose.system_fault),
        _told("line"),
        Medication.ingredients,
        Line.rule,
        _none(Intake.dose_id),
        _none(Intake.was_asked),
    )
    .join(Plan, Plan.id == Line.plan_id)
    .join(Medication, Medication.id == Plan.medication_id)
    .where(
        Line.patient_id == bindparam("patient_id"),
        Plan.valid_to.is_(None),
        Medication.stopped_at.is_(None),
        Line.kind == "prn",
    )
)
_INTAKES = (
    select(
        Intake.id,
        Medication.name,
        Medication.strength,
        Medication.form,
        _none(Medication.reason),
        _none(Medication.instruction),
        Intake.amount,
        Intake.dose_text,
        *_UNPLANNED,
        Intake.taken_at,
        _none(Dose.missed_at),
        _none(Dose.state),
        Intake.entered_at,
        Intake.taken_at,
        _none(Dose.zone),
        Medication.id,
        *_UNSAID,
        *_UNSEEN,
        _told("intake"),
        Medication.ingredients,
        _none(Line.rule),
        Intake.dose_id,
        Intake.was_asked,
    )
    .join(Medication, Medication.id == Intake.medication_id)
    .where(
        Intake.patient_id == bindparam("patient_id"),
        Intake.taken_at >= bindparam("since"),
        Intake.undone_at.is_(None),
    )
)
_TAKEN_AT = func.coalesce(Dose.taken_at, Dose.due_at)
# Planned doses count for who takes anything as needed: of the same medicine, or of one
# whose ingredients are known. For all others `_SINCE` is empty, and no dose is read.
_NEEDED_IDS = (
    select(Plan.medication_id)
    .join(Line, Line.plan_id == Plan.id)
    .where(
        Line.patient_id == bindparam("patient_id"),
        Plan.valid_to.is_(None),
        Line.kind == "prn",
    )
)
_SINCE = (
    _NEEDED_IDS.with_only_columns(bindparam("since", type_=Dose.due_at.type))
    .limit(1)
    .scalar_subquery()
)
_TAKEN = (
    select(
        Dose.id,
        Medication.name,
        Medication.strength,
        Medication.form,
        _none(Medication.reason),
        _none(Medication.instruction),
        Dose.taken_amount,
        Dose.dose_text,
        *_UNPLANNED,
        Dose.due_at,
        Dose.missed_at,
        Dose.state,
        Dose.recorded_at,
        _TAKEN_AT,
        _none(Dose.zone),
        Medication.id,
        *_UNSAID,
        *_UNSEEN,
        _told("taken"),
        Medication.ingredients,
        _none(Line.rule),
        _none(Intake.dose_id),
        _none(Intake.was_asked),
    )
    .join(Medication, Medication.id == Dose.medication_id)
    .where(
        Dose.patient_id == bindparam("patient_id"),
        Dose.due_at >= _SINCE,
        or_(Dose.state == TAKEN, Dose.state == PART),
        or_(Dose.action.is_(None), Dose.action != REMOVE),
        or_(Medication.id.in_(_NEEDED_IDS), Medication.ingredients.is_not(None)),
    )
)
_SHELF = union_all(_LINES, _INTAKES, _TAKEN)
_TAKINGS = union_all(_INTAKES, _TAKEN)
_TODAY_AND_SHELF = union_all(_DOSES, _LINES, _INTAKES, _TAKEN)


def today_and_shelf(
    session: Session, patient_id: int, *, place: Zone, now: datetime
) -> tuple[list[DoseFacts], Shelf]:
    """Return the doses of today's page, and what is taken as needed, in one question.

    The page is opened by everybody every day, so it asks as little as it can.
    """
    values = today_values(patient_id, place=place, now=now)
    values["since"] = now - LOOK_BACK
    rows = ask(session, _TODAY_AND_SHELF, values).all()
    found = [dose_of_row(row) for row in rows if row[KIND] == "dose"]
    return found, _counted(session, _shelf(rows), values)


def shelf_of(session: Session, patient_id: int, *, now: datetime) -> Shelf:
    """Return what is taken as needed, and what was taken in the last month."""
    values = {"patient_id": patient_id, "since": now - LOOK_BACK}
    return _counted(session, _shelf(ask(session, _SHELF, values).all()), values)


def _counted(session: Session, shelf: Shelf, values: Mapping[str, object]) -> Shelf:
    """Return a shelf that binds by what is hidden, too: too much is never hidden."""
    hidden = hidden_ids(session)
    if not hidden:
        return shelf
    with counting_hidden(session):
        rows = ask(session, _TAKINGS, values).all()
    taken = []
    for one in map(_taking, rows):
        medicine = one.medicine
        if medicine.id in hidden:
            medicine = medicine._replace(name=_("another medicine"))
        taken.append(one._replace(medicine=medicine))
    return replace(shelf, taken=tuple(taken))


def intakes_on(
    session: Session, patient_id: int, on: date, *, place: Zone
) -> list[IntakeFacts]:
    """Return the intakes of a local day, oldest first."""
    start, end = day_bounds(on, place)
    values = {"patient_id": patient_id, "since": start}
    found = [_intake(row) for row in ask(session, _INTAKES, values)]
    return sorted(
        (one for one in found if one.taken_at < end), key=lambda one: one.taken_at
    )


def _shelf(rows: Sequence[Sequence[Any]]) -> Shelf:
    needed = [_needed(row) for row in rows if row[KIND] == "line"]
    intakes = [_intake(row) for row in rows if row[KIND] == "intake"]
    taken = [_taking(row) for row in rows if row[KIND] in ("intake", "taken")]
    return Shelf(
        tuple(sorted(needed, key=lambda one: (one.medicine.id, one.line_id))),
        tuple(taken),
        tuple(sorted(intakes, key=lambda one: one.taken_at)),
    )


def _medicine(row: Sequence[Any]) -> Medicine:
    return Medicine(
        id=row[MEDICINE],
        name=row[1],
        unit=unit_of(row[3]),
        ingredients=read_ingredients(row[KIND + 1]),
    )


def _needed(row: Sequence[Any]) -> Needed:
    return Needed(
        line_id=row[0],
        medicine=_medicine(row),
        line=line_from_json(row[KIND + 2]),
        strength=row[2],
        reason=row[4],
        instruction=row[5],
        looks=Looks(*row[KIND - 2 : KIND]),
    )


def _intake(row: Sequence[Any]) -> IntakeFacts:
    return IntakeFacts(
        id=row[0],
        name=row[1],
        strength=row[2],
        unit=unit_of(row[3]),
        medication_id=row[MEDICINE],
        dose_id=row[KIND + 3],
        taken_at=row[15],
        entered_at=row[14],
        amount=row[6],
        dose_text=row[7],
        was_asked=row[KIND + 4],
    )


def _taking(row: Sequence[Any]) -> Taking:
    medicine = _medicine(row)
    return Taking(medicine, row[15], amount_of_row(row[6], row[7]))


def amount_of_row(amount: Decimal | None, dose_text: str | None) -> Amount | None:
    """Return the number that was taken in the unit of the plan's words."""
    words = read_dose(dose_text) if dose_text else Amount("")
    if amount is None:
        return words if dose_text else None
    return replace(words, amount=amount, fraction=Fraction(amount))


def intake_by_key(session: Session, patient_id: int, key: str) -> Intake | None:
    """Return the intake that a form already made."""
    return session.scalar(
        select(Intake).where(Intake.patient_id == patient_id, Intake.key == key)
    )


def who_recorded(session: Session, dose_id: int) -> str:
    """Return the name of who recorded a dose last; empty where nobody is known."""
    name = session.scalar(
        select(Account.name)
        .select_from(DoseEvent)
        .outerjoin(Account, Account.id == DoseEvent.account_id)
        .where(DoseEvent.dose_id == dose_id)
        .order_by(DoseEvent.id.desc())
        .limit(1)
    )
    return name or ""


def missed_advice_of(
    session: Session, patient_id: int, dose_id: int, *, now: datetime
) -> Advice:
    """Return what may be said about a dose that has no record.

    Raises:
        NotFoundError: the patient has no such dose.
    """
    found = session.execute(
        select(Dose, Medication, Line.rule)
        .join(Medication, Medication.id == Dose.medication_id)
        .join(
            Line,
            (Line.plan_id == Dose.plan_id)
            & (func.coalesce(Line.origin_id, Line.id) == Dose.line_id),
        )
        .where(Dose.id == dose_id, Dose.patient_id == patient_id)
    ).first()
    if found is None:
        raise NotFoundError
    dose, medicine, rule = found
    around = session.execute(
        select(Dose.nominal_date, Dose.state, Dose.due_at).where(
            Dose.medication_id == medicine.id,
            Dose.state != CANCELLED,
            Dose.due_at >= dose.due_at - SOME_DAYS,
            Dose.due_at <= now,
        )
    ).all()
    earlier = [row for row in around if row.due_at <= dose.due_at]
    return missed_advice(
        line_from_json(rule),
        leaflet=medicine.missed_text or "",
        medicine_class=medicine.category,
        is_dangerous=needs_help_at_once(
            medicine.name, medicine.ingredients, medicine.category
        ),
        days_without=days_without_record(
            [(row.nominal_date, row.state in (TAKEN, PART)) for row in earlier],
            on=dose.nominal_date,
        ),
        next_is_due=any(row.due_at > dose.due_at for row in around),
    )
