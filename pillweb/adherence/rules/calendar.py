"""A month of days, each with one state: domain 5.2, item 26."""

from calendar import Calendar
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from pillweb.adherence.rules.outcome import COUNTED, Outcome, Verdict, timing, verdict
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import PartOfDay, number_words, part_of_day

DayState = Literal[
    "taken",
    "late",
    "part",
    "not_taken",
    "no_record",
    "not_reminded",
    "skipped",
    "paused",
    "to_come",
    "not_due",
]
Shape = Literal[
    "tick",
    "half-disc",
    "part-ring",
    "cross",
    "question-mark",
    "struck-bell",
    "dash",
    "two-bars",
    "dot",
    "empty-ring",
]

WORDS: dict[DayState, str] = {
    "taken": gettext_noop("Taken"),
    "late": gettext_noop("Late"),
    "part": gettext_noop("Some taken"),
    "not_taken": gettext_noop("Not taken"),
    "no_record": gettext_noop("No record"),
    "not_reminded": gettext_noop("Not reminded"),
    "skipped": gettext_noop("Skipped"),
    "paused": gettext_noop("Paused"),
    "to_come": gettext_noop("To come"),
    "not_due": gettext_noop("Not due"),
}
SHAPES: dict[DayState, Shape] = {
    "taken": "tick",
    "late": "half-disc",
    "part": "part-ring",
    "not_taken": "cross",
    "no_record": "question-mark",
    "not_reminded": "struck-bell",
    "skipped": "dash",
    "paused": "two-bars",
    "to_come": "dot",
    "not_due": "empty-ring",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One cell of the month.

    `taken` of `due` doses were fully taken; `due` counts open ones too. Cells outside
    the month fill up the weeks: `in_month` is false and their state is "not_due".
    """

    on: date
    in_month: bool
    is_today: bool
    state: DayState
    taken: int = 0
    due: int = 0

    @property
    def word(self) -> str:
        """The state in words; a part says how much of it: "Some taken, 1 of 2"."""
        counts = {"taken": number_words(self.taken), "due": number_words(self.due)}
        if self.state == "to_come" and self.taken:
            return _("%(taken)s of %(due)s taken so far", **counts)
        if self.state == "part":
            return _("Some taken, %(taken)s of %(due)s", **counts)
        return _(WORDS[self.state])

    @property
    def shape(self) -> Shape:
        """The sign drawn beside the word, so that colour is never the only one."""
        return SHAPES[self.state]


def month_calendar(
    outcomes: Iterable[Outcome],
    year: int,
    month: int,
    today: date,
    as_of: datetime,
    *,
    first_weekday: int = 0,
) -> tuple[tuple[Day, ...], ...]:
    """Return the weeks of a month, each of seven days from the first weekday on.

    `today` is the patient's date, `as_of` the UTC instant doses are judged at; Monday
    is 0.
    """
    by_day = _by_day(outcomes)
    return tuple(
        tuple(
            _day(by_day.get(on, ()), on, today, as_of, in_month=on.month == month)
            for on in week
        )
        for week in Calendar(first_weekday).monthdatescalendar(year, month)
    )


def _by_day(outcomes: Iterable[Outcome]) -> dict[date, list[Outcome]]:
    by_day: dict[date, list[Outcome]] = {}
    for one in outcomes:
        by_day.setdefault(one.nominal_date, []).append(one)
    return by_day


Parts = tuple[tuple[PartOfDay, DayState], ...]


def week_calendar(
    outcomes: Iterable[Outcome], first: date, today: date, as_of: datetime
) -> tuple[tuple[Day, Parts], ...]:
    """Return seven days from the first on, each with the state of its parts.

    A dose without a planned wall time is in no part; a part without doses is left out.
    """
    by_day = _by_day(outcomes)
    days = (first + timedelta(days=number) for number in range(7))
    return tuple(
        (
            _day(by_day.get(on, ()), on, today, as_of, in_month=True),
            _parts(by_day.get(on, ()), as_of),
        )
        for on in days
    )


def _parts(outcomes: Sequence[Outcome], as_of: datetime) -> Parts:
    by_part: dict[PartOfDay, list[Outcome]] = {}
    for one in outcomes:
        if one.local_time is not None:
            by_part.setdefault(part_of_day(one.local_time), []).append(one)
    return tuple((part, day_state(found, as_of)) for part, found in by_part.items())


def _day(
    outcomes: Sequence[Outcome],
    on: date,
    today: date,
    as_of: datetime,
    *,
    in_month: bool,
) -> Day:
    if not in_month:
        return Day(on, in_month, on == today, "not_due")
    verdicts = [verdict(one, as_of) for one in outcomes]
    due = sum(as_what in COUNTED or as_what == "open" for as_what in verdicts)
    state = day_state(outcomes, as_of)
    return Day(on, in_month, on == today, state, verdicts.count("taken"), due)


def day_state(outcomes: Iterable[Outcome], as_of: datetime) -> DayState:
    """Return the one state of a day.

    As-needed and cancelled doses are left out. Decided here, for a mixed day, the first
    that fits: nothing planned is "not_due"; nothing counted is "to_come" if a dose is
    open, else "not_reminded" if we failed to remind of one, else "paused" if one is
    held, else "skipped" (all excused). All counted doses fully taken is "to_come" while
    one is open, else "not_reminded" if we failed to remind of another, else "late" if
    one was late, else "taken" (early is taken). Some taken is "part". None taken is
    "no_record" if one has no record, for that can still be filled in, else "not_taken",
    else "skipped".
    """
    doses = [(one, verdict(one, as_of)) for one in outcomes]
    verdicts = {as_what for _, as_what in doses} - {"cancelled", "as_needed"}
    counted = verdicts & COUNTED
    if not counted:
        return _uncounted(verdicts)
    if counted == {"taken"}:
        if unsaid := verdicts & {"open", "not_reminded"}:
            return "to_come" if "open" in unsaid else "not_reminded"
        is_late = any(
            as_what == "taken" and timing(one) == "late" for one, as_what in doses
        )
        return "late" if is_late else "taken"
    if counted & {"taken", "part"}:
        return "part"
    if "no_record" in counted:
        return "no_record"
    return "not_taken" if "not_taken" in counted else "skipped"


def _uncounted(verdicts: AbstractSet[Verdict]) -> DayState:
    if not verdicts:
        return "not_due"
    if "open" in verdicts:
        return "to_come"
    if "not_reminded" in verdicts:
        return "not_reminded"
    return "paused" if "held" in verdicts else "skipped"
