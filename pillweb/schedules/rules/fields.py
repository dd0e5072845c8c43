"""Read single JSON values strictly; every complaint names its field."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar, cast

from pillweb.schedules.rules.line import WEEKDAYS

Word = TypeVar("Word", bound=str)

_CLOCK_LENGTH = len("08:00")
_DATE_LENGTH = len("2026-06-01")
_LONGEST = 500


def an_object(value: object, field: str, known: Iterable[str]) -> Mapping[str, object]:
    """Return the JSON object; an unknown key is an error, never dropped in silence."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{field}: expected an object.")  # noqa: TRY004 - one kind
    strange = sorted(str(key) for key in value if key not in set(known))
    if strange:
        raise ValueError(f"{field}: we do not know {', '.join(strange)}.")
    return cast("Mapping[str, object]", value)


def a_list(value: object, field: str, *, empty: bool = False) -> list[object]:
    """Return the JSON list; an empty one is an error unless `empty`."""
    if not isinstance(value, (list, tuple)) or not (value or empty):
        raise ValueError(f"{field}: expected a list with at least one entry.")
    return list(value)


def a_text(value: object, field: str) -> str:
    """Return the text."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError(f"{field}: expected a short text.")
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
    try:
        found = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        found = None
    if type(value) is int:
        found = Decimal(value)
    if found is None or not found.is_finite() or not 0 <= found <= high:
        raise ValueError(f'{field}: write the number as text, such as "1.5".')
    return found


def a_date(value: object, field: str) -> date:
    """Return the date of `2026-06-01`."""
    try:
        if isinstance(value, str) and len(value) == _DATE_LENGTH:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{field}: expected a date such as 2026-06-01.")


def a_clock(value: object, field: str) -> time:
    """Return the wall time of `08:00`; whole minutes only."""
    try:
        if isinstance(value, str) and len(value) == _CLOCK_LENGTH:
            return time.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{field}: expected a time such as 08:00.")


def a_local(value: object, field: str) -> datetime:
    """Return the naive wall time of `2026-06-01T08:00`."""
    day, _, clock = value.partition("T") if isinstance(value, str) else ("", "", "")
    return datetime.combine(a_date(day, field), a_clock(clock, field))


def an_instant(value: object, field: str) -> datetime:
    """Return the UTC instant of `2026-06-01T08:00Z`."""
    try:
        found = datetime.fromisoformat(a_text(value, field))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(f"{field}: expected an instant such as 2026-06-01T08:00Z.")
    return found.astimezone(UTC)


def weekdays(value: object, field: str) -> tuple[int, ...]:
    """Return weekday numbers (Monday is 0) in the order written, none twice."""
    names = [one_of(day, field, WEEKDAYS) for day in a_list(value, field)]
    if len(set(names)) < len(names):
        raise ValueError(f"{field}: a day is named twice.")
    return tuple(WEEKDAYS.index(name) for name in names)
