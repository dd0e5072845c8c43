"""Numbers of rows as they come in: none larger than a database can hold."""

from flask import Flask
from werkzeug.routing import IntegerConverter

# A bigint holds every number of so many digits.
DIGITS = 18


def row_number(text: str) -> int:
    """Return the number that was sent.

    Raises:
        ValueError: it is no number, or no row can have it.
    """
    if len(text) > DIGITS:
        raise ValueError(text)
    return int(text)


def row_numbers(text: str) -> list[int]:
    """Return the numbers that were sent in one field; what is none is left out."""
    return [
        int(word)
        for word in text.split()
        if word.isascii() and word.isdigit() and len(word) <= DIGITS
    ]


class _RowNumber(IntegerConverter):
    """A number in an address; with a longer one there is no such page."""

    regex = rf"\d{{1,{DIGITS}}}"


def install_numbers(app: Flask) -> None:
    """Let `<int:…>` in every address mean a row's number."""
    app.url_map.converters["int"] = _RowNumber
