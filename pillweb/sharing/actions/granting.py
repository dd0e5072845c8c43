"""What somebody may do for a patient: given, changed and ended."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.db import insert_new
from pillweb.outbox.actions.sending import suppress_told
from pillweb.patients.models import Patient
from pillweb.sharing.actions.hiding import hide_alike
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import helper_of, would_gain
from pillweb.sharing.queries.doors import holds
from pillweb.sharing.rules import (
    A_YEAR,
    ACCEPTED,
    DECLINED,
    ENDED,
    PENDING,
    REVOKED,
    SELF,
    USUAL,
    Level,
    Terms,
    may,
)


def grant_access(
    session: Session,
    *,
    account_id: int,
    patient_id: int,
    level: Level,
    role: str,
    now: datetime,
) -> Grant:
    """Let an account see or do this much for a patient, as is usual for its role.

    Or be that patient.
    """
    _note_patient(session, account_id, role)
    grant = Grant(
        account_id=account_id,
        patient_id=patient_id,
        level=int(level),
        role=role,
        sees=sorted(USUAL[role]),
        status=ACCEPTED,
        created_at=now,
        ask_at=None if role == SELF else now + A_YEAR,
    )
    session.add(grant)
    return grant


def _note_patient(session: Session, account_id: int, role: str) -> None:
    """Note whether somebody takes medicine and helps nobody else."""
    helps = exists().where(
        Grant.account_id == account_id, Grant.status == ACCEPTED, Grant.role != SELF
    )
    is_patient = role == SELF and not session.scalar(select(helps))
    session.get_one(Account, account_id).is_patient = is_patient


def let_in(
    session: Session,
    *,
    account_id: int,
    patient_id: int,
    terms: Terms,
    given_by_id: int | None,
    waits: bool = False,
    now: datetime,
) -> Grant | None:
    """Let an account in on these terms; None where they give it nothing, or take.

    Where it `waits`, it is let in once somebody who manages agrees.
    """
    grant = grant_row(session, account_id, patient_id, now=now)
    if not would_gain(session, account_id, patient_id, terms, now=now):
        return None
    if waits:
        let_wait(grant, terms.role, now=now)
    else:
        agree_to(session, grant, terms, given_by_id=given_by_id, now=now)
    return grant


def let_wait(grant: Grant, role: str, *, now: datetime) -> None:
    """Ask whoever manages about an account that sees nothing until they agree."""
    grant.status, grant.role, grant.level = PENDING, role, int(Level.VIEW)
    grant.sees, grant.ends_at, grant.ended_at = [], None, None
    grant.created_at = grant.ask_at = now


def agree_to(
    session: Session,
    grant: Grant,
    terms: Terms,
    *,
    given_by_id: int | None,
    now: datetime,
) -> None:
    """Let in whose row this is; of all who say they are the patient one is."""
    _note_patient(session, grant.account_id, terms.role)
    grant.status, grant.role, grant.given_by_id = ACCEPTED, terms.role, given_by_id
    grant.created_at, grant.ended_at = now, None
    grant.ask_at = None if terms.role == SELF else now + A_YEAR
    set_terms(grant, terms)
    if terms.role == SELF:
        session.execute(
            update(Grant)
            .where(
                Grant.patient_id == grant.patient_id,
                Grant.id != grant.id,
                Grant.role == SELF,
                Grant.status == PENDING,
            )
            .values(status=DECLINED, ended_at=now, ask_at=None)
        )
    elif given_by_id is not None:
        hide_alike(
            session,
            patient_id=grant.patient_id,
            account_id=grant.account_id,
            as_from=given_by_id,
            now=now,
        )


def grant_row(
    session: Session, account_id: int, patient_id: int, *, now: datetime
) -> Grant:
    """Return the one row of an account and a patient, locked; a new one has ended."""
    new = {
        "account_id": account_id,
        "patient_id": patient_id,
        "level": int(Level.VIEW),
        "role": "",
        "status": ENDED,
        "sees": [],
        "alerts": False,
        "wants": [],
        "created_at": now,
    }
    insert_new(session, Grant, [new])
    return session.scalars(
        select(Grant)
        .where(Grant.account_id == account_id, Grant.patient_id == patient_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def set_terms(grant: Grant, terms: Terms) -> None:
    """Let a grant be for this much from now on."""
    grant.level = int(terms.level)
    grant.sees = sorted(terms.sees)
    grant.ends_at = terms.ends_at


def change_access(
    session: Session, *, patient_id: int, grant_id: int, terms: Terms, now: datetime
) -> bool:
    """Let a helper do and see just this from now on; no if nobody else would manage.

    Raises:
        NotFoundError: nobody helps this patient by that grant.
    """
    grant = _helper_row(session, patient_id, grant_id)
    keeps = may(terms.level, Level.MANAGE) and terms.ends_at is None
    if not keeps and _is_last(session, grant, now=now):
        return False
    set_terms(grant, terms)
    return True


def stop_access(
    session: Session, *, patient_id: int, grant_id: int, now: datetime
) -> bool:
    """End what a helper may do and is told at once; no if nobody else would manage.

    Raises:
        NotFoundError: nobody helps this patient by that grant.
    """
    grant = _helper_row(session, patient_id, grant_id)
    if _is_last(session, grant, now=now):
        return False
    _end(session, grant, REVOKED, now=now)
    return True


def end_grants(session: Session, *, now: datetime, limit: int) -> Sequence[Grant]:
    """End what was given until now; return which that were."""
    over = session.scalars(
        select(Grant)
        .where(Grant.status == ACCEPTED, Grant.ends_at <= now)
        .order_by(Grant.ends_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for grant in over:
        _end(session, grant, ENDED, now=now)
    return over


def lock_patient(session: Session, patient_id: int) -> None:
    """Let whoever changes who may look at a patient take turns, before any other lock.

    Two would else leave nobody to manage, or both be the patient, or one be let in
    while nothing is to be shared.
    """
    session.execute(
        select(Patient.id).where(Patient.id == patient_id).with_for_update()
    )


def _helper_row(session: Session, patient_id: int, grant_id: int) -> Grant:
    lock_patient(session, patient_id)
    helper = helper_of(session, patient_id, grant_id)
    return session.get_one(Grant, helper.grant_id, populate_existing=True)


def _is_last(session: Session, grant: Grant, *, now: datetime) -> bool:
    """Say whether nobody else manages for good."""
    others = (
        select(Grant.id)
        .where(
            Grant.patient_id == grant.patient_id,
            Grant.id != grant.id,
            Grant.level >= int(Level.MANAGE),
            Grant.ends_at.is_(None),
            holds(now),
        )
        .limit(1)
    )
    return may(grant.level, Level.MANAGE) and session.scalar(others) is None


def _end(session: Session, grant: Grant, status: str, *, now: datetime) -> None:
    grant.status, grant.ended_at, grant.ask_at = status, now, None
    grant.alerts, grant.ladder_place, grant.wants = False, None, []
    suppress_told(session, grant.account_id, patient_id=grant.patient_id, reason=status)


def ask_again(session: Session, grant_ids: Iterable[int], *, now: datetime) -> None:
    """Note that the patient's side was asked about these grants, for a year."""
    session.execute(
        update(Grant).where(Grant.id.in_(grant_ids)).values(ask_at=now + A_YEAR),
        execution_options={"synchronize_session": False},
    )


def choose_told(
    session: Session,
    *,
    patient_id: int,
    grant_id: int,
    alerts: bool,
    ladder_place: int | None,
    wants: Collection[str],
) -> None:
    """Tell a helper just this from now on; see `sharing.models.Grant`.

    Raises:
        NotFoundError: nobody helps this patient by that grant.
    """
    helper = helper_of(session, patient_id, grant_id)
    session.execute(
        update(Grant)
        .where(Grant.id == helper.grant_id)
        .values(alerts=alerts, ladder_place=ladder_place, wants=list(wants)),
        execution_options={"synchronize_session": False},
    )
