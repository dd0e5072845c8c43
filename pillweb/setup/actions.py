"""What happens while somebody is set up."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.contacts.actions.adding import replace_email
from pillweb.contacts.actions.posting import send_contact_test
from pillweb.contacts.queries import patients_to_tell
from pillweb.setup.models import SetUp


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


def remind_at(session: Session, patient_id: int, *, email: str, now: datetime) -> None:
    """Let reminders go to this address alone of all mail, and test that they arrive.

    What an address answered once still counts when reminders go there again. Another
    address makes a finished set-up unfinished: nobody knows yet whose it is.
    """
    contact = replace_email(session, patient_id, email=email, now=now)
    if contact.proven_at is None:
        session.execute(
            update(SetUp).where(SetUp.patient_id == patient_id).values(finished_at=None)
        )
    person = patients_to_tell(session, [patient_id], now=now)[patient_id]
    send_contact_test(session, contact, person, now=now)
