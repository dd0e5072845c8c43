"""The days of a dosing line in words, and how clauses are put together."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce

from pillweb.base import words
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop, ngettext

DAYS_A_WEEK = 7
MONTHS_A_YEAR = 12
LAST_MONTH_DAYS = 29
FEBRUARY = 2
HOUR = 60
# L10N: these stand in "on Mondays and Thursdays"
_WEEKDAYS = (
    gettext_noop("Mondays"),
    gettext_noop("Tuesdays"),
    gettext_noop("Wednesdays"),
    gettext_noop("Thursdays"),
    gettext_noop("Fridays"),
    gettext_noop("Saturdays"),
    gettext_noop("Sundays"),
)


def clauses(parts: Iterable[str]) -> str:
    """Return parts that each say something of their own, after each other."""
    return joined(gettext_noop("%(first)s, %(next)s"), parts)


def joined(how: str, parts: Iterable[str]) -> str:
    """Return parts after each other as the message `how` puts "first" and "next"."""
    said = [part for part in parts if part]
    return reduce(lambda first, one: _(how, first=first, next=one), said or [""])


def length_words(number: int) -> str:
    """Return "1 day", "14 days"."""
    shown = words.number_words(number)
    return ngettext("%(num)s day", "%(num)s days", number, num=shown)


def minutes_words(minutes: int) -> str:
    """Return "30 minutes", "1 hour", "90 minutes"."""
    hours, rest = divmod(minutes, HOUR)
    if rest:
        shown = words.number_words(minutes)
        return ngettext("%(num)s minute", "%(num)s minutes", minutes, num=shown)
    shown = words.number_words(hours)
    return ngettext("%(num)s hour", "%(num)s hours", hours, num=shown)


def on_weekdays(weekdays: Sequence[int]) -> str:
    """Return "on Mondays and Thursdays" (Monday is 0)."""
    names = [_(_WEEKDAYS[day]) for day in sorted(weekdays)]
    return _("on %(weekdays)s", weekdays=words.join_words(names))


def every_words(days: int) -> str:
    """Return "every day", "once a week", "every 2 weeks", "every 3 days"."""
    if days == 1:
        return _("every day")
    if days == DAYS_A_WEEK:
        return _("once a week")
    weeks, rest = divmod(days, DAYS_A_WEEK)
    if not rest:
        shown = words.number_words(weeks)
        return ngettext("every %(num)s week", "every %(num)s weeks", weeks, num=shown)
    shown = words.number_words(days)
    return ngettext("every %(num)s day", "every %(num)s days", days, num=shown)


def week_words(weekdays: Sequence[int], weeks: int) -> str:
    """Return "on Mondays", "every 2 weeks on Mondays"; all seven are every day."""
    if weeks == 1:
        whole = len(weekdays) == DAYS_A_WEEK
        return every_words(1) if whole else on_weekdays(weekdays)
    return ngettext(
        "every %(num)s week %(days)s",
        "every %(num)s weeks %(days)s",
        weeks,
        num=words.number_words(weeks),
        days=on_weekdays(weekdays),
    )


def month_words(day: int, months: int, first: date | None) -> str:
    """Return "on the 1st of every month", "on 1 June, once a year".

    `first` is the first such date, None where it is not known.
    """
    years, rest = divmod(months, MONTHS_A_YEAR)
    if not rest:
        return clauses((_on_date(day, first), _every_years(years)))
    nth, shown = words.ordinal_words(day), words.number_words(months)
    if day < LAST_MONTH_DAYS:
        if months == 1:
            return _("on the %(day)s of every month", day=nth)
        return ngettext(
            "on the %(day)s, every %(num)s month",
            "on the %(day)s, every %(num)s months",
            months,
            num=shown,
            day=nth,
        )
    if months == 1:
        return _(
            "on the %(day)s (or the last day of a shorter month) of every month",
            day=nth,
        )
    return ngettext(
        "on the %(day)s (or the last day of a shorter month), every %(num)s month",
        "on the %(day)s (or the last day of a shorter month), every %(num)s months",
        months,
        num=shown,
        day=nth,
    )


def _on_date(day: int, first: date | None) -> str:
    """Return "on 29 February (28 February in other years)", for the month counts."""
    if first and first.month == FEBRUARY and day >= LAST_MONTH_DAYS:
        leap, other = (words.day_words(date(2028, 2, last)) for last in (29, 28))
        return _("on %(date)s (%(other)s in other years)", date=leap, other=other)
    if first:
        return _("on %(date)s", date=words.day_words(first))
    if day < LAST_MONTH_DAYS:
        return _("on the %(day)s", day=words.ordinal_words(day))
    return _(
        "on the %(day)s (or the last day of a shorter month)",
        day=words.ordinal_words(day),
    )


def _every_years(years: int) -> str:
    if years == 1:
        return _("once a year")
    shown = words.number_words(years)
    return ngettext("every %(num)s year", "every %(num)s years", years, num=shown)
