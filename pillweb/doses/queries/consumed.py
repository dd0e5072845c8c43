"""What supply goes down by: everything that was taken and stands."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from pillweb.doses.models import Dose, Intake
from pillweb.doses.rules.days import PART, TAKEN


class Consumed(NamedTuple):
    """An amount that was taken and not taken back: what supply goes down by.

    (`source`, `id`) is its identity for ever: a dose or an intake. `amount` is in the
    unit of `dose_text`, None where nobody knows.
    """

    source: Literal["dose", "intake"]
    id: int
    medication_id: int
    at: datetime
    amount: Decimal | None
    dose_text: str | None


def consumed_of(
    session: Session, medication_ids: Collection[int], *, since: datetime
) -> list[Consumed]:
    """Return every amount of these medicines that was due or taken since and stands.

    It is what holds now, with everything that was taken back left out: whoever books
    it compares with what is booked already, by (`source`, `id`).
    """
    doses: Select[*tuple[Any, ...]] = select(
        literal_column("'dose'"),
        Dose.id,
        Dose.medication_id,
        func.coalesce(Dose.taken_at, Dose.due_at),
        Dose.taken_amount,
        Dose.dose_text,
    ).where(
        Dose.medication_id.in_(medication_ids),
        Dose.due_at >= since,
        Dose.state.in_((TAKEN, PART)),
    )
    intakes: Select[*tuple[Any, ...]] = select(
        literal_column("'intake'"),
        Intake.id,
        Intake.medication_id,
        Intake.taken_at,
        Intake.amount,
        Intake.dose_text,
    ).where(
        Intake.medication_id.in_(medication_ids),
        Intake.taken_at >= since,
        Intake.undone_at.is_(None),
    )
    found = [Consumed(*row) for row in session.execute(union_all(doses, intakes))]
    return sorted(found, key=lambda one: (one.at, one.source, one.id))
