"""Single values of `pillweb.json`: how each is written, and read without trust."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pillweb.base.i18n import LANGUAGES
from pillweb.base.zones import zone as zone_of

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOST = 10**15
LONGEST, LONGEST_TEXT, LONGEST_NAME = 40, 20_000, 200
WORD = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
NUMBER = re.compile(r"-?\d{1,24}(\.\d{1,16})?", re.ASCII)
YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
DEEPEST = 12
ENDS = "\n\r\t"

Schema = Mapping[str, object]


class NotOursError(ValueError):
    """What a file says is none of what such a file can say; the text says where."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a row: its name in the file and its column here.

    `read` raises ValueError on what no such value is. `of` is the kind of rows that
    it names one of; `is_person` says that it is the name of somebody who helps, which
    is told and never read back.
    """

    name: str
    column: str
    write: Callable[[Any], object]
    read: Callable[[object], Any]
    schema: Schema
    may_lack: bool = False
    of: str = ""
    is_person: bool = False


def _as_it_is(value: object) -> object:
    return value


def _text_of(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise NotOursError(f"expected a text of at most {longest} characters")
    if any(
        unicodedata.category(one) in {"Cc", "Cs"} for one in value if one not in ENDS
    ):
        raise NotOursError("a text holds characters that are none")
    return value


def named(name: str) -> Field:
    """Return a field of how somebody or something is called: never nothing."""

    def read(value: object) -> str:
        found = _text_of(value, LONGEST_NAME)
        if not found.strip():
            raise NotOursError("expected a name")
        return found

    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
    return Field(name, name, _as_it_is, read, schema)


def year(name: str) -> Field:
    """Return a field of a year, as text, that nobody has to have said."""

    def read(value: object) -> str:
        found = _text_of(value, len("1944"))
        if not YEAR.fullmatch(found):
            raise NotOursError("expected a year")
        return found

    schema = {"type": "string", "pattern": f"^{YEAR.pattern}$"}
    return Field(name, name, _as_it_is, read, schema, may_lack=True)


def language(name: str) -> Field:
    """Return a field of a language; one that nobody here speaks is none."""

    def read(value: object) -> str:
        found = _text_of(value, 8)
        return found if found in LANGUAGES else ""

    return Field(name, name, _as_it_is, read, {"type": "string", "maxLength": 8})


def text(name: str, longest: int = LONGEST_TEXT, *, may_lack: bool = False) -> Field:
    """Return a field of words that people typed."""
    return Field(
        name,
        name,
        _as_it_is,
        lambda value: _text_of(value, longest),
        {"type": "string", "maxLength": longest},
        may_lack,
    )


def word(name: str, longest: int, *, may_lack: bool = False) -> Field:
    """Return a field of one word of ours."""

    def read(value: object) -> str:
        found = _text_of(value, longest)
        if not WORD.fullmatch(found):
            raise NotOursError("expected a word of PillWeb's own")
        return found

    schema = {"type": "string", "pattern": f"^{WORD.pattern}$", "maxLength": longest}
    return Field(name, name, _as_it_is, read, schema, may_lack)


def choice(name: str, known: Iterable[str], *, may_lack: bool = False) -> Field:
    """Return a field that is one of these words."""
    words = sorted(known)

    def read(value: object) -> str:
        if value not in words:
            raise NotOursError(f"expected one of {', '.join(words)}")
        return str(value)

    return Field(name, name, _as_it_is, read, {"enum": words}, may_lack)


def whole(
    name: str, least: int, most: int, *, may_lack: bool = False, column: str = ""
) -> Field:
    """Return a field of a whole number from `least` to `most`."""

    def read(value: object) -> int:
        # True is a whole number to Python, and to nobody else.
        if type(value) is not int or not least <= value <= most:
            raise NotOursError(f"expected a whole number from {least} to {most}")
        return value

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Field(name, column or name, _as_it_is, read, schema, may_lack)


def number(name: str, *, may_lack: bool = False) -> Field:
    """Return a field of an exact decimal of nought or more, written as text."""

    def read(value: object) -> Decimal:
        if not isinstance(value, str) or not NUMBER.fullmatch(value):
            raise NotOursError('expected a number as text, such as "1.5"')
        found = Decimal(value)
        if not 0 <= found <= MOST or len(value) > LONGEST:
            raise NotOursError("expected no amount so large or so small")
        return found

    schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
    return Field(name, name, lambda value: format(value, "f"), read, schema, may_lack)


def instant(name: str, *, may_lack: bool = False) -> Field:
    """Return a field of an instant, to the microsecond."""

    def read(value: object) -> datetime:
        if not isinstance(value, str) or len(value) > LONGEST:
            raise NotOursError("expected an instant")
        found = datetime.fromisoformat(value)
        if found.tzinfo is None or not FIRST <= found < LAST:
            raise NotOursError("expected an instant with its offset")
        return found.astimezone(UTC)

    schema = {"type": "string", "format": "date-time"}
    return Field(name, name, datetime.isoformat, read, schema, may_lack)


def day(name: str) -> Field:
    """Return a field of a date."""

    def read(value: object) -> date:
        if not isinstance(value, str) or len(value) > LONGEST:
            raise NotOursError("expected a date")
        found = date.fromisoformat(value)
        if not FIRST.date() <= found < LAST.date():
            raise NotOursError("expected a date of these centuries")
        return found

    return Field(name, name, date.isoformat, read, {"type": "string", "format": "date"})


def clock(name: str, *, may_be_empty: bool = False) -> Field:
    """Return a field of a wall time, HH:MM."""

    def read(value: object) -> str:
        found = _text_of(value, len("08:00"))
        if (found or not may_be_empty) and (
            time.fromisoformat(found).isoformat("minutes") != found
        ):
            raise NotOursError("expected a time such as 08:00")
        return found

    return Field(name, name, _as_it_is, read, {"type": "string", "maxLength": 5})


def zone(name: str) -> Field:
    """Return a field of an IANA time zone."""

    def read(value: object) -> str:
        found = _text_of(value, 60)
        zone_of(found)
        return found

    return Field(name, name, _as_it_is, read, {"type": "string", "maxLength": 60})


def yes(name: str) -> Field:
    """Return a field of yes or no."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise NotOursError("expected true or false")
        return value

    return Field(name, name, _as_it_is, read, {"type": "boolean"})


def thing(name: str, read: Callable[[object], Any], *, may_lack: bool = False) -> Field:
    """Return a field of JSON that `read` makes sure of; it holds sound texts alone."""

    def careful(value: object) -> object:
        _look_through(value, DEEPEST)
        return read(value)

    return Field(
        name, name, _as_it_is, careful, {"type": ["object", "array"]}, may_lack
    )


def _look_through(value: object, deepest: int) -> None:
    if deepest == 0:
        raise NotOursError("is nested too deeply")
    if isinstance(value, str):
        _text_of(value, LONGEST_TEXT)
    elif isinstance(value, Decimal | float) and not math.isfinite(value):
        raise NotOursError("expected a number")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            _text_of(key, LONGEST_NAME)
            _look_through(one, deepest - 1)
    elif isinstance(value, list):
        for one in value:
            _look_through(one, deepest - 1)


def names(name: str, column: str, of: str, *, may_lack: bool = False) -> Field:
    """Return a field that names a row of a kind by its number."""
    found = whole(name, 0, 10**18, may_lack=may_lack, column=column)
    return Field(
        found.name,
        found.column,
        found.write,
        found.read,
        found.schema,
        may_lack,
        of=of,
    )


def person(name: str, column: str) -> Field:
    """Return a field of the name of somebody who helps; it is never read back."""
    return Field(
        name,
        column,
        _as_it_is,
        lambda _: None,
        {"type": "string"},
        may_lack=True,
        is_person=True,
    )
