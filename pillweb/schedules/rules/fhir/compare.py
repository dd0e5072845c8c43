"""Compare what the words claim with the line that the codes give."""

from datetime import date, time
from decimal import Decimal
from fractions import Fraction

from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.schedules.rules.dose import in_unit_of
from pillweb.schedules.rules.fhir.claims import Claims, Day, read_claims
from pillweb.schedules.rules.fhir.quantity import Amount, in_unit, unit_word
from pillweb.schedules.rules.line import (
    Dose,
    EveryDays,
    Line,
    Meal,
    OnMonthDay,
    OnWeekdays,
    PrnLimit,
    TimeOfDay,
)

_BAND_HOURS = {
    "morning": (4, 12),
    "midday": (11, 15),
    "afternoon": (12, 18),
    "evening": (16, 24),
    "night": (18, 28),
}
_BANDS_OF_MEALS: dict[Meal, tuple[str, ...]] = {
    "wake": ("morning",),
    "breakfast": ("morning",),
    "lunch": ("midday", "afternoon"),
    "dinner": ("evening",),
    "bedtime": ("night", "evening"),
}
_SOLID = ("tablet", "capsule")
_MAIN_MEALS = {"breakfast", "lunch", "dinner"}
_WEEK = 7
_MONTHS_A_YEAR = 12
# Of amounts, times, days, rhythm, bounds and need.
_DISAGREE = (
    gettext_noop("The words and the codes give different amounts."),
    gettext_noop("The words and the codes give different times."),
    gettext_noop("The words and the codes give different days."),
    gettext_noop("The words and the codes say differently how often."),
    gettext_noop("The words and the codes say differently from when to when."),
    gettext_noop("The words and the codes differ on taking it when needed."),
)


def disagreements(
    text: str, line: Line, known: frozenset[str], strength: Amount | None = None
) -> list[str]:
    """Return a sentence for everything in a text that the line does not say.

    `known` are words of the medicine, its route and its reason, which may stand there;
    `strength` is that of one tablet or capsule, so "1 tablet (5 mg)" is one amount.
    """
    claims = read_claims(text, known)
    claims.amounts = [
        one for one in claims.amounts if not _is_by_strength(one, line.dose, strength)
    ]
    compared = (_amounts, _moments, _days, _rhythm, _bounds, _needed)
    found = [
        _(sentence)
        for agrees, sentence in zip(compared, _DISAGREE, strict=True)
        if not agrees(claims, line)
    ]
    strange = list(claims.strange)
    if line.prn:
        own = frozenset(line.prn.reason.lower().split())
        strange += [
            word
            for reason in claims.reasons
            for word in reason.split()
            if word not in known | own
        ]
    if strange:
        shown = " ".join(dict.fromkeys(strange))[:80]
        found.append(
            _(
                'We could not compare these words with the codes: "%(words)s".',
                words=shown,
            )
        )
    return found


def _amounts(claims: Claims, line: Line) -> bool:
    return all(
        line.dose is not None and _is_dose(low, high, unit, line.dose)
        for low, high, unit in claims.amounts
    )


def _is_dose(low: Decimal, high: Decimal, unit: str, dose: Dose) -> bool:
    if dose.amount is None:
        told = f"{low} to {high}" if low != high else str(low)
        words = dose.text.split()
        return " ".join(words[:3]) == told and _fits(unit, words[-1])
    if low != high:
        return False
    if not unit:
        countable = in_unit(Amount(low, unit_word(dose.unit)), "g") is None
        return countable and low == dose.amount
    same = in_unit(Amount(low, unit), unit_word(dose.unit))
    return same is not None and same.value == dose.amount


def _is_by_strength(
    said: tuple[Decimal, Decimal, str], dose: Dose | None, strength: Amount | None
) -> bool:
    """Say whether 5 mg said is the tablet coded, or a tablet said the 5 mg coded."""
    low, high, unit = said
    if strength is None or dose is None or dose.amount is None or low != high:
        return False
    coded = unit_word(dose.unit)
    number, other = (dose.amount, (low, unit)) if coded in _SOLID else (low, None)
    if other is None and unit in _SOLID:
        other = (dose.amount, coded)
    whole = Amount(number * strength.value, strength.unit)
    given = in_unit(Amount(*other), strength.unit) if other else None
    return given == whole


def _fits(unit: str, word: str) -> bool:
    return not unit or unit == unit_word(word)


def _moments(claims: Claims, line: Line) -> bool:
    if line.kind == "once":
        at = line.at.time() if line.at else None
        return claims.clocks <= {at} and not (claims.bands or claims.meals)
    if line.kind != "clock":
        first = {line.first.time()} if line.first else set()
        return claims.clocks <= first and not (claims.bands or claims.meals)
    if claims.with_food and any(entry.offset_min for entry in line.times):
        return False
    clocks = {entry.at for entry in line.times if entry.at is not None}
    return claims.clocks <= clocks and _all_times_told(claims, line)


def _all_times_told(claims: Claims, line: Line) -> bool:
    """Return whether what is named is the line's, and no time of it is left out."""
    if not (claims.clocks or claims.meals or claims.bands):
        return True
    anchored = [entry for entry in line.times if entry.meal]
    told = _meals_told(claims)
    if {name for name, _, _ in told} - {entry.meal for entry in anchored}:
        return False
    if not all(_is_told(entry, told) for entry in anchored if _is_named(entry, told)):
        return False
    return _bands(claims, line) and all(
        entry.at in claims.clocks
        or _is_told(entry, told)
        or any(_in_band(entry, band) for band in claims.bands)
        for entry in line.times
    )


def _meals_told(claims: Claims) -> set[tuple[str, int, Decimal | None]]:
    return {
        (name, side, minutes)
        for meal, side, minutes in claims.meals
        for name in (_MAIN_MEALS if meal == "meals" else {meal})
    }


def _is_named(entry: TimeOfDay, told: set[tuple[str, int, Decimal | None]]) -> bool:
    return any(name == entry.meal for name, _, _ in told)


def _is_told(entry: TimeOfDay, told: set[tuple[str, int, Decimal | None]]) -> bool:
    side = (entry.offset_min > 0) - (entry.offset_min < 0)
    minutes = abs(entry.offset_min)
    return any(
        name == entry.meal and way == side and said in (None, minutes)
        for name, way, said in told
    )


def _bands(claims: Claims, line: Line) -> bool:
    """Return whether each band named holds a time."""
    return all(
        any(_in_band(entry, band) for entry in line.times) for band in claims.bands
    )


def _in_band(entry: TimeOfDay, band: str) -> bool:
    if entry.meal:
        return band in _BANDS_OF_MEALS[entry.meal]
    low, high = _BAND_HOURS[band]
    hour = (entry.at or time(0)).hour
    return low <= hour < high or low <= hour + 24 < high


def _days(claims: Claims, line: Line) -> bool:
    days = line.days
    if claims.weekdays:
        chosen = set(days.weekdays) if isinstance(days, OnWeekdays) else set()
        if claims.weekdays != chosen:
            return False
    if claims.month_days:
        named = {days.month_day} if isinstance(days, OnMonthDay) else set()
        if claims.month_days != named:
            return False
    if claims.daily:
        return _is_daily(line) and (claims.names_times or _doses_a_day(line) == 1)
    return True


def _is_daily(line: Line) -> bool:
    if line.kind == "interval":
        return True
    if isinstance(line.days, OnWeekdays):
        return len(line.days.weekdays) == _WEEK and line.days.every_n_weeks == 1
    return line.kind == "clock" and line.days == EveryDays()


def _doses_a_day(line: Line) -> Fraction:
    if line.kind == "interval":
        return 24 / Fraction(line.interval_hours or 1)
    return Fraction(len(line.times))


def _rhythm(claims: Claims, line: Line) -> bool:
    often = all(_is_often(number, span, claims, line) for number, span in claims.often)
    every = all(_is_every(low, high, span, line) for low, high, span in claims.every)
    once = not claims.once or line.kind == "once" or line.count == 1
    return often and every and once


def _is_often(number: int, span: str, claims: Claims, line: Line) -> bool:
    if line.kind == "once":
        return False
    if line.prn:
        most = line.prn.max
        return bool(most and span == "day" and _is_most(number, "dose", 24, most, line))
    if span == "day":
        on_days = isinstance(line.days, OnWeekdays) and claims.weekdays
        return number == _doses_a_day(line) and bool(on_days or _is_daily(line))
    if line.kind != "clock":
        return False
    if span == "week" and isinstance(line.days, OnWeekdays):
        whole = line.days.every_n_weeks == 1
        return whole and number == len(line.days.weekdays) * len(line.times)
    return number == 1 == len(line.times) and _is_every_days(1, span, line)


def _is_every(low: Decimal, high: Decimal, span: str, line: Line) -> bool:
    if span in ("hour", "minute"):
        minutes = low * 60 if span == "hour" else low
        if line.prn:
            return minutes == line.prn.min_interval_minutes
        hours = line.interval_hours
        return low == high and hours is not None and minutes == hours * 60
    return low == high and line.kind == "clock" and _is_every_days(low, span, line)


def _is_every_days(number: Decimal | int, span: str, line: Line) -> bool:
    match line.days:
        case EveryDays(every):
            return number * {"day": 1, "week": _WEEK}.get(span, 0) == every
        case OnWeekdays(weekdays, weeks):
            single = len(weekdays) == 1
            return single and (
                (span == "week" and number == weeks)
                or (span == "day" and number == weeks * _WEEK)
            )
        case OnMonthDay(_, months):
            return number * {"month": 1, "year": _MONTHS_A_YEAR}.get(span, 0) == months
    return False


def _bounds(claims: Claims, line: Line) -> bool:
    begin = line.start_date
    if line.first or line.at:
        begin = (line.first or line.at or begin).date()  # type: ignore[union-attr]
    ends = {line.end_date} if line.end_date else set()
    return (
        all(_is_day(day, begin) for day in claims.starts)
        and all(any(_is_day(day, end) for end in ends) for day in claims.ends)
        and all(_is_day(day, begin) for day in claims.dates)
        and all(count == line.count for count in claims.counts)
        and all(_is_length(number, unit, line) for number, unit in claims.lengths)
        and (not claims.stops or line.end_date is not None or line.count is not None)
    )


def _is_day(said: Day, day: date | None) -> bool:
    year, month, number = said
    return (
        day is not None
        and said
        == (
            day.year if year else None,
            day.month,
            day.day,
        )
        and bool(month and number)
    )


def _is_length(number: Decimal, unit: str, line: Line) -> bool:
    days = number * {"day": 1, "week": _WEEK}.get(unit, 0)
    if line.kind == "interval" and line.count and line.interval_hours:
        hours = number if unit == "hour" else days * 24
        return -(-hours // line.interval_hours) == line.count and hours > 0
    if line.start_date and line.end_date:
        length = (line.end_date - line.start_date).days + 1
        return length == days or _months_long(line) == (number, unit)
    daily = _is_daily(line) and line.count is not None and bool(line.times)
    return daily and days * len(line.times) == line.count


def _months_long(line: Line) -> tuple[Decimal, str] | None:
    if not (line.start_date and line.end_date):
        return None
    after = date.fromordinal(line.end_date.toordinal() + 1)
    if after.day != line.start_date.day:
        return None
    months = (after.year - line.start_date.year) * _MONTHS_A_YEAR
    months += after.month - line.start_date.month
    if months % _MONTHS_A_YEAR == 0:
        return Decimal(months // _MONTHS_A_YEAR), "year"
    return Decimal(months), "month"


def _needed(claims: Claims, line: Line) -> bool:
    if line.prn is None:
        return not (claims.as_needed or claims.most or claims.apart)
    most = line.prn.max
    if (claims.often or claims.every) and not claims.as_needed:
        return False
    return all(
        minutes == line.prn.min_interval_minutes for minutes in claims.apart
    ) and all(
        most is not None and _is_most(number, unit, hours, most, line)
        for number, unit, hours in claims.most
    )


def _is_most(
    number: Decimal | int, unit: str, hours: Decimal | int, most: PrnLimit, line: Line
) -> bool:
    """Return whether a most in words is the coded one, in doses or in its unit."""
    if hours != most.hours:
        return False
    dose = line.dose
    if unit == "dose" or most.doses is not None:
        return _is_most_doses(number, unit, most, dose)
    said = Dose("", unit=unit, fraction=Fraction(number))
    wanted = most.amount
    return bool(wanted and in_unit_of(said, wanted) == wanted.fraction)


def _is_most_doses(
    number: Decimal | int, unit: str, most: PrnLimit, dose: Dose | None
) -> bool:
    """Compare a most of doses with one of an amount, by the amount of a dose."""
    if unit == "dose" and most.doses is not None:
        return most.doses == number
    wanted = most.amount or Dose("", unit=unit, fraction=Fraction(number))
    one = in_unit_of(dose, wanted)
    doses = number if unit == "dose" else most.doses or 0
    return one is not None and one * Fraction(doses) == wanted.fraction
