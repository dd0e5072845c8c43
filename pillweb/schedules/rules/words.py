"""A dosing line as one plain sentence."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from pillweb.base import words
from pillweb.base.i18n import (
    Speech,
    gettext_noop,
    ngettext,
    pgettext,
    pgettext_noop,
    speech,
)
from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.day_words import (
    clauses,
    every_words,
    joined,
    length_words,
    minutes_words,
    month_words,
    on_weekdays,
    week_words,
)
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
    PrnLimit,
    TimeOfDay,
    groups_of_times,
)

HOURS_A_DAY = 24
# Each meal alone, and with a time before it or after it.
_WITH = {
    "wake": gettext_noop("on getting up"),
    "breakfast": gettext_noop("with breakfast"),
    "lunch": gettext_noop("with lunch"),
    "dinner": gettext_noop("with dinner"),
    "bedtime": gettext_noop("at bedtime"),
}
_BEFORE = {
    "wake": gettext_noop("%(length)s before getting up"),
    "breakfast": gettext_noop("%(length)s before breakfast"),
    "lunch": gettext_noop("%(length)s before lunch"),
    "dinner": gettext_noop("%(length)s before dinner"),
    "bedtime": gettext_noop("%(length)s before bedtime"),
}
_AFTER = {
    "wake": gettext_noop("%(length)s after getting up"),
    "breakfast": gettext_noop("%(length)s after breakfast"),
    "lunch": gettext_noop("%(length)s after lunch"),
    "dinner": gettext_noop("%(length)s after dinner"),
    "bedtime": gettext_noop("%(length)s after bedtime"),
}
# What is done with a patch; a medicine's own words stay as they were written.
_ACTIONS = {
    "apply": pgettext_noop("what to do with a patch", "apply"),
    "remove": pgettext_noop("what to do with a patch", "remove"),
}
_ACTIONS_ON = {
    "apply": gettext_noop("apply %(amount)s"),
    "remove": gettext_noop("remove %(amount)s"),
}
_A_RANGE = re.compile(r"(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?) (\D+)")


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
    return clauses(told(line, unit))


def told(line: Line, unit: str = "") -> Told:
    """Return the parts of the sentence that `in_words` makes of a line."""
    days = ""
    match line.kind:
        case "clock":
            intake = _steps(line, unit) or _times(line.times, line, unit)
            days = "" if _says_days(line) else days_words(line)
        case "interval":
            intake = _with_amount(_amount(line.dose, line.action, unit), _hourly(line))
            if (line.interval_hours or 0) < HOURS_A_DAY:
                intake = clauses((intake, _("day and night")))
        case "once":
            intake = _with_amount(_amount(line.dose, line.action, unit), _once(line))
        case "prn":
            intake = _as_needed(line, line.prn or Prn(), unit)
    return Told(intake, days, until_words(line))


def dose_words(dose: Dose | None, unit: str = "") -> str:
    """Return the amount in words: its own unit if it names one, else `unit`."""
    if dose is None:
        return ""
    if dose.amount is not None:
        return words.amount_words(dose.amount, _singular(dose.unit) or unit)
    if found := _A_RANGE.fullmatch(dose.text):
        low, high = Decimal(found[1]), Decimal(found[2])
        most = words.amount_words(high, _singular(found[3]))
        return _("%(low)s to %(high)s", low=words.number_words(low), high=most)
    return _third(dose) if dose.fraction and dose.unit else _action(dose.text)


def _third(dose: Dose) -> str:
    """Return "1/3 tablet": no decimal says it exactly."""
    unit = _singular(dose.unit)
    return pgettext(
        "amount",
        "%(number)s %(unit)s",
        number=words.digits(dose.text.strip().removesuffix(dose.unit).strip()),
        unit=words.unit_name(unit, 1 if unit == dose.unit else 2),
    )


def intake_words(dose: str, action: str, unit: str) -> str:
    """Return one intake in words: "1 tablet", "40 mg", "remove 1 patch"."""
    return _intake(dose, action, unit, speech())


@lru_cache(maxsize=1024)
def _intake(dose: str, action: str, unit: str, _how: Speech) -> str:
    return _amount(read_dose(dose) if dose else None, action or None, unit)


def _singular(unit: str) -> str:
    for ending, one in (("patches", "patch"), ("suppositories", "suppository")):
        if unit == ending:
            return one
    return unit[:-1] if unit.endswith("s") and len(unit) > len("gs") else unit


def _amount(dose: Dose | None, action: str | None, unit: str) -> str:
    amount = dose_words(dose, unit)
    if not action or (dose and dose.text == action):
        return amount
    if not amount:
        return _action(action)
    if action in _ACTIONS_ON:
        return _(_ACTIONS_ON[action], amount=amount)
    return _("%(action)s %(amount)s", action=action, amount=amount)


def _action(words: str) -> str:
    known = _ACTIONS.get(words)
    return pgettext("what to do with a patch", known) if known else words


def _with_amount(amount: str, when: str) -> str:
    return _("%(amount)s %(when)s", amount=amount, when=when) if amount else when


def time_of_day_words(entry: TimeOfDay) -> str:
    """Return "at 8am", "30 minutes before breakfast", "with dinner", "at bedtime"."""
    if entry.at is not None:
        return _("at %(times)s", times=words.time_words(entry.at))
    meal = entry.meal or "bedtime"
    if entry.offset_min:
        side = _BEFORE if entry.offset_min < 0 else _AFTER
        return _(side[meal], length=minutes_words(abs(entry.offset_min)))
    return _(_WITH[meal])


def _times(times: Sequence[TimeOfDay], line: Line, unit: str) -> str:
    """Return the times, those of one amount and one kind of day together."""
    groups: dict[tuple[str, str], list[TimeOfDay]] = {}
    for entry in times:
        dose = entry.dose or line.dose
        key = (_amount(dose, entry.action or line.action, unit), _narrowed(entry))
        groups.setdefault(key, []).append(entry)
    return words.join_words(
        [_group(amount, on, entries) for (amount, on), entries in groups.items()]
    )


def _group(amount: str, on: str, entries: Sequence[TimeOfDay]) -> str:
    """Return one amount with its times; a comma parts it from another number."""
    when = _at(entries)
    if amount and entries[0].offset_min:
        when = _("%(amount)s, %(when)s", amount=amount, when=when)
    else:
        when = _with_amount(amount, when)
    return _("%(when)s %(days)s", when=when, days=on) if on else when


def _says_days(line: Line) -> bool:
    """Return whether times or steps already say on which days a daily line holds."""
    if line.days != EveryDays():
        return False
    if line.steps and all(step.days for step in line.steps):
        return True
    times = [entry for times in groups_of_times(line) for entry in times]
    return all(_narrowed(entry) for entry in times)


def _at(entries: Sequence[TimeOfDay]) -> str:
    """Return "at 8am and 8pm": the word "at" is said once."""
    moments = [_moment(entry) for entry in entries]
    if len(entries) == 1 or "" in moments:
        return words.join_words([time_of_day_words(entry) for entry in entries])
    return _("at %(times)s", times=words.join_words(moments))


def _moment(entry: TimeOfDay) -> str:
    """Return a time as it stands after "at"; nothing for one that has other words."""
    if entry.at is not None:
        return words.time_words(entry.at)
    is_bedtime = entry.meal == "bedtime" and not entry.offset_min
    return pgettext("at 8am and bedtime", "bedtime") if is_bedtime else ""


def _narrowed(entry: TimeOfDay) -> str:
    on = on_weekdays(entry.weekdays) if entry.weekdays else ""
    if entry.day_parity is None:
        return on
    if entry.day_parity:
        days = _("on the second of every 2 days")
    else:
        days = _("on the first of every 2 days")
    return _("%(when)s %(days)s", when=on, days=days) if on else days


def _steps(line: Line, unit: str) -> str:
    parts = []
    for step in line.steps:
        times = _times(step.times, line, unit)
        if step.days:
            times = _(
                "%(times)s for %(length)s", times=times, length=length_words(step.days)
            )
        parts.append(times)
    return joined(gettext_noop("%(first)s, then %(next)s"), parts)


def days_words(line: Line) -> str:
    """Return "every day", "on Mondays", "every 3 days", "on the 1st of every month"."""
    match line.days:
        case EveryDays(every):
            return every_words(every)
        case OnWeekdays(weekdays, weeks):
            return week_words(weekdays, weeks)
        case OnMonthDay(day, months):
            return month_words(day, months, first_month_day(line))
        case InCycle(_on, 0):
            return every_words(1)
        case InCycle(on_days, off_days):
            return _(
                "%(days)s with doses, then %(free)s without",
                days=length_words(on_days),
                free=length_words(off_days),
            )


def _hourly(line: Line) -> str:
    hours = line.interval_hours or Decimal(0)
    if hours == 1:
        return _("every hour")
    shown = words.number_words(hours)
    return ngettext("every %(num)s hour", "every %(num)s hours", hours, num=shown)


def _once(line: Line) -> str:
    if line.at is None:
        return _("once")
    return _(
        "once, at %(time)s on %(date)s",
        time=words.time_words(line.at.time()),
        date=words.long_date_words(line.at.date()),
    )


def _needed(amount: str, reason: str) -> str:
    if amount and reason:
        return _("%(amount)s when needed for %(reason)s", amount=amount, reason=reason)
    if amount:
        return _("%(amount)s when needed", amount=amount)
    if reason:
        return _("when needed for %(reason)s", reason=reason)
    return _("when needed")


def _as_needed(line: Line, prn: Prn, unit: str) -> str:
    parts = [_needed(_amount(line.dose, line.action, unit), prn.reason)]
    if prn.min_interval_minutes:
        apart = minutes_words(prn.min_interval_minutes)
        parts.append(_("at least %(length)s apart", length=apart))
    if prn.max:
        parts.append(_at_most(prn.max, unit))
    return clauses(parts)


def _at_most(limit: PrnLimit, unit: str) -> str:
    doses = ""
    if limit.doses is not None:
        shown = words.number_words(limit.doses)
        doses = ngettext("%(num)s dose", "%(num)s doses", limit.doses, num=shown)
    most = [part for part in (doses, dose_words(limit.amount, unit)) if part]
    return ngettext(
        "at most %(most)s in %(num)s hour",
        "at most %(most)s in %(num)s hours",
        limit.hours,
        num=words.number_words(limit.hours),
        most=words.join_words(most),
    )


def until_words(line: Line) -> str:
    """Return "14 doses in all", "until 7 June 2026", both, or nothing."""
    count = end = ""
    if line.count is not None:
        shown = words.number_words(line.count)
        count = ngettext(
            "%(num)s dose in all", "%(num)s doses in all", line.count, num=shown
        )
    if line.end_date:
        end = _until(line.end_date)
    return clauses((count, end))


def _until(day: date) -> str:
    return _("until %(date)s", date=words.long_date_words(day))


def end_words(line: Line) -> str:
    """Return how a line ends, steps that run out too; "it goes on" where it does."""
    last = last_of(line) if line.steps else None
    if last is not None and line.end_date is None:
        return _until(last)
    return until_words(line) or _("it goes on")


def start_words(line: Line) -> str:
    """Return "from 20 November 2026", with the hour of the first dose if it counts."""
    day = line.first.date() if line.first else line.start_date
    clock = line.first.time() if line.first else line.start_time
    if day is None:
        return ""
    shown = words.long_date_words(day)
    if clock is None:
        return _("from %(date)s", date=shown)
    return _("from %(time)s on %(date)s", time=words.time_words(clock), date=shown)


def pause_words(pause: Pause) -> str:
    """Return "paused from 4 May 2026 to 8 May 2026", or "until further notice"."""
    start = words.long_date_words(pause.start)
    if pause.end is None:
        return _("paused from %(start)s until further notice", start=start)
    end = words.long_date_words(pause.end)
    return _("paused from %(start)s to %(end)s", start=start, end=end)
