"""From whom which medicines are hidden, and sessions that see as somebody does."""

from collections.abc import Collection, Mapping

from sqlalchemy import String, and_, cast, func, select
from sqlalchemy.orm import Session

from pillweb.base.hiding import hide_medicines
from pillweb.sharing.models import Grant, HiddenMedication
from pillweb.sharing.rules import SELF

IS_HIDDEN = and_(
    HiddenMedication.account_id == Grant.account_id,
    HiddenMedication.patient_id == Grant.patient_id,
    Grant.role != SELF,
)
# A column of any question about a `Grant`: what is hidden from who helps by it.
HIDDEN = (
    select(func.aggregate_strings(cast(HiddenMedication.medication_id, String), ","))
    .where(IS_HIDDEN)
    .correlate(Grant)
    .scalar_subquery()
)


def read_hidden(told: str | None) -> frozenset[int]:
    """Return the medicines that `HIDDEN` told of."""
    return frozenset(map(int, told.split(","))) if told else frozenset()


def hidden_of(
    session: Session, patient_id: int, account_ids: Collection[int]
) -> Mapping[int, frozenset[int]]:
    """Return the medicines that are hidden from those of these accounts, if any are."""
    rows = session.execute(
        select(Grant.account_id, HIDDEN).where(
            Grant.patient_id == patient_id, Grant.account_id.in_(account_ids)
        )
    )
    return {account_id: read_hidden(told) for account_id, told in rows if told}


def hidden_from(session: Session, medication_id: int) -> frozenset[int]:
    """Return the accounts from which a medicine is hidden."""
    wanted = HiddenMedication.medication_id == medication_id
    return frozenset(session.scalars(select(HiddenMedication.account_id).where(wanted)))


def see_as(session: Session, account_id: int | None, patient_id: int) -> None:
    """Let a session find of a patient what an account would: what it made is so.

    For whatever is not opened by that account itself: what it ordered, printed or gave
    away. What nobody made finds everything.
    """
    if account_id is not None:
        found = hidden_of(session, patient_id, [account_id])
        hide_medicines(session, found.get(account_id, ()), account_id=account_id)
