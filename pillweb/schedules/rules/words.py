"""A dosing line as one plain English sentence."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from pillweb.base import words
from pillweb.schedules.rules.days import first_month_day, last_of
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import (
    Dose,
    EveryDays,
    InCycle,
    Line,
    OnMonthDay,
    OnWeekdays,
    Pause,
    Prn,
    TimeOfDay,
    groups_of_times,
)

DAYS_A_WEEK = 7
MONTHS_A_YEAR = 12
LAST_MONTH_DAYS = 29
FEBRUARY = 2
HOUR = 60
HOURS_A_DAY = 24
_MEALS = {
    "wake": "getting up",
    "breakfast": "breakfast",
    "lunch": "lunch",
    "dinner": "dinner",
    "bedtime": "bedtime",
}


class Told(NamedTuple):
    """A line in words, part by part; a part with nothing to say is empty.

    `intake` is how much and at which times, with the limits of an as-needed line;
    `until` the end and the number of doses.
    """

    intake: str
    days: str
    until: str


def in_words(line: Line, unit: str = "") -> str:
    """Return the line as one sentence without a full stop.

    "1 tablet at 8am and 8pm, every day, until 7 June 2026". `unit` is the medicine's
    unit in the singular, for amounts written without one. A pause, a start and zone
    policies are told elsewhere.
    """
    return ", ".join(part for part in told(line, unit) if part)


def told(line: Line, unit: str = "") -> Told:
    """Return the parts of the sentence that `in_words` makes of a line."""
    days = ""
    match line.kind:
        case "clock":
            intake = [_steps(line, unit) or _times(line.times, line, unit)]
            days = "" if _says_days(line) else days_words(line)
        case "interval":
            intake = [
                _phrase(_amount(line.dose, line.action, unit), _every_hours(line)),
                "day and night" if (line.interval_hours or 0) < HOURS_A_DAY else "",
            ]
        case "once":
            intake = [_phrase(_amount(line.dose, line.action, unit), _once(line))]
        case "prn":
            intake = _as_needed(line, line.prn or Prn(), unit)
    return Told(", ".join(part for part in intake if part), days, until_words(line))


def dose_words(dose: Dose | None, unit: str = "") -> str:
    """Return the amount in words: its own unit if it names one, else `unit`."""
    if dose is None:
        return ""
    if dose.amount is None:
        return dose.text
    return words.amount_words(dose.amount, _singular(dose.unit) or unit)


@lru_cache(maxsize=1024)
def intake_words(dose: str, action: str, unit: str) -> str:
    """Return one intake in words: "1 tablet", "40 mg", "remove 1 patch"."""
    return _amount(read_dose(dose) if dose else None, action or None, unit)


def _singular(unit: str) -> str:
    for ending, one in (("patches", "patch"), ("suppositories", "suppository")):
        if unit == ending:
            return one
    return unit[:-1] if unit.endswith("s") and len(unit) > len("gs") else unit


def _amount(dose: Dose | None, action: str | None, unit: str) -> str:
    amount = dose_words(dose, unit)
    if action and action != amount:
        return f"{action} {amount}".strip()
    return amount


def _phrase(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def time_of_day_words(entry: TimeOfDay) -> str:
    """Return "at 8am", "30 minutes before breakfast", "with dinner", "at bedtime"."""
    if entry.at is not None:
        return f"at {words.time_words(entry.at)}"
    meal = _MEALS[entry.meal or "bedtime"]
    if entry.offset_min:
        side = "before" if entry.offset_min < 0 else "after"
        return f"{_minutes(abs(entry.offset_min))} {side} {meal}"
    if entry.meal == "bedtime":
        return "at bedtime"
    return f"on {meal}" if entry.meal == "wake" else f"with {meal}"


def _times(times: Sequence[TimeOfDay], line: Line, unit: str) -> str:
    """Return the times, those of one amount and one kind of day together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in times:
        dose = entry.dose or line.dose
        key = (_amount(dose, entry.action or line.action, unit), _narrowed(entry))
        groups.setdefault(key, []).append(time_of_day_words(entry))
    return words.join_words(
        [
            _phrase(_apart(amount, moments[0]), _at(moments), on)
            for (amount, on), moments in groups.items()
        ]
    )


def _apart(amount: str, moment: str) -> str:
    """Return the amount with a comma before another number: "10 mg, 30 minutes"."""
    return f"{amount}," if amount and moment[0].isdigit() else amount


def _says_days(line: Line) -> bool:
    """Return whether times or steps already say on which days a daily line holds."""
    if line.days != EveryDays():
        return False
    if line.steps and all(step.days for step in line.steps):
        return True
    times = [entry for times in groups_of_times(line) for entry in times]
    return all(_narrowed(entry) for entry in times)


def _at(moments: Sequence[str]) -> str:
    """Return "at 8am and 8pm": the word "at" is said once."""
    if all(moment.startswith("at ") for moment in moments):
        return f"at {words.join_words([moment[3:] for moment in moments])}"
    return words.join_words(moments)


def _narrowed(entry: TimeOfDay) -> str:
    on = _on_weekdays(entry.weekdays) if entry.weekdays else ""
    if entry.day_parity is not None:
        which = "second" if entry.day_parity else "first"
        on = _phrase(on, f"on the {which} of every 2 days")
    return on


def _on_weekdays(weekdays: Sequence[int]) -> str:
    names = [f"{words.WEEKDAY_NAMES[day]}s" for day in sorted(weekdays)]
    return f"on {words.join_words(names)}"


def _steps(line: Line, unit: str) -> str:
    told = []
    for step in line.steps:
        times = _times(step.times, line, unit)
        told.append(f"{times} for {_count(step.days, 'day')}" if step.days else times)
    return ", then ".join(told)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing if number == 1 else words.plural(thing)}"


def days_words(line: Line) -> str:
    """Return "every day", "on Mondays", "every 3 days", "on the 1st of every month"."""
    match line.days:
        case EveryDays(every):
            return _every(every)
        case OnWeekdays(weekdays, weeks):
            on = _every(1)
            if len(weekdays) < DAYS_A_WEEK or weeks > 1:
                on = _on_weekdays(weekdays)
            return on if weeks == 1 else f"every {weeks} weeks {on}"
        case OnMonthDay(day, months):
            return _month_days(day, months, first_month_day(line))
        case InCycle(on_days, off_days):
            without = f"{_count(off_days, 'day')} without"
            told = f"{_count(on_days, 'day')} with doses, then {without}"
            return told if off_days else _every(1)


def _every(days: int) -> str:
    if days == 1:
        return "every day"
    if days == DAYS_A_WEEK:
        return "once a week"
    if days % DAYS_A_WEEK == 0:
        return f"every {days // DAYS_A_WEEK} weeks"
    return f"every {days} days"


def _month_days(day: int, months: int, first: date | None) -> str:
    if first and months % MONTHS_A_YEAR == 0:
        return f"{_on_date(day, first)}, {_every_years(months // MONTHS_A_YEAR)}"
    on = f"on the {words.ordinal_words(day)}"
    if day >= LAST_MONTH_DAYS:
        on += " (or the last day of a shorter month)"
    if months % MONTHS_A_YEAR == 0:
        return f"{on}, {_every_years(months // MONTHS_A_YEAR)}"
    return f"{on} of every month" if months == 1 else f"{on}, every {months} months"


def _on_date(day: int, first: date) -> str:
    """Return "on 29 February (28 February in other years)", for the month counts."""
    month = words.MONTH_NAMES[first.month - 1]
    if first.month == FEBRUARY and day >= LAST_MONTH_DAYS:
        return f"on 29 {month} (28 {month} in other years)"
    return f"on {first.day} {month}"


def _every_years(years: int) -> str:
    return "once a year" if years == 1 else f"every {years} years"


def _every_hours(line: Line) -> str:
    hours = line.interval_hours or Decimal(0)
    return "every hour" if hours == 1 else f"every {words.number_words(hours)} hours"


def _once(line: Line) -> str:
    if line.at is None:
        return "once"
    day = words.long_date_words(line.at.date())
    return f"once, at {words.time_words(line.at.time())} on {day}"


def _minutes(minutes: int) -> str:
    if minutes % HOUR:
        return _count(minutes, "minute")
    return _count(minutes // HOUR, "hour")


def _as_needed(line: Line, prn: Prn, unit: str) -> list[str]:
    reason = f"for {prn.reason}" if prn.reason else ""
    amount = _amount(line.dose, line.action, unit)
    parts = [_phrase(amount, "when needed", reason)]
    if prn.min_interval_minutes:
        parts.append(f"at least {_minutes(prn.min_interval_minutes)} apart")
    if prn.max:
        doses = "" if prn.max.doses is None else _count(prn.max.doses, "dose")
        most = words.join_words(
            [part for part in (doses, dose_words(prn.max.amount, unit)) if part]
        )
        hours = words.number_words(prn.max.hours)
        parts.append(f"at most {most} in {hours} hours")
    return parts


def until_words(line: Line) -> str:
    """Return "14 doses in all", "until 7 June 2026", both, or nothing."""
    parts = []
    if line.count is not None:
        parts.append(f"{_count(line.count, 'dose')} in all")
    if line.end_date:
        parts.append(f"until {words.long_date_words(line.end_date)}")
    return ", ".join(parts)


def end_words(line: Line) -> str:
    """Return how a line ends, steps that run out too; "it goes on" where it does."""
    last = last_of(line) if line.steps else None
    if last is not None and line.end_date is None:
        return f"until {words.long_date_words(last)}"
    return until_words(line) or "it goes on"


def start_words(line: Line) -> str:
    """Return "from 20 November 2026", with the hour of the first dose if it counts."""
    if line.first is not None:
        at, day = words.time_words(line.first.time()), line.first.date()
        return f"from {at} on {words.long_date_words(day)}"
    if line.start_date is None:
        return ""
    day_words = words.long_date_words(line.start_date)
    if line.start_time is None:
        return f"from {day_words}"
    return f"from {words.time_words(line.start_time)} on {day_words}"


def pause_words(pause: Pause) -> str:
    """Return "paused from 4 May 2026 to 8 May 2026", or "until further notice"."""
    start = f"paused from {words.long_date_words(pause.start)}"
    if pause.end is None:
        return f"{start} until further notice"
    return f"{start} to {words.long_date_words(pause.end)}"
