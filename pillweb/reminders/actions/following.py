"""What its provider took over and then lost is said by another channel."""

import json
from dataclasses import astuple
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from pillweb.base.i18n import speaking
from pillweb.base.links import link
from pillweb.base.tokens import new_token, token_hash
from pillweb.base.words import dated_words, join_words, time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.arriving import fall_back
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import Person, quiet_until
from pillweb.doses.queries.days import doses_among
from pillweb.doses.rules.days import OPEN, DoseFacts
from pillweb.medications.models import Medication
from pillweb.outbox.models import Delivery
from pillweb.outbox.rules import HOW, SPEECH, Leased
from pillweb.reminders.actions.posting import copy_doses
from pillweb.reminders.models import DeliveryDose, ReminderLink
from pillweb.reminders.queries.buttons import answer_urls
from pillweb.reminders.queries.waiting import still_wanted
from pillweb.reminders.rules.course import DOSE_DUE
from pillweb.reminders.rules.lateness import LINK_LIFE, TIME_CRITICAL


def say_again(session: Session, lost: Delivery, *, now: datetime) -> bool:
    """Remind by the next channel of what a lost message was of; say if there was one.

    As any message that did not arrive it is followed once, and not where the same was
    said by another channel (`fall_back`). Of what is recorded nothing is said. Its
    words were dropped when it left, so they are made anew, with a link of their own:
    the first may still be found.
    """
    is_wanted = lost.id in still_wanted(session, [lost.id], now=now)
    if lost.kind != DOSE_DUE or not lost.patient_id or not is_wanted:
        return False
    told = select(DeliveryDose.dose_id).where(DeliveryDose.delivery_id == lost.id)
    known = doses_among(session, lost.patient_id, session.scalars(told).all())
    doses = [dose for dose in known if dose.state == OPEN]
    person = patients_to_tell(session, [lost.patient_id], now=now)[lost.patient_id]
    token = new_token()
    facts = {name: getattr(lost, name) for name in Leased._fields}
    facts["context"] = _words(session, person, doses, token, now=now)
    followed = fall_back(session, [Leased(**facts)], now=now).get(lost.id)
    if followed is None:
        return False
    copy_doses(session, lost.id, followed)
    session.add(
        ReminderLink(
            reminder_id=lost.subject_id,
            patient_id=lost.patient_id,
            delivery_id=followed,
            channel=session.get_one(Delivery, followed).channel,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=doses[0].due_at + LINK_LIFE,
        )
    )
    session.flush()
    return True


def _words(
    session: Session,
    person: Person,
    doses: list[DoseFacts],
    token: str,
    *,
    now: datetime,
) -> str:
    place = zone(person.zone)
    urgent = exists().where(
        Medication.id.in_([dose.medication_id for dose in doses]),
        Medication.category == TIME_CRITICAL,
    )
    with speaking(person.speech):
        here = [local(dose.due_at, place) for dose in doses]
        times = join_words([*dict.fromkeys(time_words(at.time()) for at in here)])
        when = dated_words(here)
    names = {f"{dose.name} {dose.strength}".strip() for dose in doses}
    return json.dumps(
        {
            "first_name": person.name,
            "time_words": times,
            "when_words": when,
            "medicines": sorted(names) if person.wishes.shows_names else [],
            "link": link(f"/t/{token}"),
            SPEECH: astuple(person.speech),
            HOW: {
                # Those of a notification; who answers by a digit needs the verbs alone.
                "answers": answer_urls(token, "ntfy"),
                "is_silent": quiet_until(person, now) is not None,
                "is_urgent": bool(session.scalar(select(urgent))),
            },
        }
    )
