"""Questions about how far somebody is set up."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.i18n import gettext as _
from pillweb.channels.registry import channels
from pillweb.contacts.models import ContactTest
from pillweb.contacts.queries import contacts_of_patient
from pillweb.contacts.rules import ACTIVE, STOPPED, spelled_address
from pillweb.patients.models import Patient
from pillweb.schedules.queries import drafts_of, medicines_of
from pillweb.setup.models import SetUp
from pillweb.setup.rules import Standing
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import links_of
from pillweb.sharing.rules import ACCEPTED, SELF, Level, link_is_live


def standing_of(
    session: Session, patient_id: int, *, asked_by: int, now: datetime
) -> Standing:
    """Return how far a patient is set up; the account that asks is no helper here."""
    patient = session.get_one(Patient, patient_id)
    row = session.get(SetUp, patient_id)
    email, reached, is_asked = _main_address(session, patient_id, now=now)
    return Standing(
        name=patient.name,
        born=patient.born or "",
        zone=patient.zone,
        language=patient.language,
        email=email,
        medicines=[
            one.medication.name
            for one in medicines_of(session, patient_id)
            if not one.medication.stopped_at
        ],
        unfinished=len(drafts_of(session, patient_id, now=now)),
        helpers=_helpers(session, patient_id, asked_by=asked_by, now=now),
        is_asked=is_asked,
        reached=reached,
        is_finished=row is not None and row.finished_at is not None,
        answers=row.answers if row else {},
    )


def _main_address(
    session: Session, patient_id: int, *, now: datetime
) -> tuple[str, str, bool]:
    """Return where mail reminds a patient, what reaches them, and if a test is out."""
    mine = contacts_of_patient(session, patient_id)
    mails = [one for one in mine if one.channel == "email" and one.state != STOPPED]
    working = [one for one in (*mails, *mine) if one.state == ACTIVE]
    reached = ""
    if working:
        kind, address = working[0].channel, working[0].address
        reached = spelled_address(kind, address) or _(channels()[kind].LABEL)
    if not mails:
        return "", reached, False
    asked = select(ContactTest.id).where(
        ContactTest.contact_id == mails[0].id, ContactTest.expires_at > now
    )
    is_asked = session.scalar(asked.limit(1)) is not None
    return mails[0].address, reached, is_asked


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
