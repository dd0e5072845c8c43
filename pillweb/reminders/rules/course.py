"""How the reminders of one moment go on: who is to be told of what, and what is next.

Nothing is decided once and kept: each time a reminder is looked at, this says again
what should have been said by now. What was said already is known by its rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from pillweb.base.zones import local, to_utc, zone
from pillweb.doses.rules.days import OPEN, RECORDED
from pillweb.reminders.rules.ladder import (
    HELPERS,
    PATIENCE,
    PATIENT,
    RINGING,
    TIME_CRITICAL,
    Ladder,
    most_urgent,
    next_rung_at,
    rung_due,
    rungs_until,
    urgency,
)
from pillweb.reminders.rules.lateness import LAST_LOOK

DOSE_DUE, DOSE_LATE, DOSE_ALERT = "dose_due", "dose_late", "dose_alert"
ALERT_RESOLVED, HELD_BACK = "alert_resolved", "held_back"
COULD_NOT_REMIND = "could_not_remind"
# What comes due so soon is told with what is due now: one message, and none later.
GATHERED = timedelta(minutes=10)
# Steps count the rungs; each time a reminder is put off they begin a hundred higher.
A_ROUND = 100
IN_A_ROW, NO_DAY, NOBODY = 90, 91, 99
FIRST, SECOND = 1, 2
BOTH = (FIRST, SECOND)
DAY_ENDS = time(20)


class DueDose(NamedTuple):
    """A dose as far as its reminder asks; `told_until` ends telling the patient.

    `is_watched` where helpers hear of it only when it is one of several.
    """

    id: int
    reminder_id: int
    medication_id: int
    due_at: datetime
    state: str
    category: str
    window: timedelta
    ladder: Ladder
    told_until: datetime
    is_watched: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nobody has recorded it."""
        return self.state == OPEN


class Moment(NamedTuple):
    """A reminder with everything that is due at its time."""

    id: int
    patient_id: int
    due_at: datetime
    next_at: datetime
    began_at: datetime
    is_put_off: bool
    round: int
    is_seen_to: bool
    zone: str
    doses: tuple[DueDose, ...]

    @property
    def open_doses(self) -> list[DueDose]:
        """What nobody has recorded."""
        return [dose for dose in self.doses if dose.is_open]

    @property
    def about(self) -> Sequence[DueDose]:
        """What its ladder is of.

        Of what is recorded it goes on in silence: that may be taken back.
        """
        return self.open_doses or self.doses

    @property
    def local_at(self) -> datetime:
        """When it is due, where the patient was then."""
        return local(self.due_at, zone(self.zone))

    @property
    def clock(self) -> time:
        """The time of day at which it is due, where the patient was then."""
        return self.local_at.time()

    @property
    def is_urgent(self) -> bool:
        """Whether anything open is time-critical."""
        return any(dose.category == TIME_CRITICAL for dose in self.open_doses)


class Call(NamedTuple):
    """That the helpers of some places are to be told of a dose from `at` on."""

    at: datetime
    places: tuple[int, ...]
    step: int
    loudest: int
    dose: DueDose


class Speech(NamedTuple):
    """What the patient is to be told of one moment, at which step and how loudly."""

    moment: Moment
    doses: list[DueDose]
    step: int
    loudest: int

    @property
    def is_first(self) -> bool:
        """Whether the ladder, or what was asked for anew, begins with it."""
        return self.step % A_ROUND == 0


def rungs_of(moment: Moment) -> Ladder:
    """Return the patient's rungs: those of the most urgent dose nobody recorded."""
    rungs = most_urgent((dose.category, dose.ladder) for dose in moment.about)
    if not moment.is_put_off:
        return rungs
    window = min((dose.window for dose in moment.about), default=timedelta(0))
    return rungs_until(rungs, moment.began_at, moment.due_at + window)


def told_until(moment: Moment) -> datetime:
    """Return when the patient is told no more of anything of a moment."""
    return max((dose.told_until for dose in moment.about), default=moment.began_at)


def speech_at(moment: Moment, now: datetime) -> Speech | None:
    """Return what the patient should have been told by now; None for nothing."""
    rungs = rungs_of(moment)
    number = rung_due(moment.began_at, rungs, now=now)
    doses = [dose for dose in moment.open_doses if now < dose.told_until]
    if number is None or not doses:
        return None
    step = moment.round * A_ROUND + number
    return Speech(moment, doses, step, rungs[number].loudest)


def gathered(moment: Moment, now: datetime) -> Speech | None:
    """Return what may be told now, a little early, since there is a message anyway.

    What somebody asked to hear at a time of their own keeps it.
    """
    if moment.is_put_off and moment.began_at > now:
        return None
    rungs = rungs_of(moment)
    if next_rung_at(moment.began_at, rungs, now=now) != moment.next_at:
        return None
    return speech_at(moment, moment.next_at)


def calls_of(moment: Moment) -> Iterator[Call]:
    """Yield when helpers are told of each dose: of those that have no record then."""
    for dose in moment.doses:
        base = moment.round * A_ROUND
        last = None
        for number, rung in enumerate(dose.ladder):
            if rung.to == PATIENT:
                continue
            at = moment.began_at + rung.after
            place = HELPERS.index(rung.to) + 1
            yield Call(at, (place,), base + number, rung.loudest, dose)
            last = at if place == SECOND else last
        if last is not None:
            yield Call(last + PATIENCE, BOTH, base + NOBODY, RINGING, dose)


def call_due(calls: Iterable[Call], place: int, *, now: datetime) -> Call | None:
    """Return the newest call for a place whose time has come; None before all."""
    passed = [call for call in calls if place in call.places and call.at <= now]
    return max(passed, default=None, key=lambda call: call.at)


def watch_times(moment: Moment) -> tuple[datetime, ...]:
    """Return when it shows that a dose is one of several without a record.

    That is when its window is over; and in the evening, when the day is.
    """
    watched = [dose for dose in moment.about if dose.is_watched]
    if not watched:
        return ()
    over = moment.due_at + max(dose.window for dose in watched)
    place = zone(moment.zone)
    evening = to_utc(local(moment.due_at, place).date(), DAY_ENDS, place)
    return tuple(sorted({over, max(over, evening)}))


def next_look_at(
    moment: Moment, now: datetime, *, has_helpers: bool, held: Iterable[datetime] = ()
) -> datetime | None:
    """Return when there may be something to say again; None when all is said.

    `held` are the ends of the quiet hours of those who wait to be told.
    """
    until = told_until(moment)
    following = next_rung_at(moment.began_at, rungs_of(moment), now=now)
    times = [*held, until + LAST_LOOK]
    if following is not None and following < until:
        times.append(following)
    if has_helpers:
        times += [call.at for call in calls_of(moment)]
        times += watch_times(moment)
    return min((at for at in times if at > now), default=None)


def is_recorded(dose: DueDose) -> bool:
    """Say whether somebody recorded what became of a dose."""
    return dose.state in RECORDED


def sorted_by_urgency(doses: Iterable[DueDose]) -> list[DueDose]:
    """Return doses with the most urgent first."""
    return sorted(doses, key=lambda dose: (urgency(dose.category), dose.due_at))
