"""Read an amount from the words of a prescription, exactly."""

import re
from decimal import Decimal
from fractions import Fraction

from pillweb.schedules.rules.line import Dose

_PARTS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
_AMOUNT = re.compile(
    r"""(?: (?P<whole>\d+)\s+ )? (?P<top>\d+)/(?P<bottom>[1-9]\d*)
      | (?P<decimal>\d*\.?\d+)""",
    re.VERBOSE,
)
_LONGEST = 200


def read_dose(text: str) -> Dose:
    """Return the dose that the words mean; words without a number are kept as words.

    "40 mg", "0.5 ml", "1/2 tablet", "1 1/2 tablets" and "½ tablet" are numbers; "apply"
    and a range ("1 to 2 tablets") are words, with no amount to count stock by.

    Raises:
        ValueError: nothing but spaces, too long, or less than nothing.
    """
    words = text.strip()
    if not words or len(words) > _LONGEST:
        raise ValueError("write how much to take, such as 1 tablet")
    if words.startswith(("-", "\u2212")):
        raise ValueError("an amount cannot be below 0")
    plain = words
    for sign, spelled in _PARTS.items():
        plain = plain.replace(sign, f" {spelled}").strip()
    found = _AMOUNT.match(plain)
    unit = plain[found.end() :].strip() if found else ""
    if found is None or (unit and not unit[0].isalpha()) or unit.startswith("to "):
        return Dose(text)
    return _number(text, found, unit)


def _number(text: str, found: re.Match[str], unit: str) -> Dose:
    if found["decimal"]:
        exact = Fraction(found["decimal"])
    else:
        exact = Fraction(int(found["top"]), int(found["bottom"]))
        exact += int(found["whole"] or 0)
    return Dose(text, decimal_of(exact), unit, exact)


def decimal_of(exact: Fraction) -> Decimal | None:
    """Return the fraction as a decimal without trailing zeros, None for thirds."""
    rest = exact.denominator
    places = 0
    while rest % 10 == 0 or rest % 2 == 0 or rest % 5 == 0:
        rest //= 10 if rest % 10 == 0 else 2 if rest % 2 == 0 else 5
        places += 1
    if rest != 1:
        return None
    scaled = exact * 10**places
    value = Decimal(scaled.numerator).scaleb(-places)
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
