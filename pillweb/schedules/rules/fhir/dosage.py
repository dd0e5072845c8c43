"""One Dosage as one of our lines."""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from pillweb.base.i18n import gettext as _
from pillweb.schedules.rules.dose import in_unit_of, read_dose
from pillweb.schedules.rules.fhir.bounds import (
    Bounds,
    Setting,
    doses_within,
    last_day,
    next_start,
    read_bounds,
)
from pillweb.schedules.rules.fhir.dose_rate import (
    HowMuch,
    read_dose_and_rate,
    read_limit,
)
from pillweb.schedules.rules.fhir.doubts import Doubts
from pillweb.schedules.rules.fhir.elements import (
    Element,
    check_keys,
    codes_of,
    list_in,
    object_in,
    words_of,
)
from pillweb.schedules.rules.fhir.known_extensions import check_extensions
from pillweb.schedules.rules.fhir.moments import ONE_DAY, Moment, moment_in
from pillweb.schedules.rules.fhir.repeat import Repeat, read_repeat
from pillweb.schedules.rules.fhir.rhythm import (
    days_of,
    hours_between,
    minutes_between,
    times_of,
)
from pillweb.schedules.rules.line import (
    Days,
    EveryDays,
    Line,
    OnWeekdays,
    Prn,
    PrnLimit,
)

_KNOWN = frozenset(
    {
        "sequence",
        "text",
        "additionalInstruction",
        "patientInstruction",
        "timing",
        "asNeededBoolean",
        "asNeededCodeableConcept",
        "site",
        "route",
        "method",
        "doseAndRate",
        "maxDosePerPeriod",
        "maxDosePerAdministration",
        "maxDosePerLifetime",
        "extension",
    }
)
_TIMING = frozenset({"event", "repeat", "code"})
_DAY_HOURS = 24


class Found(NamedTuple):
    """A line where the codes determine one, and when the step after it would start.

    `doubts` say what must be chosen before there is a line; `soft` ones leave the line
    as it is but want a look. `is_endless` says that no end is told at all.
    """

    line: Line | None
    doubts: Doubts
    soft: Doubts
    next_start: Moment | None
    is_endless: bool


class _Parts(NamedTuple):
    repeat: Repeat
    bounds: Bounds
    how_much: HowMuch | None
    limit: PrnLimit | None
    sequence: int
    setting: Setting


def read_dosage(dosage: Element, sequence: int, setting: Setting) -> Found:
    """Return what the codes of one Dosage say; its words are compared elsewhere."""
    doubts, soft = Doubts(), Doubts()
    check_keys(dosage, _KNOWN, _("The dosage"), doubts, "timing")
    timing = object_in(dosage, "timing", doubts, "timing")
    check_keys(timing, _TIMING, _("The timing"), doubts, "timing")
    given = object_in(timing, "repeat", doubts, "timing")
    parts = _read_parts(dosage, given, sequence, setting, doubts)
    check_extensions(dosage, parts.repeat, soft)
    line = _line(dosage, timing, parts, doubts, soft)
    end = last_day(parts.bounds, time.max, Doubts())
    if end is None and line is not None:
        end = _end_by_count(line)
    endless = parts.bounds.is_open and not parts.repeat.count
    if parts.repeat.is_interval and line is not None and line.first:
        after = next_start(parts.bounds, None)
    else:
        after = next_start(parts.bounds, end)
    return Found(None if doubts else line, doubts, soft, after, endless)


def _read_parts(
    dosage: Element,
    given: Element,
    sequence: int,
    setting: Setting,
    doubts: Doubts,
) -> _Parts:
    repeat = read_repeat(given, doubts)
    bounds = read_bounds(given, setting, doubts)
    how_much = read_dose_and_rate(dosage, doubts)
    limit = read_limit(dosage, how_much, doubts)
    return _Parts(repeat, bounds, how_much, limit, sequence, setting)


def _line(
    dosage: Element, timing: Element, parts: _Parts, doubts: Doubts, soft: Doubts
) -> Line | None:
    _doubt_zone(parts, soft)
    if is_as_needed(dosage, doubts):
        return _as_needed(dosage, timing, parts, doubts, soft)
    if parts.how_much and parts.how_much.is_range:
        doubts.add("dose", _("The amount is a range: say how much to take each time."))
    if list_in(timing, "event", doubts, "timing"):
        return _once(timing, parts, doubts, soft)
    if any(codes_of(timing.get("code"))):
        doubts.add("times", _("A code such as BID leaves the times to a person."))
        return None
    return _repeated(parts, doubts)


def _repeated(parts: _Parts, doubts: Doubts) -> Line | None:
    repeat = parts.repeat
    if repeat.says_nothing:
        doubts.add("timing", _("No codes say when to take it."))
        return None
    if repeat.period_max is not None:
        doubts.add("days", _("The time between doses is a range: say which is meant."))
        return None
    if repeat.is_interval and not (repeat.times or repeat.when or repeat.weekdays):
        return _interval(parts, doubts)
    return _clock(parts, doubts)


def _doubt_zone(parts: _Parts, soft: Doubts) -> None:
    """Doubt bounds in UTC, but for a start long over from which nothing is counted."""
    start, end = parts.bounds.start, parts.bounds.end
    plain = parts.repeat.period in (None, 1) and parts.repeat.unit in ("", "d")
    counted = parts.repeat.count or parts.bounds.length
    over = start is not None and (parts.setting.today - start.day).days > 1
    harmless = start is None or start.certain or (plain and over and not counted)
    if not harmless or (end is not None and not end.certain):
        soft.add(
            "zone", _("Its time is in UTC: say in which time zone the patient is.")
        )


def is_as_needed(dosage: Element, doubts: Doubts) -> bool:
    """Return whether the codes say "when needed"; both ways at once is a doubt."""
    flag = dosage.get("asNeededBoolean")
    concept = dosage.get("asNeededCodeableConcept")
    if flag is not None and not isinstance(flag, bool):
        doubts.add("timing", _("We cannot read asNeededBoolean: it is true or false."))
    if concept is not None and not isinstance(concept, Mapping):
        doubts.add("timing", _("We cannot read for what it is taken when needed."))
    if flag is not None and concept is not None:
        doubts.add("timing", _("It says in two ways if it is taken only when needed."))
    return flag is True or concept is not None


def _as_needed(
    dosage: Element, timing: Element, parts: _Parts, doubts: Doubts, soft: Doubts
) -> Line | None:
    repeat = parts.repeat
    if repeat.times or repeat.when or repeat.weekdays:
        doubts.add("times", _("It says both when needed and at certain times."))
    if repeat.count or (parts.bounds.length and parts.bounds.start is None):
        doubts.add("end_date", _("It says when needed, but how long is not clear."))
    if list_in(timing, "event", doubts, "timing") or any(codes_of(timing.get("code"))):
        doubts.add("timing", _("It says both when needed and when to take it."))
    reason = words_of(dosage.get("asNeededCodeableConcept"))
    if "asNeededCodeableConcept" in dosage and not reason:
        soft.add(
            "text", _("It does not say in words for what it is taken when needed.")
        )
    prn = Prn(reason, _least(repeat, doubts), _limit(parts, soft))
    begin = _start(parts, EveryDays(), doubts)
    end = last_day(parts.bounds, time.max, doubts)
    _check_order(begin, end, doubts)
    if prn.min_interval_minutes is None and prn.max is None:
        soft.add("max", _("It says neither how far apart nor how much at most."))
    if doubts or parts.how_much is None:
        return None
    return Line(
        kind="prn",
        sequence=parts.sequence,
        start_date=begin,
        end_date=end,
        dose=parts.how_much.dose,
        prn=prn,
    )


def _least(repeat: Repeat, doubts: Doubts) -> int | None:
    """Return the least minutes between two doses: the shortest period of hours."""
    if repeat.period_max is not None and (
        repeat.period is None or repeat.period_max < repeat.period
    ):
        doubts.add(
            "min_interval_minutes", _("The longest period is below the shortest.")
        )
    if not repeat.is_interval:
        if repeat.period_max is not None:
            doubts.add(
                "min_interval_minutes", _("The time between doses is not clear.")
            )
        return None
    return minutes_between(repeat, doubts)


def _limit(parts: _Parts, soft: Doubts) -> PrnLimit | None:
    """Return the most; "3 times a day" is one only when a person confirms it."""
    repeat, limit = parts.repeat, parts.limit
    if repeat.period is None or repeat.is_interval:
        return limit
    daily = PrnLimit(Decimal(_DAY_HOURS), doses=repeat.frequency or 1)
    if limit is None or not _is_same_most(daily, limit, parts.how_much):
        soft.add(
            "max", _('"So many times a day, when needed" may be a most: confirm it.')
        )
    return limit or (daily if repeat.unit == "d" and repeat.period == 1 else None)


def _is_same_most(daily: PrnLimit, limit: PrnLimit, how_much: HowMuch | None) -> bool:
    if limit.hours != daily.hours or limit.amount is None:
        return limit == daily
    one = in_unit_of(how_much.dose, limit.amount) if how_much else None
    return one is not None and limit.amount.fraction == one * (daily.doses or 0)


def _once(timing: Element, parts: _Parts, doubts: Doubts, soft: Doubts) -> Line | None:
    events = list_in(timing, "event", doubts, "timing")
    if len(events) > 1:
        doubts.add("timing", _("It lists several single times: check each of them."))
        return None
    if "repeat" in timing or any(codes_of(timing.get("code"))):
        doubts.add("timing", _("It gives a single time and also a rule."))
        return None
    at = moment_in({"event": events[0]}, "event", parts.setting.zone, doubts, "timing")
    if at is None:
        return None
    if at.clock is None:
        doubts.add("times", _("It gives the day of the single dose but not the time."))
        return None
    if not at.certain:
        soft.add(
            "zone", _("Its time is in UTC: say in which time zone the patient is.")
        )
    if parts.how_much is None:
        return None
    return Line("once", parts.sequence, at=at.wall, dose=parts.how_much.dose)


def _interval(parts: _Parts, doubts: Doubts) -> Line | None:
    apart = hours_between(parts.repeat, doubts)
    start = parts.bounds.start
    if start is None or start.clock is None:
        doubts.add("first", _("It does not say when the first dose is."))
        return None
    if apart is None or parts.how_much is None:
        return None
    fitting = doses_within(parts.bounds, apart, doubts)
    counts = [one for one in (parts.repeat.count, fitting) if one is not None]
    end = parts.bounds.end
    _check_limit(parts, Decimal(_DAY_HOURS) / apart, doubts)
    return Line(
        kind="interval",
        sequence=parts.sequence,
        first=start.wall,
        interval_hours=apart,
        end_date=end.day if end and end.clock is None else None,
        count=min(counts, default=None),
        dose=parts.how_much.dose,
    )


def _clock(parts: _Parts, doubts: Doubts) -> Line | None:
    repeat, start = parts.repeat, parts.bounds.start
    times = times_of(repeat, doubts)
    day = start.day if start else None
    days = days_of(repeat, len(times), day, doubts)
    if not times or days is None:
        days_known = days or EveryDays()
        _start(parts, days_known, doubts)
        return None
    begin = _start(parts, days, doubts)
    clocks = [entry.at for entry in times]
    latest = max((at for at in clocks if at), default=None)
    end = last_day(parts.bounds, None if None in clocks else latest, doubts)
    _check_order(begin, end, doubts)
    _check_limit(parts, Decimal(len(times)), doubts)
    if doubts or parts.how_much is None:
        return None
    return Line(
        kind="clock",
        sequence=parts.sequence,
        start_date=begin,
        start_time=_start_time(start),
        end_date=end,
        count=repeat.count,
        days=days,
        times=times,
        dose=parts.how_much.dose,
    )


def _start_time(start: Moment | None) -> time | None:
    """Return the time of day the plan starts at; times before it never were (T9)."""
    if start is None or start.clock in (None, time(0)):
        return None
    return start.clock


def _start(parts: _Parts, days: Days, doubts: Doubts) -> date | None:
    """Return the first day: from now on, where nothing is counted from it."""
    if parts.bounds.start:
        return parts.bounds.start.day
    weeks = days.every_n_weeks if isinstance(days, OnWeekdays) else 0
    counted = parts.repeat.count or parts.bounds.length or parts.setting.stepped
    if counted or (days != EveryDays() and weeks != 1):
        doubts.add("start_date", _("It does not say on which day it starts."))
        return None
    return parts.setting.today


def _check_order(begin: date | None, end: date | None, doubts: Doubts) -> None:
    if begin and end and end < begin:
        doubts.add("start_date", _("It is over, and does not say when it started."))


def _check_limit(parts: _Parts, doses: Decimal, doubts: Doubts) -> None:
    """Doubt a most that the planned doses of a day pass, or that cannot be compared."""
    limit, how_much = parts.limit, parts.how_much
    if limit is None or how_much is None:
        return
    doses = doses * limit.hours / _DAY_HOURS
    total, most = Fraction(doses), limit.doses and Fraction(limit.doses)
    if limit.amount:
        one = in_unit_of(read_dose(how_much.high.text), limit.amount)
        total, most = total * (one or 0), limit.amount.fraction
    if most is None or total > most:
        doubts.add("max", _("The planned doses are above the most that may be taken."))


def _end_by_count(line: Line) -> date | None:
    """Return the last day of a daily line that ends by its count."""
    daily = line.kind == "clock" and line.days == EveryDays() and not line.start_time
    if not (daily and line.count and line.start_date):
        return None
    whole, rest = divmod(line.count, len(line.times))
    return None if rest else line.start_date + ONE_DAY * (whole - 1)
