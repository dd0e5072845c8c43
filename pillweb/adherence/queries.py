"""What became of a patient's doses, as the rules count it."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from pillweb.adherence.rules.outcome import WHOLE, Outcome
from pillweb.doses.models import Dose
from pillweb.doses.rules.days import CANCELLED


def _fraction(taken: Decimal | None, planned: Decimal | None) -> Fraction:
    if taken is None or not planned:
        return WHOLE
    return Fraction(taken) / Fraction(planned)


def outcomes_of(
    session: Session, patient_id: int, *, first: date, last: date
) -> list[Outcome]:
    """Return the outcomes of doses whose nominal dates lie in first to last, inclusive.

    `medicine` is the medication's id.
    """
    return outcomes_by_patient(session, [patient_id], first=first, last=last)[
        patient_id
    ]


def outcomes_by_patient(
    session: Session, patient_ids: Collection[int], *, first: date, last: date
) -> dict[int, list[Outcome]]:
    """Return the outcomes of several patients, by their ids, as `outcomes_of` does."""
    # A nominal date lies within two days of the instant, in whatever zone.
    start = datetime.fromisoformat(f"{first}T00:00Z") - timedelta(days=2)
    end = datetime.fromisoformat(f"{last}T00:00Z") + timedelta(days=3)
    rows = session.execute(
        select(
            Dose.due_at,
            Dose.nominal_date,
            Dose.state,
            Dose.window_min,
            Dose.missed_at,
            Dose.taken_at,
            Dose.taken_amount,
            Dose.amount,
            Dose.skip_reason,
            Dose.medication_id,
            Dose.local_label,
            Dose.recorded_at,
            Dose.system_fault,
            Dose.patient_id,
        )
        .where(
            Dose.patient_id.in_(patient_ids),
            Dose.due_at >= start,
            Dose.due_at < end,
            Dose.nominal_date.between(first, last),
            Dose.state != CANCELLED,
        )
        .order_by(Dose.due_at, Dose.id)
    )
    found: dict[int, list[Outcome]] = {one: [] for one in patient_ids}
    for row in rows:
        found[row.patient_id].append(_outcome(row))
    return found


def _outcome(row: Row[*tuple[Any, ...]]) -> Outcome:
    return Outcome(
        due_at=row.due_at,
        nominal_date=row.nominal_date,
        state=row.state,
        window=timedelta(minutes=row.window_min),
        missed_at=row.missed_at,
        taken_at=row.taken_at,
        fraction=_fraction(row.taken_amount, row.amount),
        reason=row.skip_reason or "",
        medicine=row.medication_id,
        local_time=time.fromisoformat(row.local_label),
        entered_at=row.recorded_at,
        system_fault=row.system_fault,
    )
