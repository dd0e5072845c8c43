"""Amounts of FHIR: a value exactly as written, and its unit as a plain word."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    check_keys,
    number_in,
    object_in,
    text_in,
)

UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
DOSE_UNIT = "dose"
_KNOWN = frozenset({"value", "unit", "system", "code", "comparator"})
_UCUM_UNITS = {
    "mg": "mg",
    "g": "g",
    "kg": "kg",
    "ug": "microgram",
    "mcg": "microgram",
    "ng": "nanogram",
    "mL": "ml",
    "ml": "ml",
    "L": "l",
    "l": "l",
    "uL": "microlitre",
    "[iU]": "unit",
    "[IU]": "unit",
    "U": "unit",
    "[drp]": "drop",
    "mmol": "mmol",
    "meq": "meq",
    "cm": "cm",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}
_SNOMED_UNITS = {
    "428673006": "tablet",
    "732936001": "tablet",
    "732937005": "capsule",
    "258684004": "mg",
    "258682000": "g",
    "258773002": "ml",
    "3317411000001100": DOSE_UNIT,
}
_SAME = {
    "milligram": "mg",
    "milligramme": "mg",
    "gram": "g",
    "gramme": "g",
    "kilogram": "kg",
    "mcg": "microgram",
    "ug": "microgram",
    "\u00b5g": "microgram",
    "\u03bcg": "microgram",
    "microgramme": "microgram",
    "millilitre": "ml",
    "milliliter": "ml",
    "litre": "l",
    "liter": "l",
    "tab": "tablet",
    "tbl": "tablet",
    "cap": "capsule",
    "iu": "unit",
    "international unit": "unit",
    "u": "unit",
    "hr": "hour",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "sec": "second",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "mth": "month",
    "a": "year",
    "yr": "year",
    "patche": "patch",
    "suppositorie": "suppository",
    "drp": "drop",
    "gtt": "drop",
    "actuation": "puff",
}
_SCALES = {
    "nanogram": ("g", Fraction(1, 10**9)),
    "microgram": ("g", Fraction(1, 10**6)),
    "mg": ("g", Fraction(1, 1000)),
    "g": ("g", Fraction(1)),
    "kg": ("g", Fraction(1000)),
    "microlitre": ("l", Fraction(1, 10**6)),
    "ml": ("l", Fraction(1, 1000)),
    "l": ("l", Fraction(1)),
}
_NO_PLURAL = frozenset({"gs", "mass", "s"})


class Amount(NamedTuple):
    """How much: an exact value and a unit in the singular."""

    value: Decimal
    unit: str

    @property
    def text(self) -> str:
        """Return "0.5 tablet", "10 mg": never a trailing zero or an exponent."""
        return f"{plain(self.value)} {self.unit}".strip()


def plain(value: Decimal) -> str:
    """Return the number as ISMP wants it: 0.5, 1, never 1.0 or 1E+1."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_word(words: str) -> str:
    """Return one plain word for a unit: "Tablet (unit of presentation)" is tablet."""
    word = re.sub(r"\((?!s\))[^()]*\)", "", words.replace("(s)", ""))
    word = " ".join(word.split()).strip(" .").lower()
    if word in _SAME:
        return _SAME[word]
    if len(word) > 1 and word.endswith("s") and word not in _NO_PLURAL:
        word = word[:-1]
    return _SAME.get(word, word)


def amount_in(holder: Element, key: str, doubts: Doubts, missing: str) -> Amount | None:
    """Return the Quantity under a key, None with a doubt where it says too little."""
    if key not in holder:
        return None
    given = object_in(holder, key, doubts, missing)
    check_keys(given, _KNOWN, key, doubts, missing)
    value = number_in(given, "value", doubts, missing)
    unit = _unit_of(given, doubts, missing)
    if "comparator" in given:
        doubts.add(missing, _("The amount is given as more or less than a number."))
        return None
    if value is None:
        doubts.add(missing, _("%(key)s has no number.", key=key))
        return None
    if value < 0:
        doubts.add(missing, _("An amount cannot be below 0."))
        return None
    return Amount(value, unit)


def _unit_of(given: Element, doubts: Doubts, missing: str) -> str:
    words = unit_word(text_in(given, "unit", doubts, missing))
    coded = _coded_unit(
        text_in(given, "system", doubts, missing).rstrip("/"),
        text_in(given, "code", doubts, missing).strip(),
    )
    if words and coded and not _agree(words, coded):
        told = _(
            'The unit is "%(words)s" in words but "%(code)s" as a code.',
            words=words,
            code=coded,
        )
        doubts.add(missing, told)
    return coded if coded in _UCUM_UNITS.values() else words or coded


def _agree(words: str, coded: str) -> bool:
    if coded in _UCUM_UNITS.values() or words in _UCUM_UNITS.values():
        return words == coded
    first, second = words.split(), coded.split()
    return bool(set(first) & set(second)) or first[0][:3] == second[0][:3]


def _coded_unit(system: str, code: str) -> str:
    if system == SNOMED:
        return _SNOMED_UNITS.get(code, "")
    if system and system != UCUM:
        return unit_word(code) if unit_word(code) in _SAME.values() else ""
    if code.startswith("{") and code.endswith("}"):
        return unit_word(code[1:-1])
    return _UCUM_UNITS.get(code, "")


def in_unit(amount: Amount, unit: str) -> Amount | None:
    """Return the same amount in another unit, None where there is no exact way."""
    if amount.unit == unit:
        return amount
    base, scale = _SCALES.get(amount.unit, ("", Fraction(0)))
    other, step = _SCALES.get(unit, ("?", Fraction(1)))
    if base != other:
        return None
    exact = Fraction(amount.value) * scale / step
    value = Decimal(exact.numerator) / Decimal(exact.denominator)
    return Amount(value, unit) if Fraction(value) == exact else None


def hours_of(amount: Amount) -> Decimal | None:
    """Return a duration in real hours; None for months, years and other units."""
    hours = {
        "second": Fraction(1, 3600),
        "minute": Fraction(1, 60),
        "hour": Fraction(1),
        "day": Fraction(24),
        "week": Fraction(168),
    }.get(amount.unit)
    if hours is None:
        return None
    minutes = Fraction(amount.value) * hours * 60
    if minutes.denominator != 1 or minutes <= 0:
        return None
    return in_hours(minutes)


def in_hours(minutes: Fraction) -> Decimal | None:
    """Return whole minutes as an exact number of hours, None for thirds of one."""
    hours = minutes / 60
    value = Decimal(hours.numerator) / Decimal(hours.denominator)
    return value if Fraction(value) == hours else None
