"""Who helps hears of what nobody was reminded of: each once, in their turn."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.rules import ALERTS, Person, chosen_points, is_cut_off
from pillweb.doses.models import Dose
from pillweb.patients.models import Patient
from pillweb.patients.queries import zone_at
from pillweb.reminders.actions.posting import Draft, ToldDose
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.alerts import helpers_told
from pillweb.reminders.rules.course import A_ROUND, COULD_NOT_REMIND, SECOND
from pillweb.reminders.rules.ladder import PATIENCE
from pillweb.sharing.queries.access import told_of_doses
from pillweb.sharing.queries.hiding import hidden_of


class Loss(NamedTuple):
    """A reminder that nobody heard, and what of it has no record."""

    reminder: Reminder
    doses: Sequence[Dose]


def loss_drafts(
    session: Session,
    patient: Patient,
    lost: Sequence[Loss],
    failing: Collection[str],
    *,
    now: datetime,
) -> list[Draft]:
    """Return what who helps is to hear of losses; nothing of it was "missed".

    Whom the ladder asked to look knows of it. Where it asked the first alone, the
    second hears after that as long as on the ladder, if still nobody recorded it or
    sees to it. Who has no channel but `failing` ones waits, as the patient does.
    """
    lost = [one for one in lost if one.reminder.acknowledged_at is None]
    if not lost:
        return []
    told = helpers_told(session, [one.reminder.id for one in lost])
    places = told_of_doses(session, patient.id)
    hidden = hidden_of(session, patient.id, places)
    news = {
        account_id: mine
        for account_id in places
        if (
            mine := [
                x
                for x in _without(lost, hidden.get(account_id, frozenset()))
                if (f"a{account_id}", x.reminder.id) not in told
            ]
        )
    }
    people = helpers_to_tell(session, patient.id, news, now=now) if news else {}
    drafts = [
        _draft(session, patient, people[account_id], mine, places[account_id], now=now)
        for account_id, mine in news.items()
        if account_id in people
    ]
    said = [draft for draft in drafts if not is_cut_off(draft.points, failing)]
    ids = {dose.reminder_id for draft in said for dose, _step in draft.doses}
    for one in lost:
        if one.reminder.id in ids and one.reminder.alerted_at is None:
            one.reminder.alerted_at = now
    return said


def _without(lost: Sequence[Loss], hidden: Collection[int]) -> list[Loss]:
    """Return the losses without doses of medicines that are hidden."""
    left = [
        Loss(one.reminder, [d for d in one.doses if d.medication_id not in hidden])
        for one in lost
    ]
    return [one for one in left if one.doses]


def _draft(
    session: Session,
    patient: Patient,
    person: Person,
    lost: Sequence[Loss],
    place: int | None,
    *,
    now: datetime,
) -> Draft:
    until = _turn_of(place, lost, now=now)
    with speaking(person.speech):
        times = times_of(session, [one.reminder for one in lost])
    return Draft(
        person=person,
        points=chosen_points(person, ALERTS),
        kind=COULD_NOT_REMIND,
        doses=[
            (ToldDose(dose.id, reminder.id, dose.due_at), reminder.round * A_ROUND)
            for reminder, doses in lost
            for dose in doses
        ],
        patient_id=patient.id,
        context={
            "first_name": person.name,
            "patient_name": patient.name,
            "times": times,
        },
        path=f"/patients/{patient.id}/today",
        due_at=until or now,
        not_before=until,
    )


def _turn_of(
    place: int | None, lost: Sequence[Loss], *, now: datetime
) -> datetime | None:
    """Return until when somebody waits for another to look; None for not at all."""
    asked = [one.reminder.alerted_at for one in lost if one.reminder.alerted_at]
    if place != SECOND or len(asked) < len(lost):
        return None
    return max(now, max(asked) + PATIENCE)


def times_of(session: Session, missed: Sequence[Reminder]) -> list[str]:
    """Return when each was due, in words, by the clock the patient lived by then."""
    moments = [
        local(one.due_at, zone(zone_at(session, one.patient_id, at=one.due_at)))
        for one in missed
    ]
    return [
        _(
            "%(time)s on %(date)s",
            time=time_words(at.time()),
            date=date_words(at.date()),
        )
        for at in moments
    ]
