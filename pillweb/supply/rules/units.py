"""How many of a medicine's own units (tablets, ml, puffs) an amount uses up."""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from pillweb.base.i18n import pgettext
from pillweb.base.words import amount_words, digits, plural, unit_name
from pillweb.schedules.rules.dose import decimal_of, read_dose, reads_two_ways
from pillweb.schedules.rules.line import Dose
from pillweb.schedules.rules.slots_of_day import REMOVE

NOTHING = Fraction(0)
# Every part of a unit takes the plural of this one.
_PART = Decimal("0.5")
_SCALES = {
    "mcg": ("mass", 1),
    "µg": ("mass", 1),
    "microgram": ("mass", 1),
    "micrograms": ("mass", 1),
    "mg": ("mass", 1000),
    "milligram": ("mass", 1000),
    "g": ("mass", 1_000_000),
    "gram": ("mass", 1_000_000),
    "ml": ("volume", 1),
    "millilitre": ("volume", 1),
    "l": ("volume", 1000),
}
_STRENGTH = re.compile(
    r"(?P<much>\d+(?:\.\d+)?)\s*(?P<of>[^\W\d_]+)"
    r"(?:\s*(?:/|per|in)\s*(?P<per>\d+(?:\.\d+)?)?\s*(?P<unit>[^\W\d_]+))?"
)


_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def _in_thousands(text: str) -> str:
    """Return a strength without the commas of its thousands: "1,000 mg"."""
    return _THOUSANDS.sub("", text)


def _single(unit: str) -> str:
    name = unit.strip().casefold().replace("\u03bc", "\u00b5")
    return next((one for one in (name[:-2], name[:-1]) if plural(one) == name), name)


def _in_base(amount: Fraction, unit: str) -> tuple[Fraction, str]:
    kind, scale = _SCALES.get(_single(unit), (_single(unit), 1))
    return amount * scale, kind


def _per_unit(strength: str, unit: str) -> tuple[Fraction, str] | None:
    """Return what one unit holds, from "5 mg" or "250 mg/5 ml"; None when unclear."""
    if reads_two_ways(strength):
        return None
    found = _STRENGTH.fullmatch(_in_thousands(strength.strip()).replace(",", "."))
    if found is None:
        return None
    held, kind = _in_base(Fraction(found["much"]), found["of"])
    if found["unit"] is None:
        return held, kind
    of, counted = _in_base(Fraction(found["per"] or 1), found["unit"])
    one, own = _in_base(Fraction(1), unit)
    return (held * one / of, kind) if counted == own and of else None


def units_used(dose: Dose, *, unit: str, strength: str) -> Fraction | None:
    """Return how many units a dose uses up, exactly; None where nobody can know.

    An amount without a unit, or in the medicine's own one, counts as it is; one in mg
    counts by the strength of a unit.

    >>> units_used(read_dose("7.5 mg"), unit="tablet", strength="5 mg")
    Fraction(3, 2)
    """
    amount = dose.fraction
    if amount is None:
        amount = None if dose.amount is None else Fraction(dose.amount)
    if amount is None:
        return None
    wanted, kind = _in_base(amount, dose.unit)
    one, own = _in_base(Fraction(1), unit)
    if not dose.unit or kind == own:
        return amount if not dose.unit else wanted / one
    holds = _per_unit(strength, unit)
    if holds is None or holds[1] != kind or not holds[0]:
        return None
    return wanted / holds[0]


@lru_cache(maxsize=1024)
def planned_units(
    text: str, amount: Decimal | None, *, action: str | None, unit: str, strength: str
) -> Fraction | None:
    """Return what a planned dose uses up, from its words and its number."""
    if action == REMOVE:
        return NOTHING
    dose = read_dose(text) if text.strip() else Dose(text, amount)
    return units_used(dose, unit=unit, strength=strength)


def recorded_units(
    text: str, amount: Decimal | None, *, action: str | None, unit: str, strength: str
) -> Fraction | None:
    """Return what a recorded dose used up: the number recorded, in the plan's unit.

    Without a number it is what the plan's words say.
    """
    if action == REMOVE or amount is None:
        return planned_units(text, None, action=action, unit=unit, strength=strength)
    said = read_dose(text).unit if text.strip() else ""
    taken = Dose(text, amount, said, Fraction(amount))
    return units_used(taken, unit=unit, strength=strength)


def quantity_words(quantity: Fraction, unit: str) -> str:
    """Return a quantity in words, exact even for thirds: "27 1/3 tablets"."""
    if quantity < 0:
        much = quantity_words(-quantity, unit)
        return pgettext("change", "\u2212%(amount)s", amount=much)
    decimal = decimal_of(quantity)
    if decimal is not None:
        return amount_words(decimal, unit)
    whole, rest = divmod(quantity, 1)
    return pgettext(
        "amount",
        "%(number)s %(unit)s",
        number=digits(f"{whole} {rest}" if whole else f"{rest}"),
        unit=unit_name(unit, Decimal(whole) + _PART if whole else 1),
    )
