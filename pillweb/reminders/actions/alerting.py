"""Who helps is told of doses without a record, and says that they see to it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import speaking
from pillweb.base.words import date_words, join_words, time_words
from pillweb.base.zones import local, zone
from pillweb.contacts.actions.adding import helpers_to_tell
from pillweb.contacts.rules import ALERTS, Person, chosen_points
from pillweb.reminders.actions.posting import Draft
from pillweb.reminders.actions.turn import Turn
from pillweb.reminders.queries.moments import Place, silences_of
from pillweb.reminders.rules.course import (
    A_ROUND,
    DOSE_ALERT,
    FIRST,
    IN_A_ROW,
    NO_DAY,
    NOBODY,
    Call,
    Moment,
    call_due,
    calls_of,
    watch_times,
)
from pillweb.reminders.rules.ladder import BUZZING, TIME_CRITICAL

ALERT_LIFE = timedelta(hours=12)

Pending = list[tuple[Moment, Call]]


def helper_drafts(
    session: Session, turn: Turn, patient_id: int, moments: Sequence[Moment]
) -> list[Draft]:
    """Return one message for each helper who is to hear of a patient now.

    Everything due together is one message. Who is in their quiet hours hears of it
    when these are over, if there still is no record then.
    """
    places = turn.helpers.get(patient_id, [])
    due = [moment for moment in moments if moment.id in turn.due and moment.open_doses]
    if not places or not due:
        return []
    calls = {moment.id: [*calls_of(moment)] for moment in due}
    for moment, call in _watched(session, turn, due):
        calls[moment.id].append(call)
    pending = {
        place.account_id: found
        for place in places
        if (found := _pending(turn, place, due, calls))
    }
    if not pending:
        return []
    people = helpers_to_tell(session, patient_id, pending, now=turn.now)
    return [
        draft
        for account_id, person in people.items()
        for draft in _drafts(turn, person, patient_id, pending[account_id])
    ]


def _pending(
    turn: Turn,
    place: Place,
    due: Sequence[Moment],
    calls: dict[int, list[Call]],
) -> Pending:
    """Return of what a helper should have been told by now and was not."""
    key = f"a{place.account_id}"
    found: Pending = []
    for moment in due:
        mine = calls[moment.id]
        if moment.is_seen_to:
            mine = [call for call in mine if call.places == (FIRST,)]
        for dose in moment.open_doses:
            if dose.medication_id in place.hidden:
                continue
            call = _newest(turn, [c for c in mine if c.dose is dose], place.place)
            if call and not turn.was_told(dose, key, DOSE_ALERT, call.step):
                found.append((moment, call))
    return found


def _newest(turn: Turn, calls: Sequence[Call], place: int) -> Call | None:
    """Return the call that counts; the last one only where there were others before."""
    call = call_due(calls, place, now=turn.now)
    if call is None or call.step % A_ROUND != NOBODY or _was_alerted(turn, call):
        return call
    earlier = [one for one in calls if one.step % A_ROUND != NOBODY]
    return call_due(earlier, place, now=turn.now)


def _was_alerted(turn: Turn, call: Call) -> bool:
    begin = call.step - call.step % A_ROUND
    return any(
        dose_id == call.dose.id and kind == DOSE_ALERT and begin <= step < call.step
        for dose_id, _key, kind, step in turn.told
    )


def _watched(
    session: Session, turn: Turn, due: Sequence[Moment]
) -> Iterable[tuple[Moment, Call]]:
    """Return calls for ordinary doses: the second in a row, or of a whole day."""
    over = {
        moment.id: times
        for moment in due
        if (times := watch_times(moment)) and times[0] <= turn.now
    }
    watched = [
        (moment, dose)
        for moment in due
        if moment.id in over
        for dose in moment.open_doses
        if dose.is_watched
    ]
    if not watched:
        return
    silences = silences_of(session, [dose.id for _m, dose in watched], now=turn.now)
    for moment, dose in watched:
        silence = silences[dose.id]
        base = moment.round * A_ROUND
        if silence.is_in_a_row:
            step = base + IN_A_ROW
            yield moment, Call(over[moment.id][0], (FIRST,), step, BUZZING, dose)
        elif silence.is_whole_day and over[moment.id][-1] <= turn.now:
            step = base + NO_DAY
            yield moment, Call(over[moment.id][-1], (FIRST,), step, BUZZING, dose)


def _drafts(
    turn: Turn, person: Person, patient_id: int, pending: Pending
) -> Iterable[Draft]:
    is_urgent = any(call.dose.category == TIME_CRITICAL for _m, call in pending)
    if until := turn.quiet_until(person, is_urgent=is_urgent):
        for moment, _call in pending:
            turn.hold(moment, until)
        return
    loudest = max(call.loudest for _moment, call in pending)
    points = chosen_points(person, ALERTS, loudest=loudest)
    if points:
        turn.alerted |= {moment.id for moment, _call in pending}
    yield Draft(
        person=person,
        points=points,
        kind=DOSE_ALERT,
        doses=[(call.dose, call.step) for _moment, call in pending],
        patient_id=patient_id,
        context=_words(turn, person, turn.people[patient_id], pending),
        path="/h/",
        due_at=min(call.at for _moment, call in pending),
        expires_at=turn.now + ALERT_LIFE,
        is_urgent=is_urgent,
    )


def _words(
    turn: Turn, person: Person, patient: Person, pending: Pending
) -> dict[str, object]:
    moments = {moment.id: moment for moment, _call in pending}
    doses = [call.dose for _moment, call in pending]
    steps = {call.step % A_ROUND for _moment, call in pending}
    with speaking(person.speech):
        times = _times(turn, patient, moments.values())
    may_name = patient.wishes.shows_names and person.wishes.shows_names
    return {
        "first_name": person.name,
        "patient_name": patient.name,
        "times": times,
        "reminded": max((turn.reminded.get(dose.id, 0) for dose in doses), default=0),
        "is_in_a_row": IN_A_ROW in steps,
        "is_whole_day": steps == {NO_DAY},
        "nobody_yet": NOBODY in steps,
        "medicines": turn.names_of(doses) if may_name else [],
    }


def _times(turn: Turn, patient: Person, moments: Collection[Moment]) -> str:
    """Return the times of these moments in words, with a date where it is not today."""
    today = local(turn.now, zone(patient.zone)).date()
    found = []
    for moment in moments:
        at = local(moment.due_at, zone(moment.zone))
        words = time_words(at.time())
        if at.date() != today:
            words = _("%(time)s on %(date)s", time=words, date=date_words(at.date()))
        found.append(words)
    return join_words([*dict.fromkeys(found)])
