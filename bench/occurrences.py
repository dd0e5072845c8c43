"""How fast are the rules beside the plainest loop that gives the same instants?

The loop knows the rule by heart, walks the days and converts by `zoneinfo`; it tells
neither amount, slot nor nominal date, and heeds no gap that makes two doses one.
"""

import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import process_time
from typing import Any

from bench.people import ZONE, daily
from bench.table import Answer, interleaved, ratio
from pillweb.base.zones import zone
from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.occurrences import occurrences

A_DAY = timedelta(days=1)
START = date(2026, 1, 1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CLOCKS = ("07:30", "12:00", "18:15", "22:00")
SPANS = {"a week": 7, "a year": 365}
MEALS = {"breakfast": "08:00", "bedtime": "22:30", "weekend": {"breakfast": "09:30"}}

Loop = Callable[[int], Iterator[tuple[date, time]]]


def _on(clocks: tuple[str, ...], is_on: Callable[[int], bool]) -> Loop:
    times = [time.fromisoformat(clock) for clock in clocks]

    def walk(days: int) -> Iterator[tuple[date, time]]:
        for number in range(days):
            if is_on(number):
                day = START + A_DAY * number
                for clock in times:
                    yield day, clock

    return walk


def _clock(times: list[Any], **more: object) -> Line:
    return line_from_json(
        {"kind": "clock", "start_date": str(START), "times": times, **more}
    )


# Each line, and the wall times of its doses as somebody would loop over them.
MIX: dict[str, tuple[Line, Loop]] = {
    "four times a day": (daily(*CLOCKS, start=START), _on(CLOCKS, lambda _: True)),
    "every 2 days": (
        _clock(["08:00"], days={"every": 2}),
        _on(("08:00",), lambda n: n % 2 == 0),
    ),
    "weekdays": (
        _clock(["08:00", "20:00"], days={"weekdays": ["thu", "sun"]}),
        _on(("08:00", "20:00"), lambda n: (n + 3) % 7 in (3, 6)),
    ),
    "21 and 7": (
        _clock(["08:00"], days={"cycle": [21, 7]}),
        _on(("08:00",), lambda n: n % 28 < 21),
    ),
    "monthly": (
        _clock(["09:00"], days={"month_day": 1}),
        _on(("09:00",), lambda n: (START + A_DAY * n).day == 1),
    ),
    "with meals": (
        _clock([{"meal": "bedtime"}], meals=MEALS),
        _on(("22:30",), lambda _: True),
    ),
    "a pause": (
        _clock(["08:00"], pauses=[{"from": "2026-01-03", "to": "2026-01-04"}]),
        _on(("08:00",), lambda n: n not in (2, 3)),
    ),
    "a count": (_clock(["08:00"], count=90), _on(("08:00",), lambda n: n < 90)),
}


def answer(_folder: Path) -> Answer:
    """Measure each kind alone, and the mix."""
    found = Answer("occurrences")
    for name, days in SPANS.items():
        window = (BEGIN, BEGIN + A_DAY * days)
        calls = {kind: _pair(*MIX[kind], window, days) for kind in MIX}
        calls["every 8 hours"] = _interval(window)
        everything = list(calls.values())
        calls["all of these"] = (
            lambda all_of=everything: [one for ours, _ in all_of for one in ours()],  # type: ignore[misc]
            lambda all_of=everything: [one for _, plain in all_of for one in plain()],  # type: ignore[misc]
        )
        for kind, (ours, plain) in calls.items():
            _compare(found, f"{kind}, {name}", ours, plain)
    return found


def _pair(
    line: Line, loop: Loop, window: tuple[datetime, datetime], days: int
) -> tuple[Callable[[], list[Any]], Callable[[], list[Any]]]:
    place = zone(ZONE)

    def plain() -> list[datetime]:
        return [
            datetime.combine(day, clock, place).astimezone(UTC)
            for day, clock in loop(days)
        ]

    assert [one.due_at for one in occurrences(line, place, window)] == plain()
    return lambda: list(occurrences(line, place, window)), plain


def _interval(
    window: tuple[datetime, datetime],
) -> tuple[Callable[[], list[Any]], Callable[[], list[Any]]]:
    place, apart = zone(ZONE), timedelta(hours=8)
    line = line_from_json(
        {"kind": "interval", "first": f"{START}T06:00", "interval_hours": 8}
    )
    first = datetime.combine(START, time(6), place).astimezone(UTC)
    number = (window[1] - first) // apart + 1

    def plain() -> list[datetime]:
        return [(first + apart * n).astimezone(place) for n in range(number)]

    found = occurrences(line, place, window)
    assert [one.due_at for one in found] == plain()[: len(found)]
    return lambda: list(occurrences(line, place, window)), plain


def _compare(
    found: Answer,
    name: str,
    ours: Callable[[], list[Any]],
    plain: Callable[[], list[Any]],
) -> None:
    number = len(ours())
    timed = interleaved(
        {"rules": ours, "plain": plain},
        rounds=30,
        times={"rules": 10, "plain": 10},
        clock=process_time,  # nothing waits here but for the cores
    )
    is_goal = name.startswith(("four", "all"))
    found.add(
        f"{name}: doses/s of a plain zoneinfo loop",
        ratio(timed, "plain", "rules"),
        at_least=1 if is_goal else None,
        detail=f"{number / statistics.median(timed['rules']):,.0f}/s",
    )
