"""Questions about what became of messages."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.outbox.models import Delivery
from pillweb.trail.rules import Trail, masked


def trails_of(
    session: Session,
    patient_id: int,
    *,
    patient_name: str,
    first: datetime,
    before: datetime,
) -> list[Trail]:
    """Return the messages about a patient that were made in this time.

    What went to nobody we know by name (a doctor) is told by its address alone.
    """
    rows = session.execute(
        select(Delivery, Account.name)
        .outerjoin(Account, Account.id == Delivery.account_id)
        .where(
            Delivery.patient_id == patient_id,
            Delivery.created_at >= first,
            Delivery.created_at < before,
        )
        .order_by(func.coalesce(Delivery.due_at, Delivery.created_at), Delivery.id)
    )
    return [_trail(row, helper, patient_name) for row, helper in rows]


def _trail(row: Delivery, helper: str | None, patient_name: str) -> Trail:
    to_patient = patient_name if row.contact_id else ""
    return Trail(
        id=row.id,
        kind=row.kind,
        subject_id=row.subject_id,
        channel=row.channel,
        who=helper or to_patient,
        address=masked(row.recipient),
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        due_at=row.due_at,
        next_at=row.next_at,
        accepted_at=row.accepted_at,
        delivered_at=row.delivered_at,
        opened_at=row.opened_at,
        answered_at=row.answered_at,
    )
