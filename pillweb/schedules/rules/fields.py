"""Read single JSON values strictly; every complaint names its field.

Decided here: one way to write each value ("08:00", never "8:00" or "T0800"), because
a reader that guesses may plan another dose than the one meant.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeVar

from pillweb.schedules.rules.line import WEEKDAYS

Word = TypeVar("Word", bound=str)

_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_LONGEST = 500
_MOST = 500
FIRST_YEAR, LAST_YEAR = 1900, 2199


def an_object(value: object, field: str, known: Iterable[str]) -> Mapping[str, object]:
    """Return the JSON object without its nulls, which are as good as absent.

    An unknown key is an error, never dropped in silence.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{field}: expected an object.")  # noqa: TRY004 - one kind
    allowed = tuple(known)
    strange = sorted(str(key)[:40] for key in value if key not in allowed)
    if strange:
        raise ValueError(
            f"{field}: we do not know {', '.join(strange[:5])}. "
            f"Known are {', '.join(allowed)}."
        )
    return {str(key): found for key, found in value.items() if found is not None}


def a_list(value: object, field: str, *, empty: bool = False) -> list[object]:
    """Return the JSON list; an empty one is an error unless `empty`."""
    if not isinstance(value, (list, tuple)) or not (value or empty):
        least = "" if empty else " with at least one entry"
        raise ValueError(f"{field}: expected a list{least}.")
    if len(value) > _MOST:
        raise ValueError(f"{field}: expected at most {_MOST} entries.")
    return list(value)


def a_text(value: object, field: str) -> str:
    """Return the text, which is one line and can be written as UTF-8."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError(f"{field}: expected a text of at most {_LONGEST} letters.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
        raise ValueError(f"{field}: expected one line of plain text.")
    return value


def one_of(value: object, field: str, known: tuple[Word, ...]) -> Word:
    """Return the text if it is one of the known words."""
    for word in known:
        if value == word:
            return word
    raise ValueError(f"{field}: expected one of {', '.join(known)}.")


def an_int(value: object, field: str, low: int, high: int) -> int:
    """Return the whole number within its limits; true and 1.0 are not numbers."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{field}: expected a whole number from {low} to {high}.")
    return value


def a_decimal(value: object, field: str, high: int) -> Decimal:
    """Return the exact number from 0 to `high`; binary fractions are refused."""
    found = value if isinstance(value, Decimal) else None
    if type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        found = Decimal(value)
    if found is None or not found.is_finite() or not 0 <= found <= high:
        raise ValueError(
            f'{field}: expected a number from 0 to {high}, fractions as text ("1.5").'
        )
    return found


def a_date(value: object, field: str) -> date:
    """Return the date of `2026-06-01`."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            found = date.fromisoformat(value)
            if FIRST_YEAR <= found.year <= LAST_YEAR:
                return found
    except ValueError:
        pass
    raise ValueError(
        f"{field}: expected a date such as 2026-06-01, "
        f"from {FIRST_YEAR} to {LAST_YEAR}."
    )


def a_clock(value: object, field: str) -> time:
    """Return the wall time of `08:00`; whole minutes only."""
    try:
        if isinstance(value, str) and _CLOCK.fullmatch(value):
            return time.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{field}: expected a time from 00:00 to 23:59, such as 08:00.")


def a_local(value: object, field: str) -> datetime:
    """Return the naive wall time of `2026-06-01T08:00`."""
    day, mark, clock = value.partition("T") if isinstance(value, str) else [""] * 3
    if not mark:
        raise ValueError(f"{field}: expected a wall time such as 2026-06-01T08:00.")
    return datetime.combine(a_date(day, field), a_clock(clock, field))


def an_instant(value: object, field: str) -> datetime:
    """Return the UTC instant of `2026-06-01T08:00Z`."""
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            found = datetime.fromisoformat(value)
            if FIRST_YEAR <= found.year <= LAST_YEAR:
                return found.astimezone(UTC)
    except ValueError:
        pass
    raise ValueError(
        f"{field}: expected an instant such as 2026-06-01T08:00Z, "
        f"from {FIRST_YEAR} to {LAST_YEAR}."
    )


def weekdays(value: object, field: str) -> tuple[int, ...]:
    """Return weekday numbers (Monday is 0) in the order written, none twice."""
    names = [one_of(day, field, WEEKDAYS) for day in a_list(value, field)]
    if len(set(names)) < len(names):
        raise ValueError(f"{field}: a day is named twice.")
    return tuple(WEEKDAYS.index(name) for name in names)
