"""Questions of the front door."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.accounts.queries import account_by_email
from pillweb.base.sight import seeing_everybody
from pillweb.patients.models import Patient
from pillweb.portals.rules import ELDER
from pillweb.reports.models import ReportOrder
from pillweb.sharing.models import Grant

A_MOMENT = timedelta(minutes=1)


def elder_just_loaded(session: Session, *, now: datetime) -> Account | None:
    """Return the demo family's elder, if the family was loaded within a minute."""
    with seeing_everybody(session):
        loaded_at: datetime | None = session.scalar(
            select(func.min(ReportOrder.created_at))
            .join(Patient, Patient.id == ReportOrder.patient_id)
            .where(Patient.is_demo)
        )
    if loaded_at is None or now - loaded_at > A_MOMENT:
        return None
    return account_by_email(session, ELDER[1])


def person_just_added(
    session: Session, account_id: int, *, name: str, zone: str, now: datetime
) -> int | None:
    """Return the patient of this name that the account added within a minute."""
    rows = session.execute(
        select(Patient.id, Patient.name)
        .join(Grant, Grant.patient_id == Patient.id)
        .where(
            Grant.account_id == account_id,
            Patient.zone == zone,
            Patient.created_at > now - A_MOMENT,
        )
    )
    return next((row.id for row in rows if row.name == name), None)
