"""What the codes of a dosage say for certain, where they do not say all."""

from datetime import time
from decimal import Decimal
from typing import Any, NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.day_words import clauses
from pillweb.schedules.rules.fhir.bounds import Bounds, Setting, last_day, read_bounds
from pillweb.schedules.rules.fhir.code_words import code_words
from pillweb.schedules.rules.fhir.dosage import is_as_needed
from pillweb.schedules.rules.fhir.dose_rate import (
    HowMuch,
    read_dose_and_rate,
    read_limit,
)
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import Element, list_in, object_in, whole_in
from pillweb.schedules.rules.fhir.repeat import Repeat, read_repeat
from pillweb.schedules.rules.fhir.rhythm import days_of, hours_between
from pillweb.schedules.rules.line import Days, EveryDays, Line, TimeOfDay
from pillweb.schedules.rules.line_text import line_to_json

_DAYS = {"day": 1, "week": 7}
_ANY_TIME = (TimeOfDay(at=time(8)),)


class Known(NamedTuple):
    """A part of a line's JSON, and what more the codes say.

    `length` is for how many days it holds, `missing` what is not clear of its end;
    `words` say the codes in plain words, so that nothing of them is lost.
    """

    line: dict[str, Any]
    length: int | None = None
    missing: tuple[str, ...] = ()
    words: str = ""


def known_of(dosage: Element, setting: Setting) -> Known:
    """Return the keys of a line that no doubt touches; none where it is not clear."""
    doubts = Doubts()
    timing = object_in(dosage, "timing", doubts, "timing")
    given = object_in(timing, "repeat", doubts, "timing")
    repeat = read_repeat(given, doubts)
    bounds = read_bounds(given, setting, doubts)
    how_much = read_dose_and_rate(dosage, Doubts())
    limit = read_limit(dosage, how_much, Doubts())
    most_often = whole_in(given, "frequencyMax", Doubts(), "times")
    words = code_words(repeat, bounds, how_much, limit, most_often)
    if is_as_needed(dosage, doubts):
        needed = {"kind": "prn", **_dose(how_much, ranges=True)}
        return Known(needed, words=clauses((words, _("when needed"))))
    dose = _dose(how_much, ranges=False)
    event = list_in(timing, "event", doubts, "timing")
    if event or repeat.says_nothing or "timing" in doubts.missing:
        return Known(dose, words=words)
    if repeat.is_interval:
        hours = hours_between(repeat, doubts)
        if repeat.when or repeat.times or hours is None:
            return Known(dose, words=words)
        every = {"kind": "interval", "interval_hours": _number(hours)}
        return Known({**every, **dose}, words=words)
    ends = Doubts()
    line = _clock(repeat, bounds, ends)
    return Known({**line, **dose}, _length(bounds), ends.missing, words)


def _dose(how_much: HowMuch | None, *, ranges: bool) -> dict[str, str]:
    if how_much is None or (how_much.is_range and not ranges):
        return {}
    return {"dose": how_much.dose.text}


def _number(hours: Decimal) -> int | str:
    return int(hours) if hours == int(hours) else str(hours)


def _clock(repeat: Repeat, bounds: Bounds, ends: Doubts) -> dict[str, Any]:
    doubts = Doubts()
    start = bounds.start.day if bounds.start else None
    days: Days | None = days_of(repeat, 0, start, doubts)
    certain = start is None or bounds.start is None or bounds.start.certain
    line = Line(
        "clock",
        start_date=start if certain else None,
        end_date=last_day(bounds, None, ends),
        days=EveryDays() if days is None or doubts else days,
        times=_ANY_TIME,
        count=repeat.count,
    )
    told = dict(line_to_json(line))
    del told["times"]
    return told


def _length(bounds: Bounds) -> int | None:
    if bounds.length is None or bounds.length.unit not in _DAYS:
        return None
    days = bounds.length.value * _DAYS[bounds.length.unit]
    return int(days) if days == int(days) else None
