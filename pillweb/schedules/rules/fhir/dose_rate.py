"""How much: doseAndRate, and the most that may be taken."""

import re
from decimal import Decimal
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    check_keys,
    object_in,
    objects_in,
)
from pillweb.schedules.rules.fhir.quantity import (
    DOSE_UNIT,
    Amount,
    amount_in,
    hours_of,
    in_unit,
    plain,
)
from pillweb.schedules.rules.line import Dose, PrnLimit

_DOSE_KEYS = frozenset({"type", "doseQuantity", "doseRange"})
_RATES = ("rateQuantity", "rateRange", "rateRatio")
_UNIT = re.compile(r"(?!(?:second|minute|hour|day|week|month|year)$)[^\W\d_][^\d/]*")
_MAX_KEYS = frozenset({"numerator", "denominator"})
_MOST_DOSES = 100_000
_LONGEST_HOURS = 24 * 366


class HowMuch(NamedTuple):
    """One dose: an exact amount, or a range of them in one unit."""

    low: Amount
    high: Amount

    @property
    def is_range(self) -> bool:
        """Return whether the person chooses how much."""
        return self.low != self.high

    @property
    def dose(self) -> Dose:
        """Return the dose as our own: "0.5 tablet", "1 to 2 tablet"."""
        if self.is_range:
            return Dose(f"{plain(self.low.value)} to {self.high.text}")
        return read_dose(self.low.text)


def read_dose_and_rate(dosage: Element, doubts: Doubts) -> HowMuch | None:
    """Return the one dose of a dosage, None with a doubt where it is not clear."""
    entries = objects_in(dosage, "doseAndRate", doubts, "dose")
    if len(entries) > 1:
        doubts.add("dose", _("It gives more than one amount: say which holds."))
        return None
    if not entries:
        doubts.add("dose", _("It does not say how much to take."))
        return None
    entry = entries[0]
    check_keys(entry, _DOSE_KEYS | set(_RATES), _("The amount"), doubts, "dose")
    if any(key in entry for key in _RATES):
        doubts.add("dose", _("It gives a rate, not an amount for each time."))
        return None
    found = _quantity_or_range(entry, doubts)
    if found is None:
        if not any(key in entry for key in ("doseQuantity", "doseRange")):
            doubts.add("dose", _("It does not say how much to take."))
        return None
    if found.low.value <= 0 or not _UNIT.fullmatch(found.high.unit):
        doubts.add("dose", _("The amount is 0 or has no unit that we know."))
        return None
    return found


def _quantity_or_range(entry: Element, doubts: Doubts) -> HowMuch | None:
    if "doseQuantity" in entry and "doseRange" in entry:
        doubts.add("dose", _("It gives an amount and also a range."))
        return None
    if "doseRange" not in entry:
        one = amount_in(entry, "doseQuantity", doubts, "dose")
        return HowMuch(one, one) if one else None
    given = object_in(entry, "doseRange", doubts, "dose")
    check_keys(given, frozenset({"low", "high"}), _("The range"), doubts, "dose")
    low = amount_in(given, "low", doubts, "dose")
    high = amount_in(given, "high", doubts, "dose")
    low = in_unit(low, high.unit) if low and high else None
    if low is None or high is None or low.value > high.value:
        doubts.add("dose", _("The range of the amount is not clear."))
        return None
    return HowMuch(low, high)


def read_limit(
    dosage: Element, how_much: HowMuch | None, doubts: Doubts
) -> PrnLimit | None:
    """Return maxDosePerPeriod in the unit of the dose, or in doses; else None."""
    for key in ("maxDosePerAdministration", "maxDosePerLifetime"):
        if key in dosage:
            doubts.add("max", _("It gives a most for one time or for life: check it."))
    if "maxDosePerPeriod" not in dosage:
        return None
    given = object_in(dosage, "maxDosePerPeriod", doubts, "max")
    check_keys(given, _MAX_KEYS, _("The most"), doubts, "max")
    most = amount_in(given, "numerator", doubts, "max")
    span = amount_in(given, "denominator", doubts, "max")
    hours = hours_of(span) if span else None
    if most is None or hours is None or most.value <= 0 or hours > _LONGEST_HOURS:
        doubts.add("max", _("The most that may be taken is not clear."))
        return None
    return _limit(most, hours, how_much, doubts)


def _limit(
    most: Amount, hours: Decimal, how_much: HowMuch | None, doubts: Doubts
) -> PrnLimit | None:
    if most.unit == DOSE_UNIT:
        if most.value == int(most.value) <= _MOST_DOSES:
            return PrnLimit(hours, doses=int(most.value))
        doubts.add("max", _("The most that may be taken is not a number of doses."))
        return None
    if how_much is None:
        return None
    fitting = in_unit(most, how_much.high.unit)
    if fitting is None:
        doubts.add("max", _("The most is in another unit than the dose."))
        return None
    if fitting.value < how_much.high.value:
        doubts.add("max", _("One dose alone is above the most that may be taken."))
        return None
    return PrnLimit(hours, amount=read_dose(most.text))
