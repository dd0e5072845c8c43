"""The ladder of a medicine: who is told when, and how loudly, until somebody answers.

Domain 4.3. Every rung is counted from when the dose is due, or from when the patient
wanted to hear of it again.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

PATIENT, HELPER1, HELPER2 = "patient", "helper1", "helper2"
HELPERS = (HELPER1, HELPER2)
# How loud a channel may be: 0 waits to be seen, 1 makes a phone buzz, 2 rings.
QUIET, BUZZING, RINGING = 0, 1, 2

ORDINARY, HIGH_ALERT, TIME_CRITICAL = "ordinary", "high_alert", "time_critical"
URGENCY = (TIME_CRITICAL, HIGH_ALERT, ORDINARY)
TOLD = {
    ORDINARY: (0, 15, 45),
    HIGH_ALERT: (0, 20, 45),
    TIME_CRITICAL: (0, 10, 20),
}
A_MINUTE = timedelta(minutes=1)
# From one helper who does not answer to the next, and to the end.
PATIENCE = timedelta(minutes=30)
# Two doses that are nearer than this are taken on one day.
WITHIN_A_DAY = timedelta(hours=20)
NEARLY_A_WEEK = timedelta(days=6, hours=12)
EVENING, MORNING = time(18), time(9)
LONGEST = timedelta(days=2)
MOST_RUNGS = 12


class Rung(NamedTuple):
    """One step: how long after the due time somebody is told, and how loudly at most.

    `to` is the patient, or the helpers of the first or of the second place.
    """

    after: timedelta
    to: str
    loudest: int


Ladder = tuple[Rung, ...]


def usual_ladder(category: str, due: datetime, apart: timedelta | None) -> Ladder:
    """Return the ladder of a class of medicines for one dose.

    Args:
        category: the class; one that is unknown counts as ordinary.
        due: when the dose is due, by the patient's clock.
        apart: how far away the nearest dose of the medicine is, None if there is none.

    >>> dose = datetime(2026, 11, 20, 8, tzinfo=UTC)
    >>> ladder = usual_ladder("time_critical", dose, None)
    >>> [(rung.after // A_MINUTE, rung.to) for rung in ladder][-2:]
    [(30, 'helper1'), (60, 'helper2')]
    """
    told = TOLD.get(category, TOLD[ORDINARY])
    return (*patient_rungs(told), *_usual_helpers(category, due, apart))


def patient_rungs(minutes: Sequence[int]) -> Ladder:
    """Return the rungs at which a patient is told: quiet at first, loudest at last."""
    last = len(minutes) - 1
    return tuple(
        Rung(minute * A_MINUTE, PATIENT, _loudest(number, last))
        for number, minute in enumerate(minutes)
    )


def _loudest(number: int, last: int) -> int:
    if number == 0:
        return QUIET
    return RINGING if number == last else BUZZING


def _usual_helpers(category: str, due: datetime, apart: timedelta | None) -> Ladder:
    if category == TIME_CRITICAL:
        return helper_rungs([30 * A_MINUTE], loudest=RINGING)
    if category != HIGH_ALERT:
        return ()
    if apart is not None and apart < WITHIN_A_DAY:
        return helper_rungs([60 * A_MINUTE], loudest=BUZZING)
    if apart is not None and apart < NEARLY_A_WEEK:
        return helper_rungs([120 * A_MINUTE], loudest=BUZZING)
    return helper_rungs(_evening_and_morning(due), loudest=BUZZING)


def helper_rungs(first: Sequence[timedelta], *, loudest: int) -> Ladder:
    """Return the rungs of the first helper at these times, and of the second after."""
    told = [Rung(after, HELPER1, loudest) for after in first]
    return (*told, Rung(first[-1] + PATIENCE, HELPER2, RINGING))


def _evening_and_morning(due: datetime) -> list[timedelta]:
    """Return how long it is from a dose to the same evening and the next morning."""
    evening = datetime.combine(due.date(), EVENING, due.tzinfo)
    morning = datetime.combine(due.date() + timedelta(days=1), MORNING, due.tzinfo)
    found = [at.astimezone(UTC) - due.astimezone(UTC) for at in (evening, morning)]
    soonest = 60 * A_MINUTE
    return [after for after in found if after >= soonest]


def urgency(category: str) -> int:
    """Return how urgent a class is: 0 is the most urgent."""
    return URGENCY.index(category) if category in URGENCY else len(URGENCY) - 1


def of_patient(ladder: Ladder) -> Ladder:
    """Return the rungs at which the patient is told."""
    return tuple(rung for rung in ladder if rung.to == PATIENT)


def most_urgent(ladders: Iterable[tuple[str, Ladder]]) -> Ladder:
    """Return the patient's rungs for everything due together, of (class, ladder).

    Those of the most urgent class; of two of one class the one that speaks sooner.
    """
    found = min(
        ladders, default=None, key=lambda one: (urgency(one[0]), of_patient(one[1]))
    )
    return patient_rungs(TOLD[ORDINARY]) if found is None else of_patient(found[1])


def rungs_until(rungs: Ladder, began_at: datetime, last: datetime) -> Ladder:
    """Return the rungs of a ladder that was put off: none past the last instant.

    The first is what was asked for, and stays.
    """
    return rungs[:1] + tuple(r for r in rungs[1:] if began_at + r.after <= last)


def rung_due(began_at: datetime, rungs: Ladder, *, now: datetime) -> int | None:
    """Return the number of the latest rung whose time has come; None before all.

    Rungs that were slept through are not caught up: one message tells as much.
    """
    passed = [n for n, rung in enumerate(rungs) if began_at + rung.after <= now]
    return passed[-1] if passed else None


def next_rung_at(
    began_at: datetime, rungs: Ladder, *, now: datetime
) -> datetime | None:
    """Return when the ladder goes on after now; None when it has ended."""
    times = (began_at + rung.after for rung in rungs)
    return next((at for at in times if at > now), None)


def write_ladder(ladder: Ladder) -> list[dict[str, Any]]:
    """Return the JSON in which a ladder is kept, in minutes."""
    return [
        {"after": r.after // A_MINUTE, "to": r.to, "loudest": r.loudest} for r in ladder
    ]


def read_ladder(kept: object) -> Ladder | None:
    """Return a kept ladder; None where it is none, or not one that could be kept.

    It begins with the patient at once, climbs in time for each who is told, and tells
    the second helper of nothing the first was not told of before.
    """
    if not isinstance(kept, list) or not 0 < len(kept) <= MOST_RUNGS:
        return None
    rungs = [_read_rung(one) for one in kept]
    ladder = tuple(rung for rung in rungs if rung is not None)
    return ladder if len(ladder) == len(kept) and is_sound(ladder) else None


def _read_rung(kept: object) -> Rung | None:
    if not isinstance(kept, dict) or kept.keys() != {"after", "to", "loudest"}:
        return None
    after, to, loudest = kept["after"], kept["to"], kept["loudest"]
    if type(after) is not int or not 0 <= after <= LONGEST // A_MINUTE:
        return None
    if to not in (PATIENT, *HELPERS) or type(loudest) is not int:
        return None
    return Rung(after * A_MINUTE, to, loudest) if 0 <= loudest <= RINGING else None


def is_sound(ladder: Ladder) -> bool:
    """Say whether a ladder may be kept; see `read_ladder`."""
    times = {
        to: [rung.after for rung in ladder if rung.to == to]
        for to in (PATIENT, *HELPERS)
    }
    climbs = all(found == sorted(set(found)) for found in times.values())
    begins = bool(times[PATIENT]) and times[PATIENT][0] == timedelta(0)
    first, second = times[HELPER1], times[HELPER2]
    return climbs and begins and (not second or (bool(first) and first[0] < second[0]))
