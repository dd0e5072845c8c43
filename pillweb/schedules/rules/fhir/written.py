"""FHIR elements of our own values, and JSON with exact numbers."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal

from pillweb.base.zones import Zone, exists, to_utc
from pillweb.schedules.rules.fhir.quantity import UCUM, plain, unit_word
from pillweb.schedules.rules.line import Dose, PrnLimit

Json = dict[str, object]

_CODES = {
    "mg": "mg",
    "g": "g",
    "kg": "kg",
    "microgram": "ug",
    "nanogram": "ng",
    "ml": "mL",
    "l": "L",
    "drop": "[drp]",
    "mmol": "mmol",
    "dose": "{dose}",
    "hour": "h",
    "minute": "min",
    "day": "d",
}
_RANGE = re.compile(r"(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?) (\w[\w ]*)")


def json_text(value: object) -> str:
    """Return JSON in which decimals stand exactly as they are."""
    if isinstance(value, Mapping):
        inner = (f"{json.dumps(key)}: {json_text(one)}" for key, one in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(json_text(one) for one in value) + "]"
    if isinstance(value, Decimal):
        return plain(value)
    return json.dumps(value, ensure_ascii=False)


def quantity(value: Decimal, unit: str) -> Json:
    """Return a Quantity, with the UCUM code where the unit has one."""
    word = unit_word(unit)
    told: Json = {"value": value, "unit": word}
    if word in _CODES:
        told |= {"system": UCUM, "code": _CODES[word]}
    return told


def dose_and_rate(dose: Dose | None, unit: str) -> list[Json]:
    """Return doseAndRate, empty for an amount that only words can say.

    `unit` is the medicine's, for an amount written without one.
    """
    if dose is None:
        return []
    span = _RANGE.fullmatch(dose.text)
    if span:
        low, high = (quantity(Decimal(span[place]), span[3]) for place in (1, 2))
        return [{"doseRange": {"low": low, "high": high}}]
    unit = dose.unit or unit
    if dose.amount is None or not unit:
        return []
    return [{"doseQuantity": quantity(dose.amount, unit)}]


def most(limit: PrnLimit) -> Json:
    """Return maxDosePerPeriod; a limit in doses and in an amount says the amount."""
    value, unit = Decimal(limit.doses or 0), "dose"
    if limit.amount and limit.amount.amount is not None:
        value, unit = limit.amount.amount, limit.amount.unit
    return {
        "numerator": quantity(value, unit),
        "denominator": quantity(limit.hours, "hour"),
    }


def moment(wall: datetime, place: Zone) -> str | None:
    """Return a wall time with its offset; None where the clock leaves it out (T2)."""
    if not exists(wall.date(), wall.time(), place):
        return None
    return to_utc(wall.date(), wall.time(), place).astimezone(place).isoformat()


def start_of(day: date, clock: time | None, place: Zone) -> str | None:
    """Return a day, or a moment of it where a time is told."""
    if clock is None:
        return day.isoformat()
    return moment(datetime.combine(day, clock), place)
