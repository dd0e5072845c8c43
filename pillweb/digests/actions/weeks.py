"""On Sunday evening patients, and partners who want it, hear how the week was."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from pillweb.adherence.queries import outcomes_by_patient, outcomes_of
from pillweb.adherence.rules.lately import LOOK_BACK
from pillweb.adherence.rules.outcome import Outcome
from pillweb.adherence.rules.tally import tally
from pillweb.base.i18n import speaking, speech
from pillweb.base.links import link
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.actions.posting import post_message
from pillweb.contacts.queries import patients_to_tell
from pillweb.contacts.rules import WEEK, Person, chosen_points, quiet_until
from pillweb.digests.actions.clocks import Due
from pillweb.digests.queries import Wish, wishes_of_helpers
from pillweb.digests.rules.week import A_WEEK, Week, week_ending, week_of
from pillweb.digests.rules.words import habit_words, week_words

WEEK_DIGEST = "week_digest"
WORTH = timedelta(days=3)
# A week that a calendar begins on another day ended up to six days ago.
REACH = timedelta(days=20)

Outcomes = Sequence[Outcome]


def tell_weeks(session: Session, due: Sequence[Due], *, now: datetime) -> int:
    """Post to patients and to helpers who want it how a week was; say how many."""
    ids = [one.patient_id for one in due]
    patients = patients_to_tell(session, ids, now=now)
    wishes = wishes_of_helpers(session, ids, (WEEK,))
    told = [
        one
        for one in due
        if one.patient_id in wishes or chosen_points(patients[one.patient_id], WEEK)
    ]
    if not told:
        return 0
    first, last = min(one.on for one in told) - REACH, max(one.on for one in told)
    wanted = [one.patient_id for one in told]
    outcomes = outcomes_by_patient(session, wanted, first=first, last=last)
    posted = 0
    for one in told:
        patient = patients[one.patient_id]
        grants = {wish.account_id: wish for wish in wishes.get(one[0], ())}
        posted += _tell(session, one, patient, grants, outcomes[one[0]], now=now)
    return posted


def _tell(
    session: Session,
    due: Due,
    patient: Person,
    grants: Mapping[int, Wish],
    outcomes: Outcomes,
    *,
    now: datetime,
) -> int:
    if not outcomes:
        return 0
    people = [patient]
    if grants:
        people += helpers_to_tell(session, due.patient_id, grants, now=now).values()
    posted = 0
    for person in people:
        wish = grants.get(person.account_id or 0)
        hidden = wish.hidden if wish else frozenset()
        with speaking(person.speech):
            context = _context(
                session, due, patient, person, outcomes, hidden=hidden, now=now
            )
        held = quiet_until(person, now)
        for point in chosen_points(person, WEEK) if context else ():
            delivery_id = post_message(
                session,
                person,
                point,
                kind=WEEK_DIGEST,
                about=f"{due.patient_id}:{due.on}",
                context=context,
                now=now,
                due_at=due.at,
                not_before=held,
                expires_at=(held or now) + WORTH,
                patient_id=due.patient_id,
                subject_id=wish.grant_id if wish else None,
            )
            posted += delivery_id is not None
    return posted


def _context(
    session: Session,
    due: Due,
    patient: Person,
    person: Person,
    outcomes: Outcomes,
    *,
    hidden: Collection[int],
    now: datetime,
) -> dict[str, Any]:
    """Return what one reader is told; nothing where there is nothing good to say."""
    first, _ = week_ending(due.on, first_weekday=speech().first_weekday)
    week = _week(session, due.patient_id, outcomes, hidden=hidden, first=first, now=now)
    if week is None:
        return {}
    said = week_words(week)
    habit = habit_words(week.habit) if week.habit else []
    if not said and not habit:
        return {}
    return {
        "first_name": person.name,
        "whose": "" if person is patient else patient.name,
        "said": " ".join(said),
        "habit": " ".join(habit),
        "link": link(f"/patients/{due.patient_id}/calendar?week={first}"),
    }


def _without(outcomes: Outcomes, hidden: Collection[int]) -> Outcomes:
    return [one for one in outcomes if one.medicine not in hidden]


def _week(
    session: Session,
    patient_id: int,
    outcomes: Outcomes,
    *,
    hidden: Collection[int],
    first: date,
    now: datetime,
) -> Week | None:
    outcomes = _without(outcomes, hidden)
    run = tally(outcomes, now).current_run
    if run >= A_WEEK.days:
        found = outcomes_of(
            session, patient_id, first=first - LOOK_BACK, last=first + A_WEEK
        )
        run = tally(_without(found, hidden), now).current_run
    return week_of(outcomes, first, run=run, as_of=now)
