"""The codes of a dosage in plain words, for a person to compare with."""

from pillweb.base.words import WEEKDAY_NAMES
from pillweb.schedules.rules.fhir.bounds import Bounds
from pillweb.schedules.rules.fhir.dose_rate import HowMuch
from pillweb.schedules.rules.fhir.quantity import plain
from pillweb.schedules.rules.fhir.repeat import Repeat
from pillweb.schedules.rules.line import PrnLimit

_UNITS = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}
_TIMES = {1: "once", 2: "twice"}
_WHENS = {
    "MORN": "in the morning",
    "NOON": "at noon",
    "AFT": "in the afternoon",
    "EVE": "in the evening",
    "NIGHT": "at night",
    "HS": "at bedtime",
    "AC": "before meals",
    "PC": "after meals",
    "C": "with meals",
}


def code_words(
    repeat: Repeat,
    bounds: Bounds,
    how_much: HowMuch | None,
    limit: PrnLimit | None,
    most_often: int | None,
) -> str:
    """Return what the codes say: "60 mg, once a day, for 4 days"; empty for nothing.

    `most_often` is the frequency's upper end, where it is a range.
    """
    said = [how_much.dose.text if how_much else "", _often(repeat, most_often)]
    said += [_WHENS.get(code, code) for code in repeat.when]
    said += [f"{at:%H:%M}" for at in repeat.times]
    said += [f"on {WEEKDAY_NAMES[day]}" for day in repeat.weekdays]
    if bounds.length:
        said.append(f"for {_many(plain(bounds.length.value), bounds.length.unit)}")
    if repeat.count:
        said.append(f"{_many(str(repeat.count), 'dose')} in all")
    if limit:
        most = limit.amount.text if limit.amount else _many(str(limit.doses), "dose")
        said.append(f"at most {most} in {_many(plain(limit.hours), 'hour')}")
    return ", ".join(one for one in said if one)


def _often(repeat: Repeat, most: int | None) -> str:
    unit = _UNITS.get(repeat.unit)
    count = _TIMES.get(repeat.frequency or 1, f"{repeat.frequency} times")
    if most:
        count = f"{repeat.frequency or 1} to {most} times"
    if unit is None or repeat.period is None or repeat.period <= 0:
        return count if repeat.frequency else ""
    number = plain(repeat.period)
    if repeat.period_max:
        number += f" to {plain(repeat.period_max)}"
    if number == "1":
        return f"{count} {'an' if unit == 'hour' else 'a'} {unit}"
    return f"{count} every {number} {unit}s".removeprefix("once ")


def _many(number: str, unit: str) -> str:
    return f"{number} {unit}{'' if number == '1' else 's'}"
