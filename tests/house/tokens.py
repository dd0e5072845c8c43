"""Secrets of the cast: of mails and papers, and one more browser that is signed in."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pillweb.accounts.actions.entering import mail_sign_in
from pillweb.accounts.actions.sessions import start_session
from pillweb.accounts.actions.telling import tell_change
from pillweb.accounts.models import (
    Account,
    AccountLink,
    Passkey,
    Recovery,
    RecoveryHelper,
    WebSession,
)
from pillweb.accounts.rules import SIGNED_OUT
from pillweb.base.tokens import new_token, token_hash
from pillweb.contacts.models import ContactTest
from pillweb.contacts.queries import contacts_of_patient
from pillweb.papers.models import PaperCode
from tests.house.things import CANARIES
from tests.tokens import newest_token


def printed_token(session: Session, patient_id: int) -> str:
    wanted = sa.select(PaperCode.token).where(PaperCode.patient_id == patient_id)
    return session.scalars(wanted).one()


def account_token(session: Session, account_id: int, *, now: datetime) -> str:
    token = new_token()
    account = session.get_one(Account, account_id)
    session.add(
        AccountLink(
            account_id=account.id,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + timedelta(hours=1),
        )
    )
    return token


def notice_token(session: Session, account_id: int, *, now: datetime) -> str:
    """Tell an account that all other devices were signed out; return the secret."""
    tell_change(session, account_id, SIGNED_OUT, now=now)
    return newest_token(session)


def entry_token(session: Session, *, now: datetime) -> str:
    """Mail Rosa a way to sign some browser in; return the secret of its link."""
    mail_sign_in(
        session,
        email="rosa@family.example",
        client="10.0.0.1",
        is_own_device=False,
        now=now,
    )
    return newest_token(session)


def own_session(session: Session, account_id: int, *, now: datetime) -> int:
    """Sign an account in, in one more browser; return the session's id."""
    account = session.get_one(Account, account_id)
    start_session(session, account, name=f"{CANARIES['rosa']} tablet", now=now)
    session.flush()
    made = sa.select(sa.func.max(WebSession.id))
    return session.scalars(made).one()


def own_passkey(session: Session, account_id: int, *, now: datetime) -> int:
    """Give an account a passkey; return its id."""
    row = Passkey(
        account_id=account_id,
        credential_id=b"made up",
        public_key=b"made up",
        sign_count=0,
        transports=[],
        may_sync=True,
        is_synced=True,
        name=f"{CANARIES['rosa']} phone",
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def tested_token(session: Session, patient_id: int, *, now: datetime) -> str:
    """Prove that reminders arrive; return the secret of the test that did."""
    token = new_token()
    contact = contacts_of_patient(session, patient_id)[0]
    session.add(
        ContactTest(
            contact_id=contact.id,
            token_hash=token_hash(token),
            created_at=now,
            answered_at=now,
            expires_at=now + timedelta(hours=1),
        )
    )
    return token


def being_let_in(
    session: Session, account_id: int, helper_id: int, *, now: datetime
) -> tuple[int, str, str]:
    """Let a helper have begun to let somebody in, who said yes and was given a code.

    Returns the id of the trust, the secret of the notice, and that of the link.
    """
    trust = RecoveryHelper(account_id=account_id, helper_id=helper_id, named_at=now)
    yes, given = new_token(), new_token()
    session.add(trust)
    session.add(
        Recovery(
            account_id=account_id,
            helper_id=helper_id,
            yes_hash=token_hash(yes),
            stop_hash=token_hash(new_token()),
            link_hash=token_hash(given),
            started_at=now,
            ready_at=now,
            expires_at=now + timedelta(days=7),
            code_expires_at=now + timedelta(minutes=10),
        )
    )
    session.flush()
    return trust.id, yes, given
