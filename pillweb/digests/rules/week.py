"""What of a week is told: one line of praise, one pattern, one thing to try."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Literal, NamedTuple

from pillweb.adherence.rules.outcome import Outcome, verdict
from pillweb.adherence.rules.pattern import patterns
from pillweb.adherence.rules.tally import Tally, tally
from pillweb.base.words import PartOfDay

A_WEEK = timedelta(days=7)
A_DAY = timedelta(days=1)
ENOUGH_DAYS = 5
ON_TIME = Fraction(80, 100)
CLEARLY_MORE = Fraction(10, 100)
MANY_TIMES = 4

Praise = Literal["all_taken", "in_a_row", "more_taken", "on_time"]


class Week(NamedTuple):
    """A week and what stood out in it.

    `praise` is None where nothing deserves it. `number` and `of` are what it rests on;
    for `in_a_row` only days, for `more_taken` the doses before.
    """

    counts: Tally
    praise: Praise | None = None
    number: int = 0
    of: int = 0
    before: tuple[int, int] = (0, 0)
    habit: "Habit | None" = None


class Habit(NamedTuple):
    """Where in the week most has no record: `unrecorded` of `counted` doses.

    `times_a_day` is at how many different times something is taken.
    """

    band: PartOfDay | None
    weekday: int | None
    unrecorded: int
    counted: int
    times_a_day: int


def week_ending(on: date, *, first_weekday: int) -> tuple[date, date]:
    """Return first and last day of the newest week that is over with a day.

    It is a week as the reader's calendar has them; Monday is 0.

    >>> week_ending(date(2026, 11, 22), first_weekday=0)
    (datetime.date(2026, 11, 16), datetime.date(2026, 11, 22))
    """
    last_weekday = (first_weekday - 1) % 7
    last = on - A_DAY * ((on.weekday() - last_weekday) % 7)
    return last - A_WEEK + A_DAY, last


def week_of(
    outcomes: Iterable[Outcome], first: date, *, run: int, as_of: datetime
) -> Week | None:
    """Return what stood out from a day on; None where nothing of the week counts.

    `outcomes` hold the week before, too. `run` is the number of days in a row on which
    all was taken.
    """
    found = list(outcomes)
    this = [one for one in found if first <= one.nominal_date < first + A_WEEK]
    last = [one for one in found if first - A_WEEK <= one.nominal_date < first]
    counts = tally(this, as_of)
    if not counts.counted:
        return None
    week = _praised(counts, tally(last, as_of), run=run)
    return week._replace(habit=habit_of(this, as_of))


def _praised(now: Tally, before: Tally, *, run: int) -> Week:
    if now.due_days >= ENOUGH_DAYS and now.full_days == now.due_days:
        if run > now.due_days:
            return Week(now, "in_a_row", run)
        return Week(now, "all_taken", now.full_days, now.due_days)
    if before.counted and before.due_days >= ENOUGH_DAYS:
        share = Fraction(now.taken, now.counted)
        if share - Fraction(before.taken, before.counted) >= CLEARLY_MORE:
            was = (before.taken, before.counted)
            return Week(now, "more_taken", now.taken, now.counted, was)
    if Fraction(now.on_time, now.counted) >= ON_TIME:
        return Week(now, "on_time", now.on_time, now.counted)
    return Week(now)


def habit_of(outcomes: Sequence[Outcome], as_of: datetime) -> Habit | None:
    """Return where clearly most has no record, among what was taken or has none.

    What somebody decided to leave out is no habit.
    """
    kept = [one for one in outcomes if verdict(one, as_of) in ("taken", "no_record")]
    found = patterns(kept, as_of)
    if not found:
        return None
    where = found[0]
    times = {one.local_time for one in outcomes if one.local_time is not None}
    return Habit(
        band=where.band,
        weekday=where.weekday,
        unrecorded=int(where.not_taken * where.counted),
        counted=where.counted,
        times_a_day=len(times),
    )
