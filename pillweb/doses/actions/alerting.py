"""Whoever was chosen is told at once that too much was recorded."""

from datetime import datetime

from sqlalchemy.orm import Session

from pillweb.base.config import settings
from pillweb.base.emergency import help_in
from pillweb.base.i18n import speaking
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.rules import ALERTS, chosen_points
from pillweb.sharing.queries.access import told_of
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
    ids = [helper for helper, _ in told]
    people = helpers_to_tell(session, door.patient_id, ids, now=now)
    posted = 0
    for person in people.values():
        for point in chosen_points(person, ALERTS):
            with speaking(person.speech):
                context = {
                    "first_name": person.name,
                    "patient_name": door.patient_name,
                    "recorded_by": recorded_by,
                    "time_words": time_words(at.time()),
                    "date_words": date_words(at.date()),
                    "emergency": numbers.emergency,
                    "poison": numbers.poison,
                }
            posted += (
                1
                if post_message(
                    session,
                    person,
                    point,
                    kind=TOO_MUCH,
                    about=about,
                    context=context,
                    now=now,
                    patient_id=door.patient_id,
                    is_urgent=True,
                )
                else 0
            )
    return posted
