"""Read JSON that may come from anywhere, without guessing."""

import json
from decimal import Decimal
from typing import NoReturn

LONGEST = 1_000_000
MOST_DIGITS = 24


def read_json(text: str, *, longest: int = LONGEST) -> object:
    """Return what the JSON text says; its fractions are exact decimals.

    Raises:
        ValueError: no JSON, a key written twice, NaN or Infinity, too long or deep.
    """
    if not text.strip():
        raise ValueError("There is nothing to read. Give one JSON object.")
    if len(text) > longest:
        raise ValueError(f"The JSON is longer than {longest:,} characters.")
    try:
        return json.loads(
            text,
            parse_float=_a_fraction,
            parse_int=_a_whole,
            parse_constant=_refuse,
            object_pairs_hook=_an_object,
        )
    except json.JSONDecodeError as problem:
        at = f"line {problem.lineno}, column {problem.colno}"
        raise ValueError(f"This is not JSON: {problem.msg} at {at}.") from problem
    except RecursionError as problem:
        raise ValueError("The JSON is nested too deeply.") from problem


def _a_whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"A number has more than {MOST_DIGITS} digits.")
    return int(text)


def _a_fraction(text: str) -> Decimal:
    if "e" in text.lower():
        raise ValueError(f"{text[:MOST_DIGITS]}: write the number without e.")
    if len(text) > MOST_DIGITS:
        raise ValueError(f"A number has more than {MOST_DIGITS} digits.")
    return Decimal(text)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number. Write the number itself.")


def _an_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key}: is written twice. Write it once.")
        found[key] = value
    return found
