"""A line as its JSON form; `line_json` reads it back."""

from datetime import datetime, time
from decimal import Decimal

from pillweb.schedules.rules.line import (
    WEEKDAYS,
    Days,
    EveryDays,
    InCycle,
    Line,
    Meal,
    Meals,
    OnMonthDay,
    OnWeekdays,
    Pause,
    Prn,
    TimeOfDay,
)

Json = dict[str, object]


def line_to_json(line: Line) -> Json:
    """Return the JSON object that `line_from_json` reads back as the same line.

    Values equal to their default are left out; amounts are text.
    """
    told: Json = {"kind": line.kind}
    if line.sequence != 1:
        told["sequence"] = line.sequence
    told |= _when(line)
    if line.times:
        told["times"] = _times(line.times)
    if line.steps:
        told["steps"] = [
            {"days": step.days, "times": _times(step.times)} for step in line.steps
        ]
    if line.pauses:
        told["pauses"] = [_pause(pause) for pause in line.pauses]
    if line.dose:
        told["dose"] = line.dose.text
    if line.prn:
        told |= _prn(line.prn)
    return told | _policies(line) | _plain(line)


def _when(line: Line) -> Json:
    told: Json = {}
    if line.start_date:
        told["start_date"] = line.start_date.isoformat()
    if line.start_time is not None:
        told["start_time"] = _clock(line.start_time)
    if line.end_date:
        told["end_date"] = line.end_date.isoformat()
    if line.days != EveryDays():
        told["days"] = _days(line.days)
    if line.interval_hours is not None:
        told["interval_hours"] = _number(line.interval_hours)
    if line.first:
        told["first"] = _minute(line.first)
    if line.at:
        told["at"] = _minute(line.at)
    return told


def _plain(line: Line) -> Json:
    told: Json = {
        "count": line.count,
        "action": line.action,
        "window_min": line.window_min,
        "missed_after_min": line.missed_after_min,
        "alert_profile": line.alert_profile,
        "next_slot": line.next_slot or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _policies(line: Line) -> Json:
    told: Json = {}
    if line.zone_policy != "follow":
        told["zone_policy"] = line.zone_policy
    if line.min_gap_hours_after_zone_change is not None:
        gap = line.min_gap_hours_after_zone_change
        told["min_gap_hours_after_zone_change"] = _number(gap)
    if line.meals is not None:
        told["meals"] = meals_to_json(line.meals)
    if line.zone_changes:
        told["zone_changes"] = [
            {"at": _minute(change.at.replace(tzinfo=None)) + "Z", "zone": change.zone}
            for change in line.zone_changes
        ]
    return told


def _number(value: Decimal) -> int | str:
    return int(value) if value == int(value) else str(value)


def _clock(value: time) -> str:
    return value.isoformat("minutes")


def _minute(value: datetime) -> str:
    whole = not (value.second or value.microsecond)
    return value.isoformat(timespec="minutes" if whole else "auto")


def _days(days: Days) -> Json:
    match days:
        case EveryDays():
            return {"every": days.every}
        case OnWeekdays():
            told: Json = {"weekdays": [WEEKDAYS[day] for day in days.weekdays]}
            weeks = days.every_n_weeks
            return told if weeks == 1 else told | {"every_n_weeks": weeks}
        case OnMonthDay():
            month: Json = {"month_day": days.month_day}
            months = days.every_n_months
            return month if months == 1 else month | {"every_n_months": months}
        case InCycle():
            return {"cycle": [days.on, days.off]}


def _times(times: tuple[TimeOfDay, ...]) -> list[object]:
    return [_time(entry, place) for place, entry in enumerate(times)]


def _time(entry: TimeOfDay, place: int) -> object:
    told: Json = {
        "at": _clock(entry.at) if entry.at is not None else None,
        "meal": entry.meal,
        "offset_min": entry.offset_min or None,
        "day_offset": entry.day_offset or None,
        "dose": entry.dose.text if entry.dose else None,
        "action": entry.action,
        "weekdays": entry.weekdays and [WEEKDAYS[day] for day in entry.weekdays],
        "day_parity": entry.day_parity,
        "slot": entry.slot if entry.slot != place else None,
    }
    told = {key: value for key, value in told.items() if value is not None}
    return told["at"] if list(told) == ["at"] else told


def _pause(pause: Pause) -> Json:
    told: Json = {"from": pause.start.isoformat()}
    if pause.end:
        told["to"] = pause.end.isoformat()
    if pause.reason:
        told["reason"] = pause.reason
    if pause.by:
        told["by"] = pause.by
    return told


def _prn(prn: Prn) -> Json:
    told: Json = {}
    if prn.reason:
        told["reason"] = prn.reason
    if prn.min_interval_minutes is not None:
        told["min_interval_minutes"] = prn.min_interval_minutes
    if prn.max is not None:
        limit: Json = {}
        if prn.max.doses is not None:
            limit["doses"] = prn.max.doses
        if prn.max.amount is not None:
            limit["amount"] = prn.max.amount.text
        told["max"] = limit | {"hours": _number(prn.max.hours)}
    return told


def meals_to_json(meals: Meals) -> Json:
    """Return the JSON form of meal times; `meals_from_json` reads it back."""
    told: Json = dict(_meal_times(meals.usual))
    if meals.weekend:
        told["weekend"] = _meal_times(meals.weekend)
    return told


def _meal_times(times: tuple[tuple[Meal, time], ...]) -> dict[str, str]:
    return {meal: _clock(at) for meal, at in times}
