"""Access is asked for by a code, and answered."""

import secrets
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pillweb.base.crypto import blind_index
from pillweb.base.errors import NotFoundError
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.invitations.models import AskingCode
from pillweb.invitations.queries import CODE, patient_by_code, request_of
from pillweb.invitations.rules import CODE_LENGTH, CODE_LETTERS
from pillweb.sharing.actions.granting import (
    agree_to,
    grant_row,
    let_wait,
    lock_patient,
)
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import has_own_account
from pillweb.sharing.rules import ACCEPTED, DECLINED, KEPT_OUT, PENDING, SELF, Terms


def make_code(session: Session, patient_id: int, *, now: datetime) -> None:
    """Give a patient new letters to be asked by; the ones before ask nobody."""
    forget_code(session, patient_id)
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    index = blind_index(code, purpose=CODE)
    row = AskingCode(patient_id=patient_id, code=code, code_index=index, made_at=now)
    session.add(row)


def forget_code(session: Session, patient_id: int) -> None:
    """Let nobody ask for access any more."""
    session.execute(delete(AskingCode).where(AskingCode.patient_id == patient_id))


def ask_access(
    session: Session, *, account_id: int, code: str, role: str, now: datetime
) -> bool:
    """Ask for access to whoever has this code; no where nobody has.

    Nothing changes for who has access, has it again when sharing goes on, or asked
    before.
    """
    patient_id = patient_by_code(session, code)
    if patient_id is None:
        return False
    note_visit(session, Visit(patient_id, ACCOUNT, account_id))
    grant = grant_row(session, account_id, patient_id, now=now)
    over = grant.ends_at is not None and grant.ends_at <= now
    if grant.status not in {ACCEPTED, PENDING, KEPT_OUT} or over:
        let_wait(grant, role, now=now)
    return True


def answer_request(
    session: Session,
    *,
    patient_id: int,
    grant_id: int,
    terms: Terms | None,
    given_by_id: int,
    now: datetime,
) -> None:
    """Let somebody in who asked, on these terms; on none they are not.

    Raises:
        NotFoundError: nobody asks, or not any more; or as a patient who signs in.
    """
    lock_patient(session, patient_id)
    request = request_of(session, patient_id, grant_id)
    grant = session.get_one(
        Grant, request.grant_id, with_for_update=True, populate_existing=True
    )
    if grant.status != PENDING:
        raise NotFoundError
    if terms is None:
        grant.given_by_id = given_by_id
        grant.status, grant.ended_at, grant.ask_at = DECLINED, now, None
        return
    if terms.role == SELF and has_own_account(session, patient_id, now=now):
        raise NotFoundError
    agree_to(session, grant, terms, given_by_id=given_by_id, now=now)
