"""Numbers, times, dates and amounts in the words of whom they are for.

English follows the NHS and ISMP; the other languages follow CLDR.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel.dates import format_time, get_day_names, get_month_names
from babel.lists import format_list
from babel.numbers import format_decimal

from pillweb.base.i18n import (
    Speech,
    gettext,
    gettext_noop,
    ngettext,
    pgettext,
    pgettext_noop,
    speech,
)

PartOfDay = Literal["morning", "midday", "evening", "bedtime"]

WEEKDAY_NAMES = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_NOON = 12
_QUARTER, _HALF, _MOST = Decimal("0.25"), Decimal("0.5"), Decimal("0.75")
# What can be cut: the words of a part alone, and of one beside whole ones.
_CUT = {
    ("tablet", _QUARTER): (
        gettext_noop("a quarter of a tablet"),
        gettext_noop("%(whole)s and a quarter tablets"),
    ),
    ("tablet", _HALF): (
        gettext_noop("half a tablet"),
        gettext_noop("%(whole)s and a half tablets"),
    ),
    ("tablet", _MOST): (
        gettext_noop("three quarters of a tablet"),
        gettext_noop("%(whole)s and three quarters tablets"),
    ),
    ("patch", _QUARTER): (
        gettext_noop("a quarter of a patch"),
        gettext_noop("%(whole)s and a quarter patches"),
    ),
    ("patch", _HALF): (
        gettext_noop("half a patch"),
        gettext_noop("%(whole)s and a half patches"),
    ),
    ("patch", _MOST): (
        gettext_noop("three quarters of a patch"),
        gettext_noop("%(whole)s and three quarters patches"),
    ),
    ("suppository", _QUARTER): (
        gettext_noop("a quarter of a suppository"),
        gettext_noop("%(whole)s and a quarter suppositories"),
    ),
    ("suppository", _HALF): (
        gettext_noop("half a suppository"),
        gettext_noop("%(whole)s and a half suppositories"),
    ),
    ("suppository", _MOST): (
        gettext_noop("three quarters of a suppository"),
        gettext_noop("%(whole)s and three quarters suppositories"),
    ),
    ("sachet", _QUARTER): (
        gettext_noop("a quarter of a sachet"),
        gettext_noop("%(whole)s and a quarter sachets"),
    ),
    ("sachet", _HALF): (
        gettext_noop("half a sachet"),
        gettext_noop("%(whole)s and a half sachets"),
    ),
    ("sachet", _MOST): (
        gettext_noop("three quarters of a sachet"),
        gettext_noop("%(whole)s and three quarters sachets"),
    ),
}
_NEVER_PLURAL = frozenset(
    {"mg", "g", "kg", "mcg", "microgram", "ml", "l", "mmol", "%", "cm"}
)
_PLURALS = {"patch": "patches", "suppository": "suppositories"}
_BANDS: tuple[tuple[int, PartOfDay], ...] = (
    (4, "morning"),
    (11, "midday"),
    (16, "evening"),
    (21, "bedtime"),
)
_GREETINGS = (
    (5, pgettext_noop("greeting", "morning")),
    (12, pgettext_noop("greeting", "afternoon")),
    (17, pgettext_noop("greeting", "evening")),
    (22, pgettext_noop("greeting", "night")),
)
_TEENS = range(10, 20)
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_UNITS: dict[str, Callable[[Decimal | int], str]] = {
    "tablet": lambda n: ngettext("tablet", "tablets", n),
    "capsule": lambda n: ngettext("capsule", "capsules", n),
    "drop": lambda n: ngettext("drop", "drops", n),
    "puff": lambda n: ngettext("puff", "puffs", n),
    "unit": lambda n: ngettext("unit", "units", n),
    "patch": lambda n: ngettext("patch", "patches", n),
    "application": lambda n: ngettext("application", "applications", n),
    "sachet": lambda n: ngettext("sachet", "sachets", n),
    "dose": lambda n: ngettext("dose", "doses", n),
    "suppository": lambda n: ngettext("suppository", "suppositories", n),
    "injection": lambda n: ngettext("injection", "injections", n),
    "spray": lambda n: ngettext("spray", "sprays", n),
    "spoonful": lambda n: ngettext("spoonful", "spoonfuls", n),
    "teaspoon": lambda n: ngettext("teaspoon", "teaspoons", n),
    "ml": lambda n: ngettext("ml", "ml", n),
    "mg": lambda n: ngettext("mg", "mg", n),
    "g": lambda n: ngettext("g", "g", n),
    "mcg": lambda n: ngettext("mcg", "mcg", n),
    "microgram": lambda n: ngettext("microgram", "micrograms", n),
}
# A number that takes the form of "many" wherever a language has one.
_MANY = 5


def digits(text: str) -> str:
    """Return the text in the digits that its reader chose."""
    return text.translate(_ARABIC_INDIC) if speech().digits == "arab" else text


def time_words(clock: time) -> str:
    """Return the time as "8am", "8.05am", "5.30pm", "midday" or "midnight" (NHS).

    Or as the language has it; on a clock of 12 or 24 hours, where one was chosen.
    """
    return _time_words(clock, speech())


@lru_cache(maxsize=4096)
def _time_words(clock: time, how: Speech) -> str:
    if how.language != "en" or how.hours == "24":
        return digits(format_time(clock, _clock_pattern(how), locale=how.locale))
    if clock.minute == 0 and clock.hour in (0, _NOON):
        return "midday" if clock.hour else "midnight"
    hour = clock.hour % _NOON or _NOON
    minutes = f".{clock.minute:02d}" if clock.minute else ""
    return f"{hour}{minutes}{'am' if clock.hour < _NOON else 'pm'}"


def _clock_pattern(how: Speech) -> str:
    """Return CLDR's pattern; that of 12 hours tells noon from midnight in words."""
    if how.hours == "24":
        return "HH:mm"
    own = str(how.locale.time_formats["short"].pattern)
    if how.hours == "12" or "h" in own:
        return str(how.locale.datetime_skeletons["Bhm"].pattern)
    return own


def weekday_name(weekday: int) -> str:
    """Return the name of a day of the week; Monday is 0."""
    return str(get_day_names("wide", "stand-alone", speech().locale)[weekday])


def weekday_short(weekday: int) -> str:
    """Return the short name of a day of the week, as a table heads its columns."""
    if speech().language == "en":
        return WEEKDAY_NAMES[weekday][:3]
    return str(get_day_names("abbreviated", "stand-alone", speech().locale)[weekday])


def month_name(month: int) -> str:
    """Return the name of a month as it stands alone; January is 1."""
    return _month(month, "stand-alone")


def _month(month: int, context: Literal["format", "stand-alone"]) -> str:
    # In many languages a month beside its day has a form of its own. Chinese writes
    # its months out in dates of law; people write them in digits.
    width: Literal["abbreviated", "wide"]
    width = "abbreviated" if speech().language == "zh" else "wide"
    return str(get_month_names(width, context, speech().locale)[month])


def month_words(month: date) -> str:
    """Return the month as "November 2026"."""
    return pgettext(
        "month",
        "%(month)s %(year)s",
        month=month_name(month.month),
        year=digits(str(month.year)),
    )


def dated_words(moments: Iterable[datetime]) -> str:
    """Return local times with their dates: "8am and 9am on Friday 20 November"."""
    days: dict[date, list[str]] = {}
    for at in moments:
        days.setdefault(at.date(), []).append(time_words(at.time()))
    return join_words(
        [
            gettext(
                "%(time)s on %(date)s",
                time=join_words([*dict.fromkeys(clocks)]),
                date=date_words(day),
            )
            for day, clocks in days.items()
        ]
    )


def date_words(day: date) -> str:
    """Return the date as "Friday 20 November", without a year."""
    return pgettext(
        "date",
        "%(weekday)s %(day)s %(month)s",
        weekday=str(get_day_names("wide", "format", speech().locale)[day.weekday()]),
        day=digits(str(day.day)),
        month=_month(day.month, "format"),
    )


def day_words(day: date) -> str:
    """Return the date as "20 November"."""
    return pgettext(
        "date",
        "%(day)s %(month)s",
        day=digits(str(day.day)),
        month=_month(day.month, "format"),
    )


def long_date_words(day: date) -> str:
    """Return the date as "20 November 2026"."""
    return pgettext(
        "date",
        "%(day)s %(month)s %(year)s",
        day=digits(str(day.day)),
        month=_month(day.month, "format"),
        year=digits(str(day.year)),
    )


def full_date_words(day: date) -> str:
    """Return the date as "Friday 20 November 2026"."""
    return pgettext(
        "date", "%(date)s %(year)s", date=date_words(day), year=digits(str(day.year))
    )


def ordinal_words(number: int) -> str:
    """Return "1st", "2nd", "3rd", "11th", "31st"; the number alone but in English."""
    if speech().language != "en":
        return digits(str(number))
    ending = "th" if number % 100 in _TEENS else _ORDINALS.get(number % 10, "th")
    return f"{number}{ending}"


def join_words(words: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"; nothing for no words."""
    return str(format_list(list(words), locale=speech().locale)) if words else ""


def number_words(number: Decimal | int) -> str:
    """Return the number as ISMP wants it: 0.5, 1 (never .5, 1.0), 1,000."""
    if speech().language != "en":
        pattern = "#,##0.##########"
        told = format_decimal(number, pattern, locale=speech().locale)
        # A point is never between thousands: half of those who speak Spanish read
        # 1.000 as one.
        return digits(
            told.replace(".", "\u202f") if speech().language == "es" else told
        )
    text = f"{Decimal(number):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(unit: str) -> str:
    """Return the English unit for any number but one; mg and its like do not change.

    This is how units are read and kept; `units_name` is how they are said.
    """
    if not unit or unit.endswith("s") or unit in _NEVER_PLURAL:
        return unit
    return _PLURALS.get(unit, f"{unit}s")


def unit_name(unit: str, number: Decimal | int = 1) -> str:
    """Return a unit, given in the English singular, as this number of it is called.

    A unit that somebody wrote in their own words stays as it was written.
    """
    if speech().language == "en":
        return unit if number == 1 else plural(unit)
    return _UNITS[unit](number) if unit in _UNITS else unit


def units_name(unit: str) -> str:
    """Return what many of a unit are called: "tablets"."""
    return unit_name(unit, _MANY)


def amount_words(amount: Decimal, unit: str) -> str:
    """Return an amount of a unit given in the English singular.

    "1 tablet", "2 tablets", "half a tablet", "1 and a half tablets", "0.5 ml",
    "1,000 mg". Only what can be cut is told in halves and quarters.
    """
    return _amount_words(amount, unit, speech())


@lru_cache(maxsize=4096)
def _amount_words(amount: Decimal, unit: str, _how: Speech) -> str:
    whole = int(amount)
    cut = _CUT.get((unit, amount - whole))
    if cut:
        return gettext(cut[1], whole=number_words(whole)) if whole else gettext(cut[0])
    if not unit:
        return number_words(amount)
    return pgettext(
        "amount",
        "%(number)s %(unit)s",
        number=number_words(amount),
        unit=unit_name(unit, amount),
    )


def part_of_day(clock: time) -> PartOfDay:
    """Return the band of the day; the four cover all 24 hours.

    Morning from 4am, midday from 11am, evening from 4pm, bedtime from 9pm. Decided
    here: the Universal Medication Schedule leaves hours between its bands; they go to
    the band before them, and the small hours to bedtime. Domain 1.2.
    """
    found: PartOfDay = "bedtime"
    for start, band in _BANDS:
        if clock.hour >= start:
            found = band
    return found


def greeting_part(clock: time) -> str:
    """Return morning, afternoon, evening or night, as one greets."""
    found = _GREETINGS[-1][1]
    for start, part in _GREETINGS:
        if clock.hour >= start:
            found = part
    return pgettext("greeting", found)


def greeting(shown: datetime) -> str:
    """Return day, date and part of the day: "Friday 20 November, evening".

    `shown` is the patient's local time.
    """
    return pgettext(
        "greeting",
        "%(date)s, %(part)s",
        date=date_words(shown.date()),
        part=greeting_part(shown.time()),
    )
