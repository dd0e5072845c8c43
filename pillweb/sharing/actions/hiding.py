"""A medicine is hidden from some who help, and from those they let in."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, literal, select
from sqlalchemy.orm import Session

from pillweb.base.db import UTCDateTime, insert_new, insert_new_from
from pillweb.sharing.models import HiddenMedication


def hide_from(
    session: Session,
    *,
    patient_id: int,
    medication_id: int,
    account_ids: Collection[int],
    among: Collection[int],
    now: datetime,
) -> None:
    """Hide a medicine from just these of some accounts, from now on. Nobody is told."""
    session.execute(
        delete(HiddenMedication).where(
            HiddenMedication.medication_id == medication_id,
            HiddenMedication.account_id.in_(set(among) - set(account_ids)),
        ),
        execution_options={"synchronize_session": False},
    )
    rows = [
        {
            "account_id": account_id,
            "medication_id": medication_id,
            "patient_id": patient_id,
            "hidden_at": now,
        }
        for account_id in account_ids
    ]
    insert_new(session, HiddenMedication, rows)


def hide_alike(
    session: Session, *, patient_id: int, account_id: int, as_from: int, now: datetime
) -> None:
    """Hide from an account what is hidden from the one that let it in."""
    insert_new_from(
        session,
        HiddenMedication,
        ["account_id", "medication_id", "patient_id", "hidden_at"],
        select(
            literal(account_id),
            HiddenMedication.medication_id,
            HiddenMedication.patient_id,
            literal(now, UTCDateTime()),
        ).where(
            HiddenMedication.account_id == as_from,
            HiddenMedication.patient_id == patient_id,
        ),
    )
