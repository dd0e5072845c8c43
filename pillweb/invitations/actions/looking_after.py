"""The patient's side is asked about access: when somebody wants it, and once a year."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.accounts.models import Account
from pillweb.base.links import link
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.rules import ALERTS, chosen_points
from pillweb.invitations.queries import grants_to_ask_about
from pillweb.patients.models import Patient
from pillweb.sharing.actions.granting import ask_again
from pillweb.sharing.models import Grant
from pillweb.sharing.queries.access import managers_of
from pillweb.sharing.rules import PENDING

ACCESS_ASKED, ACCESS_YEARLY = "access_asked", "access_yearly"


def ask_about_access(session: Session, *, now: datetime, limit: int) -> int:
    """Ask who manages about requests, and about access that is a year old.

    Returns:
        About how many that was.
    """
    found = grants_to_ask_about(session, now=now, limit=limit)
    for grant in found:
        _ask(session, grant, now=now)
    ask_again(session, [grant.id for grant in found], now=now)
    return len(found)


def _ask(session: Session, grant: Grant, *, now: datetime) -> None:
    patient = session.get_one(Patient, grant.patient_id)
    helper = session.get_one(Account, grant.account_id)
    managers = managers_of(session, patient.id, now=now)
    asked = [one for one in managers if one != grant.account_id]
    people = helpers_to_tell(session, patient.id, asked, now=now)
    for account_id, person in people.items():
        for point in chosen_points(person, ALERTS):
            post_message(
                session,
                person,
                point,
                kind=ACCESS_ASKED if grant.status == PENDING else ACCESS_YEARLY,
                about=f"{grant.id}:{now:%Y%m%dT%H%M%S}",
                context={
                    "first_name": person.name,
                    "helper_name": helper.name,
                    "patient_name": "" if managers[account_id] else patient.name,
                    "link": link(f"/patients/{patient.id}/sharing"),
                },
                now=now,
                patient_id=patient.id,
            )
