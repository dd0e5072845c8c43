"""Read an amount from the words of a prescription, exactly."""

import re
from decimal import Decimal
from fractions import Fraction

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.line import Dose

_PARTS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
_AMOUNT = re.compile(
    r"""(?: (?P<whole>\d+)\s+ )? (?P<top>\d+)/(?P<bottom>[1-9]\d*)
      | (?P<decimal>\d*\.?\d+)""",
    re.VERBOSE,
)
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_LONGEST = 200
_MASS = ("mass", {"kg": 10**12, "g": 10**9, "mg": 10**6, "microgram": 1000, "ng": 1})
_VOLUME = ("volume", {"l": 1000, "dl": 100, "ml": 1})
_SAME = {
    "kilogram": "kg",
    "gram": "g",
    "gramme": "g",
    "milligram": "mg",
    "milligramme": "mg",
    "mcg": "microgram",
    "ug": "microgram",
    "\u00b5g": "microgram",
    "\u03bcg": "microgram",
    "microgramme": "microgram",
    "nanogram": "ng",
    "litre": "l",
    "liter": "l",
    "millilitre": "ml",
    "milliliter": "ml",
    "patches": "patch",
    "suppositories": "suppository",
}
_TWO_WAYS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?!\d)")


def reads_two_ways(text: str) -> bool:
    """Say whether a text holds 1.000, which is a thousand to some and one to others."""
    return _TWO_WAYS.search(text) is not None


def read_dose(text: str) -> Dose:
    """Return the dose that the words mean; words without a number are kept as words.

    "40 mg", "0.5 ml", "1 1/2 tablets" and "½ tablet" are numbers; "apply",
    a range ("1 to 2 tablets") and whatever holds a second number ("5 mg/5 ml") outside
    brackets are words, with no amount to count stock by.

    Raises:
        ValueError: nothing but spaces, too long, or less than nothing.
    """
    words = text.strip()
    if not words or len(words) > _LONGEST:
        raise ValueError(_("write how much to take, such as 1 tablet"))
    if words.startswith(("-", "\u2212", "\u2013")):
        raise ValueError(_("an amount cannot be below 0"))
    plain = words
    for sign, spelled in _PARTS.items():
        plain = plain.replace(sign, f" {spelled}").strip()
    found = _AMOUNT.match(plain)
    unit = plain[found.end() :].strip() if found else ""
    if found is None or not _is_unit(unit):
        return Dose(text)
    return _number(text, found, unit)


def _is_unit(words: str) -> bool:
    if any(sign.isnumeric() for sign in _IN_BRACKETS.sub("", words)):
        return False
    return not words or (words[0].isalpha() and not words.startswith(("to ", "or ")))


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


def in_unit_of(dose: Dose | None, limit: Dose) -> Fraction | None:
    """Return the amount of a dose in the unit of a limit, exactly; None if it has none.

    Masses and volumes turn into one another ("1000 mg" is 1 where the limit says g), a
    unit may be singular or plural, and an amount without a unit is in the other's.
    """
    if dose is None or dose.fraction is None:
        return None
    given, wanted = _measure(dose.unit), _measure(limit.unit)
    if not dose.unit or not limit.unit:
        return dose.fraction
    if given[0] != wanted[0]:
        return None
    return dose.fraction * given[1] / wanted[1]


def _measure(unit: str) -> tuple[str, int]:
    """Return what the unit measures, and how many of the smallest it holds."""
    word = unit.strip().lower()
    word = _SAME.get(word, word)
    if word not in _SAME.values() and len(word) > len("gs"):
        word = word.removesuffix("s")
        word = _SAME.get(word, word)
    for kind, sizes in (_MASS, _VOLUME):
        if word in sizes:
            return kind, sizes[word]
    return word, 1
