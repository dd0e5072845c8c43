"""What a patient has at home, pressed and looked at in one session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.base.zones import zone
from pillweb.doses.actions.intakes import Told, record_another, undo_intake
from pillweb.doses.actions.marking import (
    mark_amount,
    mark_taken,
    undo_marks,
)
from pillweb.doses.models import Dose, DoseEvent
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.rules.dose import read_dose
from pillweb.supply.actions.booking import (
    book_supply,
    count_supply,
    receive_supply,
    remove_supply,
)
from pillweb.supply.models import SupplyEntry
from pillweb.supply.queries.ledger import balances_of
from pillweb.supply.rules.ledger import LOST

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
