"""The weekly sheet: each dose of seven days as a box to tick."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from pillweb.base.code import Code
from pillweb.base.emergency import Help, country_of
from pillweb.base.i18n import gettext as _
from pillweb.base.words import (
    digits,
    full_date_words,
    join_words,
    long_date_words,
    time_words,
    weekday_name,
)
from pillweb.base.zones import local, zone
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.needed import holds_on
from pillweb.schedules.rules.occurrence import Occurrence
from pillweb.schedules.rules.slots_of_day import MINUTES_A_DAY, TAKE
from pillweb.schedules.rules.words import in_words, intake_words

WEEK = "week"
DAYS = 7
A_DAY = timedelta(days=1)
# So many medicines stay together where a page ends.
TOGETHER = 3
LETTER = frozenset({"US", "CA", "MX", "PR", "PH", "CL", "CO", "CR", "GT", "PA", "VE"})


class Planned(NamedTuple):
    """One line of a plan in these days; `is_held` where a pause holds doses of it."""

    medication_id: int
    name: str
    strength: str
    instruction: str
    unit: str
    line_id: int
    line: Line
    occurrences: tuple[Occurrence, ...]
    is_held: bool


class Row(NamedTuple):
    """A medicine at one time of day; `days` says on which days it has a box."""

    name: str
    strength: str
    amount_words: str
    instruction: str
    only_words: str
    days: tuple[bool, ...]


class Moment(NamedTuple):
    """A time of day with its medicines; one with many goes on in another moment."""

    clock: str
    time_words: str
    rows: tuple[Row, ...]


class Needed(NamedTuple):
    """A medicine that is taken as needed, with its limits."""

    name: str
    strength: str
    plan_words: str
    instruction: str


class Day(NamedTuple):
    """The head of a column."""

    name: str
    number: str


class Sheet(NamedTuple):
    """Everything a weekly sheet says."""

    patient_name: str
    period_words: str
    made_words: str
    days: tuple[Day, ...]
    moments: tuple[Moment, ...]
    codes: tuple[tuple[str, Code], ...]
    needed: tuple[Needed, ...]
    paused_words: str
    numbers: Help
    help_phone: str
    paper: str


class Around(NamedTuple):
    """What stands on a sheet besides the plan."""

    patient_name: str
    made_on: date
    zone: str
    numbers: Help
    help_phone: str


def week_of(first: date) -> tuple[date, ...]:
    """Return the seven days of a sheet."""
    return tuple(first + A_DAY * number for number in range(DAYS))


def first_days(today: date) -> list[date]:
    """Return the days a new sheet may begin on: today, tomorrow, next Monday.

    >>> [day.day for day in first_days(date(2026, 11, 20))]
    [20, 21, 23]
    >>> [day.day for day in first_days(date(2026, 11, 22))]
    [22, 23]
    """
    monday = today + A_DAY * (DAYS - today.weekday())
    return list(dict.fromkeys([today, today + A_DAY, monday]))


def paper_in(zone_name: str) -> str:
    """Return the paper that is sold where a zone lies, as CSS names its size."""
    return "letter" if country_of(zone_name) in LETTER else "A4"


def make_sheet(
    planned: Sequence[Planned],
    around: Around,
    *,
    first: date,
    codes: Mapping[str, Code],
) -> Sheet:
    """Return the sheet of the week from `first` on; `codes` by clock, "08:00"."""
    week = week_of(first)
    held = dict.fromkeys(one.name for one in planned if one.is_held)
    return Sheet(
        patient_name=around.patient_name,
        period_words=_(
            "%(first)s to %(last)s",
            first=full_date_words(week[0]),
            last=full_date_words(week[-1]),
        ),
        made_words=long_date_words(around.made_on),
        days=tuple(
            Day(weekday_name(day.weekday()), digits(str(day.day))) for day in week
        ),
        moments=tuple(_moments(planned, week)),
        codes=tuple(
            (_clock_words(clock), code) for clock, code in sorted(codes.items())
        ),
        needed=tuple(
            needed_of(one)
            for one in planned
            if one.line.kind == "prn" and any(holds_on(one.line, day) for day in week)
        ),
        paused_words=join_words(list(held)),
        numbers=around.numbers,
        help_phone=around.help_phone,
        paper=paper_in(around.zone),
    )


def clocks_of(sheet: Sheet) -> list[str]:
    """Return each time of day on a sheet once, "08:00"."""
    return list(dict.fromkeys(moment.clock for moment in sheet.moments))


def needed_of(one: Planned) -> Needed:
    """Return a medicine taken as needed in words."""
    words = in_words(one.line, one.unit)
    return Needed(
        one.name, one.strength, words[:1].upper() + words[1:], one.instruction
    )


_Key = tuple[int, str]


def _moments(planned: Iterable[Planned], week: Sequence[date]) -> Iterable[Moment]:
    found: dict[_Key, dict[tuple[int, str], set[date]]] = {}
    lines = {one.line_id: one for one in planned}
    for one in lines.values():
        for dose in one.occurrences:
            if dose.nominal_date in week:
                rows = found.setdefault(_when(dose), {})
                amount = _amount(dose, one.unit)
                rows.setdefault((one.line_id, amount), set()).add(dose.nominal_date)
    for (_minute, clock), rows in sorted(found.items()):
        told = [
            _row(lines[line_id], amount, [day in days for day in week], week)
            for (line_id, amount), days in rows.items()
        ]
        for start in range(0, len(told), TOGETHER):
            yield Moment(
                clock=clock,
                time_words=_clock_words(clock),
                rows=tuple(told[start : start + TOGETHER]),
            )


def _clock_words(clock: str) -> str:
    return time_words(time.fromisoformat(clock))


def _when(dose: Occurrence) -> _Key:
    """Return minute and clock; what falls after midnight stands below the evening."""
    shown: datetime = local(dose.due_at, zone(dose.zone))
    after = (shown.date() - dose.nominal_date).days * MINUTES_A_DAY
    clock = time.fromisoformat(dose.local_label)
    return after + clock.hour * 60 + clock.minute, dose.local_label


def _amount(dose: Occurrence, unit: str) -> str:
    action = "" if dose.action == TAKE else dose.action
    return intake_words(dose.dose, action, unit)


def _row(one: Planned, amount: str, days: Sequence[bool], week: Sequence[date]) -> Row:
    names = [
        weekday_name(day.weekday()) for day, due in zip(week, days, strict=True) if due
    ]
    return Row(
        name=one.name,
        strength=one.strength,
        amount_words=amount,
        instruction=one.instruction,
        only_words="" if all(days) else _("Only on %(days)s.", days=join_words(names)),
        days=tuple(days),
    )
