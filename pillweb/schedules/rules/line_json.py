"""A line from its JSON form: domain 1.3. The way back is `line_text`."""

from collections.abc import Callable, Mapping
from datetime import time
from decimal import Decimal
from typing import get_args

from pillweb.base.zones import UnknownZone, zone
from pillweb.schedules.rules import fields
from pillweb.schedules.rules.checks import check_line
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line import (
    KINDS,
    MEALS,
    Days,
    Dose,
    EveryDays,
    InCycle,
    Line,
    Meal,
    Meals,
    OnMonthDay,
    OnWeekdays,
    Pause,
    Prn,
    PrnLimit,
    Step,
    TimeOfDay,
    ZoneChange,
    ZonePolicy,
)

YEARS = 100
LONGEST_DAYS = 366 * YEARS
LONGEST_MINUTES = 60 * 24 * 366
MOST_DOSES = 100_000
LARGEST_SLOT = 9_999
HALF_DAY = 720
PARITIES = {"odd": 0, "even": 1}

Read = Callable[[object, str], object]

_NEEDED = {
    "clock": {"start_date": "a date such as 2026-06-01"},
    "interval": {
        "first": "a wall time such as 2026-06-01T08:00",
        "interval_hours": "a number of hours such as 8",
    },
    "once": {"at": "a wall time such as 2026-06-01T08:00"},
    "prn": {},
}
_PRN = ("reason", "min_interval_minutes", "max")
_FORBIDDEN = {
    "clock": ("interval_hours", "first", "at", *_PRN),
    "interval": ("times", "steps", "days", "at", "start_time", *_PRN),
    "once": (
        *("times", "steps", "days", "interval_hours", "first"),
        *("count", "start_time", *_PRN),
    ),
    "prn": ("times", "steps", "days", "interval_hours", "first", "at", "count"),
}


def line_from_json(given: Mapping[str, object]) -> Line:
    """Return the line that a JSON object describes.

    The limits of an as-needed line stand beside `kind`; amounts are text ("0.5 mg") or
    whole numbers. Decided here: `day_parity` 0 or "odd" is the start date (day 1) and
    every second day after it, 1 or "even" the days between.

    Raises:
        ValueError: an unknown key, a missing or bad value; the field is named.
    """
    known = fields.an_object(given, "line", ("kind", *_READERS, *_PRN))
    kind = fields.one_of(known.get("kind"), "kind", KINDS)
    for field, example in _NEEDED[kind].items():
        if field not in known:
            raise ValueError(f"{field}: is needed, {example}.")
    for field in _FORBIDDEN[kind]:
        if field in known:
            raise ValueError(f"{field}: does not belong to a line of kind {kind}.")
    if kind == "clock" and ("times" in known) == ("steps" in known):
        raise ValueError("times: give either times or steps.")
    values = {
        field: read(known[field], field)
        for field, read in _READERS.items()
        if field in known
    }
    values["prn"] = _prn(known) if kind == "prn" else None
    line = Line(kind=kind, **values)  # type: ignore[arg-type]  # each reader knows
    check_line(line)
    return line


def dose_from_json(value: object, field: str) -> Dose:
    """Return the amount of a text or a whole number.

    Raises:
        ValueError: another kind of value, or no amount a person could take.
    """
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):  # one kind of error for whoever reads a form
        raise ValueError(f'{field}: write the amount as text, such as "0.5 mg".')  # noqa: TRY004
    text = fields.a_text(value, field)
    try:
        dose = read_dose(text)
    except ValueError as problem:
        raise ValueError(f"{field}: {problem}.") from problem
    if dose.fraction == 0:
        raise ValueError(f"{field}: must be more than 0.")
    return dose


def _days(value: object, field: str) -> Days:
    known = ("every", "weekdays", "every_n_weeks", "month_day", "every_n_months")
    given = fields.an_object(value, field, (*known, "cycle"))
    match sorted(given):
        case ["every"]:
            every = fields.an_int(given["every"], f"{field}.every", 1, LONGEST_DAYS)
            return EveryDays(every)
        case ["weekdays"] | ["every_n_weeks", "weekdays"]:
            weeks = given.get("every_n_weeks", 1)
            return OnWeekdays(
                fields.weekdays(given["weekdays"], f"{field}.weekdays"),
                fields.an_int(weeks, f"{field}.every_n_weeks", 1, 52 * YEARS),
            )
        case ["month_day"] | ["every_n_months", "month_day"]:
            months = given.get("every_n_months", 1)
            return OnMonthDay(
                fields.an_int(given["month_day"], f"{field}.month_day", 1, 31),
                fields.an_int(months, f"{field}.every_n_months", 1, 12 * YEARS),
            )
        case ["cycle"]:
            return _cycle(given["cycle"], f"{field}.cycle")
    raise ValueError(f"{field}: give one of every, weekdays, month_day or cycle.")


def _cycle(value: object, field: str) -> InCycle:
    match fields.a_list(value, field):
        case [on, off]:
            return InCycle(
                fields.an_int(on, field, 1, LONGEST_DAYS),
                fields.an_int(off, field, 0, LONGEST_DAYS),
            )
    raise ValueError(f"{field}: give the days on and the days off.")


def _times(value: object, field: str) -> tuple[TimeOfDay, ...]:
    times = tuple(
        _time(entry, f"{field}[{place}]", place)
        for place, entry in enumerate(fields.a_list(value, field))
    )
    if len({entry.slot for entry in times}) < len(times):
        raise ValueError(f"{field}: two times have the same slot.")
    return times


def _time(value: object, field: str, place: int) -> TimeOfDay:
    if isinstance(value, str):
        return TimeOfDay(at=fields.a_clock(value, field), slot=place)
    given = fields.an_object(value, field, _TIME_READERS)
    if ("at" in given) == ("meal" in given):
        raise ValueError(f"{field}: give either at or meal.")
    if "at" in given and "offset_min" in given:
        raise ValueError(f"{field}.offset_min: belongs to a meal.")
    values = {
        key: read(given[key], f"{field}.{key}")
        for key, read in _TIME_READERS.items()
        if key in given
    }
    return TimeOfDay(**{"slot": place, **values})  # type: ignore[arg-type]


def _parity(value: object, field: str) -> int:
    if isinstance(value, str):
        value = PARITIES.get(value, value)
    return fields.an_int(value, field, 0, 1)


def _steps(value: object, field: str) -> tuple[Step, ...]:
    steps = []
    entries = fields.a_list(value, field)
    for place, entry in enumerate(entries):
        name = f"{field}[{place}]"
        given = fields.an_object(entry, name, ("days", "times"))
        days = given.get("days")
        if days is not None:
            days = fields.an_int(days, f"{name}.days", 1, LONGEST_DAYS)
        elif place < len(entries) - 1:
            raise ValueError(f"{name}.days: only the last step may be open-ended.")
        steps.append(Step(days, _times(given.get("times"), f"{name}.times")))
    return tuple(steps)


def _pauses(value: object, field: str) -> tuple[Pause, ...]:
    pauses = []
    for place, entry in enumerate(fields.a_list(value, field, empty=True)):
        name = f"{field}[{place}]"
        given = fields.an_object(entry, name, ("from", "to", "reason", "by"))
        start = fields.a_date(given.get("from"), f"{name}.from")
        to = given.get("to")
        end = None if to is None else fields.a_date(to, f"{name}.to")
        if end and end < start:
            raise ValueError(f"{name}.to: is before the pause begins.")
        reason = fields.a_text(given.get("reason", ""), f"{name}.reason")
        by = fields.a_text(given.get("by", ""), f"{name}.by")
        pauses.append(Pause(start, end, reason, by))
    return tuple(pauses)


def _prn(given: Mapping[str, object]) -> Prn:
    least = given.get("min_interval_minutes")
    if least is not None:
        least = fields.an_int(least, "min_interval_minutes", 0, LONGEST_MINUTES)
    limit = _limit(given["max"], "max") if "max" in given else None
    reason = fields.a_text(given.get("reason", ""), "reason")
    return Prn(reason, least, limit)


def _limit(value: object, field: str) -> PrnLimit:
    given = fields.an_object(value, field, ("doses", "amount", "hours"))
    doses = amount = None
    if "doses" in given:
        doses = fields.an_int(given["doses"], f"{field}.doses", 1, MOST_DOSES)
    if "amount" in given:
        amount = dose_from_json(given["amount"], f"{field}.amount")
        if amount.fraction is None:
            raise ValueError(f"{field}.amount: expected a number and a unit.")
    if doses is None and amount is None:
        raise ValueError(f"{field}: give doses or amount.")
    if "hours" not in given:
        raise ValueError(f"{field}.hours: is needed, a number of hours such as 24.")
    hours = _some_hours(given["hours"], f"{field}.hours")
    return PrnLimit(hours, doses, amount)


def meals_from_json(value: object, field: str = "meals") -> Meals:
    """Return the meal times of `{"breakfast": "08:00", "weekend": {…}}`.

    Raises:
        ValueError: an unknown meal or a bad time.
    """
    given = fields.an_object(value, field, (*MEALS, "weekend"))
    weekend = fields.an_object(given.get("weekend", {}), f"{field}.weekend", MEALS)
    return Meals(_meal_times(given, field), _meal_times(weekend, f"{field}.weekend"))


def _meal_times(
    given: Mapping[str, object], field: str
) -> tuple[tuple[Meal, time], ...]:
    return tuple(
        (meal, fields.a_clock(given[meal], f"{field}.{meal}"))
        for meal in MEALS
        if meal in given
    )


def _zone_changes(value: object, field: str) -> tuple[ZoneChange, ...]:
    changes = []
    for place, entry in enumerate(fields.a_list(value, field, empty=True)):
        name = f"{field}[{place}]"
        given = fields.an_object(entry, name, ("at", "zone"))
        at = fields.an_instant(given.get("at"), f"{name}.at")
        place_name = fields.a_text(given.get("zone"), f"{name}.zone")
        try:
            zone(place_name)
        except UnknownZone as problem:
            raise ValueError(f"{name}.zone: {problem}") from problem
        changes.append(ZoneChange(at, place_name))
    return tuple(changes)


def _hours(value: object, field: str) -> Decimal:
    hours = fields.a_decimal(value, field, 24 * 366)
    if hours * 60 != int(hours * 60):
        raise ValueError(f"{field}: expected hours of whole minutes, such as 1.5.")
    return hours


def _some_hours(value: object, field: str) -> Decimal:
    hours = _hours(value, field)
    if hours == 0:
        raise ValueError(f"{field}: must be more than 0.")
    return hours


def _whole(low: int, high: int) -> Read:
    return lambda value, field: fields.an_int(value, field, low, high)


def _meal(value: object, field: str) -> Meal:
    return fields.one_of(value, field, MEALS)


def _policy(value: object, field: str) -> ZonePolicy:
    known: tuple[ZonePolicy, ...] = get_args(ZonePolicy)
    return fields.one_of(value, field, known)


_TIME_READERS: dict[str, Read] = {
    "at": fields.a_clock,
    "meal": _meal,
    "offset_min": _whole(-HALF_DAY, HALF_DAY),
    "day_offset": _whole(-1, 1),
    "dose": dose_from_json,
    "action": fields.a_text,
    "weekdays": fields.weekdays,
    "day_parity": _parity,
    "slot": _whole(0, LARGEST_SLOT),
}
_READERS: dict[str, Read] = {
    "sequence": _whole(1, MOST_DOSES),
    "start_date": fields.a_date,
    "start_time": fields.a_clock,
    "end_date": fields.a_date,
    "count": _whole(1, MOST_DOSES),
    "days": _days,
    "times": _times,
    "steps": _steps,
    "pauses": _pauses,
    "dose": dose_from_json,
    "action": fields.a_text,
    "interval_hours": _some_hours,
    "first": fields.a_local,
    "at": fields.a_local,
    "zone_policy": _policy,
    "min_gap_hours_after_zone_change": _hours,
    "window_min": _whole(0, LONGEST_MINUTES),
    "missed_after_min": _whole(0, LONGEST_MINUTES),
    "alert_profile": fields.a_text,
    "meals": meals_from_json,
    "zone_changes": _zone_changes,
    "next_slot": _whole(0, LARGEST_SLOT),
}
