"""What the words of a prescription claim, found one by one from the left."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal

from pillweb.schedules.rules.fhir import phrases
from pillweb.schedules.rules.fhir.quantity import unit_word
from pillweb.schedules.rules.fhir.spelling import plain_words

Match = re.Match[str]
Day = tuple[int | None, int, int]  # year (None if not told), month, day

_HALF_DAY = 12
_MEALS = {
    "breakfast": "breakfast",
    "lunch": "lunch",
    "dinner": "dinner",
    "supper": "dinner",
    "evening meal": "dinner",
    "bed": "bedtime",
    "bedtime": "bedtime",
    "going to bed": "bedtime",
    "getting up": "wake",
    "waking": "wake",
    "waking up": "wake",
    "meals": "meals",
    "food": "meals",
    "each meal": "meals",
}
_SPANS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
    "annually": "year",
}


@dataclass(slots=True)
class Claims:
    """Everything said, by kind; `strange` holds the words that we do not know."""

    amounts: list[tuple[Decimal, Decimal, str]] = field(default_factory=list)
    clocks: set[time] = field(default_factory=set)
    bands: set[str] = field(default_factory=set)
    meals: set[tuple[str, int, Decimal | None]] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    month_days: set[int] = field(default_factory=set)
    often: set[tuple[int, str]] = field(default_factory=set)
    every: set[tuple[Decimal, Decimal, str]] = field(default_factory=set)
    lengths: set[tuple[Decimal, str]] = field(default_factory=set)
    starts: set[Day] = field(default_factory=set)
    ends: set[Day] = field(default_factory=set)
    dates: set[Day] = field(default_factory=set)
    counts: set[int] = field(default_factory=set)
    most: set[tuple[Decimal, str, Decimal]] = field(default_factory=set)
    apart: set[Decimal] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    as_needed: bool = False
    daily: bool = False
    once: bool = False
    stops: bool = False
    with_food: bool = False
    latest_meal: tuple[int, Decimal | None] = 0, None
    strange: list[str] = field(default_factory=list)

    @property
    def names_times(self) -> bool:
        """Return whether the words say at which times, or how many in a day."""
        return bool(self.clocks or self.bands or self.meals or self.often or self.every)


def read_claims(text: str, known: frozenset[str]) -> Claims:
    """Return what a text claims; `known` are words of the medicine, site and route."""
    claims, rest = Claims(), plain_words(text)
    while rest:
        rest = rest.lstrip(" .,;:-/()[]!*\u2022\u00b7\"'")
        taken = _take(rest, claims) if rest else 0
        if rest and not taken:
            word = re.match(r"[^\s,;:()]+", rest)
            taken = word.end() if word else 1
            said = rest[:taken].rstrip(".")
            if said not in phrases.PLAIN_WORDS and said not in known:
                claims.strange.append(said)
        rest = rest[taken:]
    return claims


def _take(rest: str, claims: Claims) -> int:
    for pattern, read in _READERS:
        found = pattern.match(rest)
        if found:
            read(claims, found)
            return found.end()
    return 0


def _skip(_claims: Claims, _: Match) -> None:
    """Read plain advice on how to take it, which no code contradicts."""


def _food(claims: Claims, _: Match) -> None:
    claims.with_food = True


def _most(claims: Claims, found: Match) -> None:
    unit = unit_word(found["unit"] or "dose")
    unit = "dose" if unit in ("time", "times") else unit
    hours = (
        Decimal(found["span"] or 1)
        * {"hour": 1, "day": 24, "week": 168}[
            unit_word(found["of"] or "day").replace("daily", "day")
        ]
    )
    claims.most.add((Decimal(found["n"]), unit, hours))


def _apart(claims: Claims, found: Match) -> None:
    minutes = 60 if found["of"].startswith("h") else 1
    claims.apart.add(Decimal(found["n"]) * minutes)


def _as_needed(claims: Claims, found: Match) -> None:
    claims.as_needed = True
    if found["reason"]:
        claims.reasons.add(found["reason"].strip())


def _every(claims: Claims, found: Match) -> None:
    low = Decimal(found["n"] or 1)
    high = Decimal(found["m"] or low)
    claims.every.add((low, high, _span(found["of"])))


def _span(words: str) -> str:
    return _SPANS.get(words, unit_word(words))


def _every_other(claims: Claims, found: Match) -> None:
    two = Decimal(2)
    claims.every.add((two, two, unit_word(found["of"] or "week")))
    if found["day"]:
        _weekday(claims, found)


def _weekly(claims: Claims, found: Match) -> None:
    claims.often.add((1, _span(found["of"])))


def _every_day(claims: Claims, _: Match) -> None:
    claims.daily = True


def _often(claims: Claims, found: Match) -> None:
    counts = {"once": 1, "twice": 2, "thrice": 3}
    number = found["n"]
    claims.often.add((counts.get(number) or int(number), _span(found["of"])))


def _latin(claims: Claims, found: Match) -> None:
    claims.often.add((phrases.LATIN[found[0].replace(".", "")], "day"))


def _weekday(claims: Claims, found: Match) -> None:
    claims.weekdays.add(phrases.WEEKDAYS.index(found["day"][:3]))


def _month_day(claims: Claims, found: Match) -> None:
    claims.month_days.add(int(found["n"]))


def _meal(claims: Claims, found: Match) -> None:
    side = {"before": -1, "after": 1}.get(found["side"], 0)
    minutes = None
    if found["n"]:
        minutes = Decimal(found["n"]) * (60 if found["of"].startswith("h") else 1)
    claims.latest_meal = side, minutes
    claims.meals.add((_MEALS[found["meal"]], side, minutes))


def _another_meal(claims: Claims, found: Match) -> None:
    """Read "and dinner" after "with breakfast": on the same side of it."""
    side, minutes = claims.latest_meal
    claims.meals.add((_MEALS[found["meal"]], side, minutes))


def _week_part(claims: Claims, found: Match) -> None:
    claims.weekdays |= {5, 6} if "end" in found["part"] else set(range(5))


def _band(claims: Claims, found: Match) -> None:
    claims.bands.add(phrases.BANDS[found["band"]])


def _clock(claims: Claims, found: Match) -> None:
    words = {"midday": time(12), "noon": time(12), "midnight": time(0)}
    named = words.get(found[0].removeprefix("12 "))
    if named is not None:
        claims.clocks.add(named)
        return
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = found["half"]
    if half:
        hour = hour % _HALF_DAY + (_HALF_DAY if half == "pm" else 0)
    try:
        claims.clocks.add(time(hour, minute))
    except ValueError:
        claims.strange.append(found[0])


def _day(found: Match) -> Day:
    if found["iso"]:
        year, month, day = (int(part) for part in found["iso"].split("-"))
        return year, month, day
    month = phrases.MONTHS.index(found["month"][:3]) + 1
    return (int(found["year"]) if found["year"] else None), month, int(found["day"])


def _starts(claims: Claims, found: Match) -> None:
    claims.starts.add(_day(found))


def _ends(claims: Claims, found: Match) -> None:
    claims.ends.add(_day(found))


def _date(claims: Claims, found: Match) -> None:
    claims.dates.add(_day(found))


def _length(claims: Claims, found: Match) -> None:
    claims.lengths.add((Decimal(found["n"]), unit_word(found["of"])))


def _count(claims: Claims, found: Match) -> None:
    claims.counts.add(int(found["n"]))


def _stop(claims: Claims, _: Match) -> None:
    claims.stops = True


def _once(claims: Claims, _: Match) -> None:
    claims.once = True


def _amount(claims: Claims, found: Match) -> None:
    low = Decimal(found["n"])
    high = Decimal(found["m"]) if found["m"] else low
    claims.amounts.append((low, high, unit_word(found["unit"] or "")))


Read = Callable[[Claims, Match], None]


def _compiled() -> Iterator[tuple[re.Pattern[str], Read]]:
    for pattern, read in (
        (phrases.MOST, _most),
        (phrases.APART, _apart),
        (phrases.AS_NEEDED, _as_needed),
        (phrases.FOOD, _food),
        (phrases.ADVICE, _skip),
        (phrases.EVERY_OTHER, _every_other),
        (phrases.EVERY, _every),
        (phrases.HOURLY, _every),
        (phrases.OFTEN, _often),
        (phrases.WEEKLY, _weekly),
        (phrases.EVERY_DAY, _every_day),
        (phrases.LATINS, _latin),
        (phrases.FROM, _starts),
        (phrases.UNTIL, _ends),
        (phrases.ON_DATE, _date),
        (phrases.MONTH_DAY, _month_day),
        (phrases.MEAL, _meal),
        (phrases.BAND, _band),
        (phrases.ANOTHER_MEAL, _another_meal),
        (phrases.WEEK_PART, _week_part),
        (phrases.WEEKDAY, _weekday),
        (phrases.CLOCK, _clock),
        (phrases.LENGTH, _length),
        (phrases.COUNT, _count),
        (phrases.STOP, _stop),
        (phrases.ONCE, _once),
        (phrases.AMOUNT, _amount),
    ):
        yield re.compile(pattern, re.VERBOSE), read


_READERS = tuple(_compiled())
