"""Whoever was chosen is told at once that too much was recorded."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.accounts.queries import speeches_of
from pillweb.base.config import settings
from pillweb.base.emergency import help_in
from pillweb.base.i18n import Speech, speaking, speech
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.outbox.actions import post_delivery
from pillweb.patients.models import Patient
from pillweb.sharing.queries import told_of
from pillweb.sharing.rules import Door

TOO_MUCH = "too_much"


def tell_of_too_much(
    session: Session,
    door: Door,
    *,
    about: str,
    account_id: int | None,
    recorded_by: str,
    now: datetime,
) -> int:
    """Post one message to each helper who was chosen for it; return how many.

    Who recorded it saw it on the page and is not written to. `about` names what was
    recorded ("intake:7"): told twice it is one message. No medicine is named.
    """
    numbers = help_in(door.zone, settings())
    at = local(now, zone(door.zone))
    told = told_of(session, door.patient_id, besides=account_id)
    speeches = speeches_of(session, [email for _, _, email in told])
    patient = session.get_one(Patient, door.patient_id)
    untold = Speech(patient.language) if patient.language else speech()
    posted = 0
    for helper_id, name, email in told:
        with speaking(speeches.get(email) or untold):
            posted += post_delivery(
                session,
                kind=TOO_MUCH,
                recipient=email,
                dedupe_key=f"{TOO_MUCH}:{about}:{helper_id}",
                context={
                    "first_name": name,
                    "patient_name": door.patient_name,
                    "recorded_by": recorded_by,
                    "time_words": time_words(at.time()),
                    "date_words": date_words(at.date()),
                    "emergency": numbers.emergency,
                    "poison": numbers.poison,
                },
                now=now,
                patient_id=door.patient_id,
            )
    return posted
