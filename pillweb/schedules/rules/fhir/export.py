"""Write plans as FHIR R4: what codes can say as codes, everything in words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from pillweb.base.i18n import Speech, speaking
from pillweb.base.zones import Zone
from pillweb.schedules.rules.fhir.unsaid import unsaid
from pillweb.schedules.rules.fhir.written import (
    Json,
    dose_and_rate,
    json_text,
    moment,
    most,
    start_of,
)
from pillweb.schedules.rules.line import (
    WEEKDAYS,
    Dose,
    EveryDays,
    InCycle,
    Line,
    OnMonthDay,
    OnWeekdays,
    Prn,
    TimeOfDay,
)
from pillweb.schedules.rules.words import in_words

Kind = Literal["MedicationRequest", "MedicationStatement"]

_MONTHS_A_YEAR = 12
_MOST_ROUNDS = 52
_WITH = {"breakfast": "CM", "lunch": "CD", "dinner": "CV", "bedtime": "HS"}
_BEFORE = {"breakfast": "ACM", "lunch": "ACD", "dinner": "ACV"}
_AFTER = {
    "breakfast": "PCM",
    "lunch": "PCD",
    "dinner": "PCV",
    "wake": "WAKE",
    "bedtime": "PHS",
}


class Told(NamedTuple):
    """A medicine's plan as others are told of it.

    `status` and `intent` are FHIR's; `unit` is the medicine's unit in the singular;
    `codings` are FHIR Codings of the medicine.
    """

    identity: str
    medicine: str
    status: str
    lines: Sequence[Line]
    zone: Zone
    unit: str = ""
    intent: str = "order"
    subject: str = "Patient/patient"
    said_on: date | None = None
    instruction: str = ""
    reason: str = ""
    codings: Sequence[Json] = ()


def resource_of(kind: Kind, told: Told) -> Json:
    """Return the plan as one resource of a kind; its words are English.

    Other systems read them, and so does our own importer.
    """
    with speaking(Speech()):
        dosages = [one for line in told.lines for one in dosages_of(line, told)]
    resource: Json = {
        "resourceType": kind,
        "id": told.identity,
        "status": told.status,
        "medicationCodeableConcept": {"text": told.medicine},
        "subject": {"reference": told.subject},
    }
    if told.codings:
        concept = {"coding": list(told.codings), "text": told.medicine}
        resource["medicationCodeableConcept"] = concept
    if told.reason:
        resource["reasonCode"] = [{"text": told.reason}]
    said = told.said_on.isoformat() if told.said_on else None
    if kind == "MedicationRequest":
        resource["intent"] = told.intent
        resource |= {"authoredOn": said} if said else {}
        return resource | {"dosageInstruction": dosages}
    resource |= {"dateAsserted": said} if said else {}
    return resource | {"dosage": dosages}


def bundle_text(resources: Sequence[Json]) -> str:
    """Return the resources as the JSON text of one collection."""
    entries = [{"resource": resource} for resource in resources]
    return json_text({"resourceType": "Bundle", "type": "collection", "entry": entries})


def dosages_of(line: Line, told: Told) -> list[Json]:
    """Return the Dosages that say a line; what codes cannot say stands in words.

    Such words are none that an importer can compare, so they are always checked.
    """
    more = " ".join(unsaid(line))
    match line.kind:
        case "interval":
            parts = [_interval(line, told)]
        case "once":
            parts = [_once(line, told)]
        case "prn":
            parts = [_as_needed(line, told)]
        case "clock":
            parts = _clock(line, told)
    return [_with_words(part, more) for part in parts]


def _with_words(part: Json, more: str) -> Json:
    text = " ".join(word for word in (str(part["text"]), more) if word)
    return {**part, "text": text}


def _dosage(line: Line, told: Told, timing: Json | None, dose: Dose | None) -> Json:
    part: Json = {"sequence": line.sequence, "text": in_words(line, told.unit)}
    if told.instruction:
        part["patientInstruction"] = told.instruction
    if timing:
        part["timing"] = timing
    amount = dose_and_rate(dose, told.unit)
    if amount:
        part["doseAndRate"] = amount
    return part


def _period(line: Line, start: str | None) -> Json:
    end = line.end_date.isoformat() if line.end_date else None
    told = {"start": start, "end": end}
    told = {key: value for key, value in told.items() if value}
    repeat: Json = {"boundsPeriod": told} if told else {}
    return repeat | ({"count": line.count} if line.count is not None else {})


def _apart(minutes: int) -> Json:
    whole = minutes % 60 == 0
    period, unit = (minutes // 60, "h") if whole else (minutes, "min")
    return {"frequency": 1, "period": period, "periodUnit": unit}


def _interval(line: Line, told: Told) -> Json:
    start = moment(line.first, told.zone) if line.first else None
    rhythm = _apart(int((line.interval_hours or Decimal(0)) * 60))
    timing: Json = {"repeat": {**_period(line, start), **rhythm}}
    return _dosage(line, told, timing if start else None, line.dose)


def _once(line: Line, told: Told) -> Json:
    at = moment(line.at, told.zone) if line.at else None
    return _dosage(line, told, {"event": [at]} if at else None, line.dose)


def _as_needed(line: Line, told: Told) -> Json:
    prn = line.prn or Prn()
    repeat = _period(line, line.start_date.isoformat() if line.start_date else None)
    if prn.min_interval_minutes:
        repeat |= _apart(prn.min_interval_minutes)
    part = _dosage(line, told, {"repeat": repeat} if repeat else None, line.dose)
    if prn.reason:
        part["asNeededCodeableConcept"] = {"text": prn.reason}
    else:
        part["asNeededBoolean"] = True
    return part | ({"maxDosePerPeriod": most(prn.max)} if prn.max else {})


def _clock(line: Line, told: Told) -> list[Json]:
    if line.steps:
        return _steps(line, told)
    if isinstance(line.days, InCycle):
        return _rounds(line, line.days, told)
    parts = []
    for group in _groups(line):
        timing = _timing(line, group, told)
        dose = group[0].dose or line.dose
        parts.append(_dosage(replace(line, times=group), told, timing, dose))
    return parts


def _groups(line: Line) -> list[tuple[TimeOfDay, ...]]:
    """Return the times that one Dosage can say together: one amount, one kind."""
    groups: dict[object, list[TimeOfDay]] = {}
    for entry in line.times:
        dose = entry.dose or line.dose
        kind = entry.meal is not None, entry.offset_min, entry.weekdays
        rest = entry.day_parity, entry.day_offset, entry.action
        side = entry.meal if entry.offset_min else ""  # of one length, both directions
        key = dose and dose.text, *kind, *rest, side
        groups.setdefault(key, []).append(entry)
    return [tuple(group) for group in groups.values()]


def _steps(line: Line, told: Told) -> list[Json]:
    """Return one Dosage for each step, in sequence, from day to day."""
    parts, start = [], line.start_date or date.min
    for number, step in enumerate(line.steps, 1):
        end = start + timedelta(days=step.days - 1) if step.days else line.end_date
        if line.end_date and end:
            end = min(end, line.end_date)
        if line.end_date and start > line.end_date:
            break
        one = replace(
            line,
            steps=(),
            times=step.times,
            sequence=number,
            start_date=start,
            end_date=end,
        )
        parts += _clock(one, told)
        start = end + timedelta(days=1) if end else start
    return parts


def _rounds(line: Line, cycle: InCycle, told: Told) -> list[Json]:
    """Return one Dosage for each round of a cycle that ends, else words alone."""
    start, end = line.start_date, line.end_date
    whole = cycle.on + cycle.off
    if not (start and end) or (end - start).days // whole >= _MOST_ROUNDS or line.count:
        return [_dosage(line, told, None, line.dose)]
    parts: list[Json] = []
    for number in range((end - start).days // whole + 1):
        first = start + timedelta(days=whole * number)
        last = min(end, first + timedelta(days=cycle.on - 1))
        one = replace(
            line, days=EveryDays(), sequence=number + 1, start_date=first, end_date=last
        )
        parts += _clock(one, told)
    return parts


def _timing(line: Line, group: tuple[TimeOfDay, ...], told: Told) -> Json | None:
    """Return the Timing of times that belong together, None where words must do."""
    first = group[0]
    start = start_of(line.start_date or date.min, line.start_time, told.zone)
    days = _days(line, first)
    if (
        start is None
        or days is None
        or first.day_offset
        or first.day_parity is not None
    ):
        return None
    repeat: Json = {**_period(line, start), **days}
    if first.meal is None:
        if "period" in days:  # R4: times of a day are for every day or weekdays
            return {"repeat": repeat}
        clocks = [entry.at.isoformat("seconds") for entry in group if entry.at]
        return {"repeat": {**repeat, "timeOfDay": clocks}}
    when = [_when(entry) for entry in group]
    if None in when or ("period" in days and len(group) > 1):
        return None
    offset: Json = {"offset": abs(first.offset_min)} if first.offset_min else {}
    return {"repeat": {**repeat, "when": when, **offset}}


def _when(entry: TimeOfDay) -> str | None:
    meal = entry.meal or ""
    if entry.offset_min:
        return (_BEFORE if entry.offset_min < 0 else _AFTER).get(meal)
    return "WAKE" if meal == "wake" else _WITH.get(meal)


def _days(line: Line, entry: TimeOfDay) -> Json | None:
    start, days = line.start_date or date.min, line.days
    if entry.weekdays is not None and days != EveryDays():
        return None
    match days:
        case EveryDays(every):
            named = entry.weekdays or ()
            week: Json = (
                {"dayOfWeek": [WEEKDAYS[day] for day in named]} if named else {}
            )
            return week if every == 1 else _rhythm(every, "d")
        case OnWeekdays(weekdays, weeks):
            if weeks == 1:
                return {"dayOfWeek": [WEEKDAYS[day] for day in weekdays]}
            return _rhythm(weeks, "wk") if weekdays == (start.weekday(),) else None
        case OnMonthDay(month_day, months) if month_day == start.day:
            years, rest = divmod(months, _MONTHS_A_YEAR)
            return _rhythm(months, "mo") if rest else _rhythm(years, "a")
    return None


def _rhythm(period: int, unit: str) -> Json:
    return {"frequency": 1, "period": period, "periodUnit": unit}
