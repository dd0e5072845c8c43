"""Numbers, times and dates as plain English words, in the style of the NHS and ISMP."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Literal

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
_HALVED = frozenset({"tablet", "patch", "suppository", "sachet"})
_PARTS = {
    Decimal("0.25"): "a quarter",
    Decimal("0.5"): "half",
    Decimal("0.75"): "three quarters",
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
_GREETINGS = ((5, "morning"), (12, "afternoon"), (17, "evening"), (22, "night"))
_TEENS = range(10, 20)
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


@lru_cache(maxsize=1440)
def time_words(clock: time) -> str:
    """Return the time as "8am", "8.05am", "5.30pm", "midday" or "midnight" (NHS)."""
    if clock.minute == 0 and clock.hour in (0, _NOON):
        return "midday" if clock.hour else "midnight"
    hour = clock.hour % _NOON or _NOON
    minutes = f".{clock.minute:02d}" if clock.minute else ""
    return f"{hour}{minutes}{'am' if clock.hour < _NOON else 'pm'}"


def date_words(day: date) -> str:
    """Return the date as "Friday 20 November", without a year."""
    month = MONTH_NAMES[day.month - 1]
    return f"{WEEKDAY_NAMES[day.weekday()]} {day.day} {month}"


def long_date_words(day: date) -> str:
    """Return the date as "20 November 2026"."""
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def ordinal_words(number: int) -> str:
    """Return "1st", "2nd", "3rd", "11th", "31st"."""
    ending = "th" if number % 100 in _TEENS else _ORDINALS.get(number % 10, "th")
    return f"{number}{ending}"


def join_words(words: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"; nothing for no words."""
    if len(words) < 2:  # noqa: PLR2004 - one word needs no joining
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def number_words(number: Decimal | int) -> str:
    """Return the number as ISMP wants it: 0.5, 1 (never .5, 1.0), 1,000."""
    text = f"{Decimal(number):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(unit: str) -> str:
    """Return the unit for any number but one; measures such as mg do not change."""
    if not unit or unit.endswith("s") or unit in _NEVER_PLURAL:
        return unit
    return _PLURALS.get(unit, f"{unit}s")


@lru_cache(maxsize=1024)
def amount_words(amount: Decimal, unit: str) -> str:
    """Return an amount of a unit given in the singular.

    "1 tablet", "2 tablets", "half a tablet", "1 and a half tablets", "0.5 ml",
    "1,000 mg". Only what can be cut is told in halves and quarters.
    """
    whole = int(amount)
    part = _PARTS.get(amount - whole) if unit in _HALVED else None
    if part and not whole:
        return f"{part} {'' if part == 'half' else 'of '}a {unit}"
    if part:
        part = "a half" if part == "half" else part
        return f"{whole} and {part} {plural(unit)}"
    if amount == 1:
        return f"1 {unit}".strip()
    return f"{number_words(amount)} {plural(unit)}".strip()


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
    found = "night"
    for start, part in _GREETINGS:
        if clock.hour >= start:
            found = part
    return found


def greeting(shown: datetime) -> str:
    """Return day, date and part of the day: "Friday 20 November, evening".

    `shown` is the patient's local time.
    """
    return f"{date_words(shown.date())}, {greeting_part(shown.time())}"
