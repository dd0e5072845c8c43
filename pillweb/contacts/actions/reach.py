"""Whether a patient is reached anywhere is noted, and told."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pillweb.base.db import insert_new
from pillweb.base.links import link
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import contacts_of_patient, ways_to_remind
from pillweb.contacts.rules import (
    ACTIVE,
    ALERTS,
    OPEN_PAGE,
    USABLE,
    chosen_points,
    is_reached,
)
from pillweb.patients.models import Patient, Unreachable
from pillweb.sharing.queries.access import answerable_for

UNREACHABLE = "unreachable"


def look_at_reach(
    session: Session, contact: ContactPoint, *, now: datetime, has_lost: bool = False
) -> None:
    """Do what `note_reach` does, where the address is a patient's.

    An open page that is added loses nobody.
    """
    is_more = contact.channel == OPEN_PAGE and contact.state in USABLE and not has_lost
    if contact.patient_id is not None and not is_more:
        note_reach(session, contact.patient_id, now=now, has_lost=has_lost)


def note_reach(
    session: Session, patient_id: int, *, now: datetime, has_lost: bool = False
) -> None:
    """Note whether reminders reach a patient anywhere; tell who helps, once, if not.

    It ends only with an address that works. `has_lost` says that one that worked was
    taken away, as `contacts.rules.is_reached` wants to know.
    """
    # Two last addresses that go at once must see each other.
    patient = session.get_one(Patient, patient_id, with_for_update=True)
    states = ways_to_remind(session, patient_id)
    if ACTIVE in states:
        session.execute(delete(Unreachable).where(Unreachable.patient_id == patient_id))
    elif not is_reached(states, has_lost=has_lost):
        row = {"patient_id": patient_id, "since": now, "told_at": now}
        if insert_new(session, Unreachable, [row]):
            mine = contacts_of_patient(session, patient_id)
            lost = {(one.channel, one.address) for one in mine}
            _tell_unreachable(session, patient, lost, now=now)


def _tell_unreachable(
    session: Session,
    patient: Patient,
    lost: Collection[tuple[str, str]],
    *,
    now: datetime,
) -> None:
    """Tell all who answer for a patient, but not where the patient was just lost."""
    helpers = dict(answerable_for(session, patient.id))
    people = helpers_to_tell(session, patient.id, helpers, now=now)
    for account_id, person in people.items():
        left = [one for one in person.points if (one.channel, one.address) not in lost]
        elsewhere = replace(person, points=tuple(left))
        for point in chosen_points(elsewhere, ALERTS, loudest=1):
            post_message(
                session,
                person,
                point,
                kind=UNREACHABLE,
                about=f"{patient.id}:{now:%Y%m%dT%H%M%S}",
                context={
                    "first_name": person.name,
                    "patient_name": "" if helpers[account_id] else patient.name,
                    "link": link(f"/patients/{patient.id}/today"),
                },
                now=now,
                patient_id=patient.id,
                is_urgent=True,
            )
