"""What a patient is told of the doses that are due."""

from collections.abc import Sequence

from pillweb.base.i18n import speaking
from pillweb.base.words import dated_words, join_words, time_words
from pillweb.contacts.rules import DOSES, Person, chosen_points
from pillweb.reminders.actions.posting import Draft
from pillweb.reminders.actions.turn import Turn
from pillweb.reminders.rules.course import (
    A_ROUND,
    DOSE_DUE,
    Moment,
    Speech,
    gathered,
    speech_at,
)
from pillweb.reminders.rules.lateness import LAST_LOOK


def patient_drafts(
    turn: Turn, patient_id: int, moments: Sequence[Moment]
) -> list[Draft]:
    """Return the one message for everything a patient is to hear of now, if any."""
    person = turn.people[patient_id]
    due = [moment for moment in moments if moment.id in turn.due]
    speeches = _unsaid(turn, person, [speech_at(moment, turn.now) for moment in due])
    is_urgent = any(speech.moment.is_urgent for speech in speeches)
    quiet = turn.quiet_until(person, is_urgent=is_urgent)
    if quiet:
        speeches = _spoken_in_quiet(turn, person, speeches)
    if not speeches:
        return []
    soon = [moment for moment in moments if moment.id not in turn.due]
    early = _unsaid(turn, person, [gathered(moment, turn.now) for moment in soon])
    speeches += [one for one in early if not quiet or one.is_first]
    turn.early |= {speech.moment.id for speech in early if speech in speeches}
    turn.spoken |= {speech.moment.id for speech in speeches}
    loudest = 0 if quiet else max(speech.loudest for speech in speeches)
    return [
        Draft(
            person=person,
            points=chosen_points(person, DOSES, loudest=loudest),
            kind=DOSE_DUE,
            doses=[(dose, one.step) for one in speeches for dose in one.doses],
            patient_id=patient_id,
            context=_words(turn, person, speeches),
            path="/t/",
            due_at=min(speech.moment.began_at for speech in speeches),
            expires_at=max(dose.told_until for s in speeches for dose in s.doses),
            is_silent=quiet is not None,
            is_urgent=is_urgent,
        )
    ]


def _unsaid(
    turn: Turn, person: Person, speeches: Sequence[Speech | None]
) -> list[Speech]:
    """Return what was not said yet: of each moment the doses that are still unsaid."""
    found = []
    for speech in speeches:
        if speech is None:
            continue
        doses = [
            dose
            for dose in speech.doses
            if not turn.was_told(dose, person.key, DOSE_DUE, speech.step)
        ]
        if doses:
            found.append(speech._replace(doses=doses))
    return found


def _spoken_in_quiet(
    turn: Turn, person: Person, speeches: Sequence[Speech]
) -> list[Speech]:
    """Return what is said in quiet hours all the same; the rest waits for their end.

    A patient who wants to take something at night wants to be told, without a sound;
    but not again and again.
    """
    said = []
    for speech in speeches:
        base = speech.moment.round * A_ROUND
        steps = range(base, base + A_ROUND)
        is_known = any(
            turn.was_told(dose, person.key, DOSE_DUE, step)
            for dose in speech.doses
            for step in steps
        )
        if not is_known:
            said.append(speech)
        elif until := turn.quiet_until(person, is_urgent=False):
            turn.hold(speech.moment, until)
    return said


def _words(turn: Turn, person: Person, speeches: Sequence[Speech]) -> dict[str, object]:
    with speaking(person.speech):
        clocks = [time_words(speech.moment.clock) for speech in speeches]
        times = join_words([*dict.fromkeys(clocks)])
        when = dated_words(speech.moment.local_at for speech in speeches)
    return {
        "first_name": person.name,
        "time_words": times,
        "when_words": when,
        "medicines": turn.names_of(dose for one in speeches for dose in one.doses),
    }


def is_untold(turn: Turn, moment: Moment) -> bool:
    """Say whether it is too late to remind of a moment, and no message had left.

    `watch.actions.late` tells of it, and never says "take it now".
    """
    waiting = moment.open_doses
    return bool(waiting) and all(
        turn.now >= dose.told_until + LAST_LOOK and not turn.reminded.get(dose.id)
        for dose in waiting
    )
