"""Timing.repeat, read strictly."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    check_keys,
    list_in,
    number_in,
    text_in,
    whole_in,
)
from pillweb.schedules.rules.fhir.moments import clock_of
from pillweb.schedules.rules.line import WEEKDAYS

UNITS = ("s", "min", "h", "d", "wk", "mo", "a")
HOUR_UNITS = ("s", "min", "h")
NO_OFFSET = frozenset({"C", "CM", "CD", "CV"})
_KNOWN = frozenset(
    {
        "boundsPeriod",
        "boundsDuration",
        "boundsRange",
        "count",
        "countMax",
        "duration",
        "durationMax",
        "durationUnit",
        "frequency",
        "frequencyMax",
        "period",
        "periodMax",
        "periodUnit",
        "dayOfWeek",
        "timeOfDay",
        "when",
        "offset",
    }
)
_RANGES = {"countMax": "count", "frequencyMax": "times", "durationMax": "timing"}
_LONGEST_OFFSET = 720


@dataclass(frozen=True, slots=True)
class Repeat:
    """The elements of Timing.repeat but its bounds; what is absent is None or empty."""

    times: tuple[time, ...] = ()
    when: tuple[str, ...] = ()
    offset: int | None = None
    weekdays: tuple[int, ...] = ()
    frequency: int | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    unit: str = ""
    count: int | None = None
    has_duration: bool = False

    @property
    def is_interval(self) -> bool:
        """Return whether doses are real hours apart."""
        return self.unit in HOUR_UNITS

    @property
    def says_nothing(self) -> bool:
        """Return whether neither a time nor a rhythm is told."""
        rhythm = self.times, self.when, self.weekdays, self.frequency, self.period
        return not any(rhythm)


def read_repeat(given: Element, doubts: Doubts) -> Repeat:
    """Return what the elements say; what they cannot say is doubted."""
    check_keys(given, _KNOWN, _("The timing"), doubts, "timing")
    for key, missing in _RANGES.items():
        if key in given:
            told = _("The timing is a range (%(key)s): say which is meant.", key=key)
            doubts.add(missing, told)
    if "duration" in given:
        doubts.add("timing", _("Each dose lasts some time: say how it is given."))
    repeat = Repeat(
        times=_times(given, doubts),
        when=_texts(given, "when", doubts),
        offset=_offset(given, doubts),
        weekdays=_weekdays(given, doubts),
        frequency=whole_in(given, "frequency", doubts, "times"),
        period=number_in(given, "period", doubts, "timing"),
        period_max=number_in(given, "periodMax", doubts, "timing"),
        unit=text_in(given, "periodUnit", doubts, "timing"),
        count=whole_in(given, "count", doubts, "count"),
        has_duration="duration" in given,
    )
    _check(repeat, given, doubts)
    return repeat


def _times(given: Element, doubts: Doubts) -> tuple[time, ...]:
    entries = list_in(given, "timeOfDay", doubts, "times")
    found = [clock_of(entry) for entry in entries]
    if None in found:
        doubts.add("times", _("A time of day is not a time such as 08:00:00."))
    if len(set(found)) < len(found):
        doubts.add("times", _("A time of day is given twice."))
    return tuple(clock for clock in found if clock is not None)


def _texts(given: Element, key: str, doubts: Doubts) -> tuple[str, ...]:
    entries = list_in(given, key, doubts, "times")
    if any(not isinstance(entry, str) for entry in entries):
        doubts.add("times", _("We cannot read %(key)s: it should hold codes.", key=key))
    found = tuple(entry for entry in entries if isinstance(entry, str))
    if len(set(found)) < len(found):
        doubts.add("times", _("A code of %(key)s is given twice.", key=key))
    return found


def _offset(given: Element, doubts: Doubts) -> int | None:
    value = number_in(given, "offset", doubts, "times")
    if value is None:
        return None
    if value != int(value) or not 0 <= value <= _LONGEST_OFFSET:
        doubts.add("times", _("The minutes before or after a meal cannot be right."))
        return None
    return int(value)


def _weekdays(given: Element, doubts: Doubts) -> tuple[int, ...]:
    names = list_in(given, "dayOfWeek", doubts, "days")
    if any(name not in WEEKDAYS for name in names):
        doubts.add("days", _("A day of the week is none that we know."))
    found = [WEEKDAYS.index(str(name)) for name in names if name in WEEKDAYS]
    if len(set(found)) < len(found):
        doubts.add("days", _("A day of the week is given twice."))
    return tuple(dict.fromkeys(found))


def _check(repeat: Repeat, given: Element, doubts: Doubts) -> None:
    if repeat.times and repeat.when:
        doubts.add("times", _("It names both clock times and meals: say which holds."))
    if repeat.offset and (not repeat.when or NO_OFFSET & set(repeat.when)):
        doubts.add("times", _("The minutes before or after belong to no meal."))
    if "period" in given and repeat.unit not in UNITS:
        doubts.add("timing", _("The length of the period has no unit that we know."))
    if "period" in given and repeat.period is not None and repeat.period <= 0:
        doubts.add("timing", _("The period cannot be 0 or less."))
    if "period" not in given and ("periodMax" in given or repeat.unit):
        doubts.add("timing", _("A unit or a longest period stands without a period."))
    if repeat.frequency and "period" not in given:
        doubts.add("timing", _("It says how many times but not in how long."))
