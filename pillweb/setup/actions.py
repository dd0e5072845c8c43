"""What happens while somebody is set up."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pillweb.accounts.queries import email_index
from pillweb.base.db import insert_new
from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.outbox.actions import post_delivery
from pillweb.patients.models import Patient
from pillweb.patients.queries import speech_to
from pillweb.setup.models import MailTest, SetUp

MAIL_TEST = "mail_test"
TEST_LIFE = timedelta(days=2)


def begin_set_up(session: Session, patient_id: int, *, now: datetime) -> None:
    """Note that a patient is being set up; a second time changes nothing."""
    row = {"patient_id": patient_id, "answers": {}, "created_at": now}
    insert_new(session, SetUp, [row])


def keep_step(
    session: Session, patient_id: int, step: str, *, answer: str, now: datetime
) -> None:
    """Keep that a step is done with, or left for later."""
    begin_set_up(session, patient_id, now=now)
    row = session.get_one(SetUp, patient_id, with_for_update=True)
    row.answers = {**row.answers, step: answer}


def finish_set_up(session: Session, patient_id: int, *, now: datetime) -> None:
    """Call the set-up of a patient done; a second time changes nothing."""
    begin_set_up(session, patient_id, now=now)
    row = session.get_one(SetUp, patient_id, with_for_update=True)
    row.finished_at = row.finished_at or now


def send_mail_test(
    session: Session, patient_id: int, *, email: str, now: datetime
) -> None:
    """Let reminders go to this address, and mail it a link to prove that they arrive.

    What an address answered once still counts when reminders go there again. Another
    address makes a finished set-up unfinished: nobody knows yet whose it is.
    """
    patient = session.get_one(Patient, patient_id)
    patient.reminder_email = email
    answered = select(MailTest.id).where(
        MailTest.patient_id == patient_id,
        MailTest.address_index == email_index(email),
        MailTest.answered_at.is_not(None),
    )
    if session.scalar(answered.limit(1)) is None:
        session.execute(
            update(SetUp).where(SetUp.patient_id == patient_id).values(finished_at=None)
        )
    token = new_token()
    row = MailTest(
        patient_id=patient_id,
        address_index=email_index(email),
        token_hash=token_hash(token),
        created_at=now,
        expires_at=now + TEST_LIFE,
    )
    session.add(row)
    session.flush()
    with speaking(speech_to(session, patient, email=email)):
        post_delivery(
            session,
            kind=MAIL_TEST,
            recipient=email,
            dedupe_key=f"{MAIL_TEST}:{row.id}",
            context={"first_name": patient.name, "link": link(f"/m/{token}")},
            now=now,
            expires_at=row.expires_at,
            patient_id=patient_id,
        )


def answer_mail_test(row: MailTest, *, now: datetime) -> None:
    """Note that a test arrived; a second press changes nothing."""
    row.answered_at = row.answered_at or now
