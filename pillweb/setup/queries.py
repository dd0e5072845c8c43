"""Questions about how far somebody is set up."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.accounts.queries import email_index
from pillweb.base.errors import LinkGoneError
from pillweb.base.tokens import token_hash
from pillweb.patients.models import Patient
from pillweb.schedules.queries import drafts_of, medicines_of
from pillweb.setup.models import MailTest, SetUp
from pillweb.setup.rules import Standing
from pillweb.sharing.models import Grant
from pillweb.sharing.queries import ACCEPTED, SELF, links_of
from pillweb.sharing.rules import Level, link_is_live


def standing_of(
    session: Session, patient_id: int, *, asked_by: int, now: datetime
) -> Standing:
    """Return how far a patient is set up; the account that asks is no helper here."""
    patient = session.get_one(Patient, patient_id)
    row = session.get(SetUp, patient_id)
    tests = _tests_of(session, patient)
    return Standing(
        name=patient.name,
        born=patient.born or "",
        zone=patient.zone,
        language=patient.language,
        email=patient.reminder_email,
        medicines=[
            one.medication.name
            for one in medicines_of(session, patient_id)
            if not one.medication.stopped_at
        ],
        unfinished=len(drafts_of(session, patient_id, now=now)),
        helpers=_helpers(session, patient_id, asked_by=asked_by, now=now),
        is_asked=any(test.expires_at > now for test in tests),
        is_proven=any(test.answered_at is not None for test in tests),
        is_finished=row is not None and row.finished_at is not None,
        answers=row.answers if row else {},
    )


def _tests_of(session: Session, patient: Patient) -> Sequence[MailTest]:
    """Return the tests that went to the address where reminders go now."""
    return session.scalars(
        select(MailTest).where(
            MailTest.patient_id == patient.id,
            MailTest.address_index == email_index(patient.reminder_email),
        )
    ).all()


def _helpers(
    session: Session, patient_id: int, *, asked_by: int, now: datetime
) -> list[str]:
    names = session.scalars(
        select(Account.name)
        .join(Grant, Grant.account_id == Account.id)
        .where(
            Grant.patient_id == patient_id,
            Grant.status == ACCEPTED,
            Grant.role != SELF,
            Grant.account_id != asked_by,
        )
        .order_by(Grant.id)
    )
    live = [
        link.label
        for link in links_of(session, patient_id)
        if link_is_live(expires_at=link.expires_at, revoked_at=link.revoked_at, now=now)
    ]
    return [*names, *reversed(live)]


def unfinished_of(session: Session, account_id: int) -> Collection[int]:
    """Return the patients whose set-up this account may go on with."""
    return session.scalars(
        select(SetUp.patient_id)
        .join(Grant, Grant.patient_id == SetUp.patient_id)
        .where(
            Grant.account_id == account_id,
            Grant.status == ACCEPTED,
            Grant.level >= int(Level.MANAGE),
            SetUp.finished_at.is_(None),
        )
    ).all()


def mail_test_behind(session: Session, token: str, *, now: datetime) -> MailTest:
    """Return the test with this secret.

    Raises:
        LinkGoneError: it is wrong or too old.
    """
    row = session.scalar(
        select(MailTest).where(
            MailTest.token_hash == token_hash(token), MailTest.expires_at > now
        )
    )
    if row is None:
        raise LinkGoneError
    return row
