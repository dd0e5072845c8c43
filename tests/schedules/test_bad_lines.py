"""Hundreds of ways to write a rule wrongly: a sentence each, never another plan."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.occurrences import occurrences

Rule = dict[str, Any]
DATA = Path(__file__).parents[1] / "data"
RULES = [
    json.loads(text)["rule"]
    for path in sorted(DATA.glob("schedule*.jsonl"))
    for text in path.read_text("utf-8").splitlines()
]
RICH: list[Rule] = [
    {
        "kind": "clock",
        "start_date": "2026-06-01",
        "start_time": "07:00",
        "end_date": "2026-07-01",
        "count": 30,
        "days": {"weekdays": ["mon", "thu"], "every_n_weeks": 2},
        "times": [
            {"at": "08:00", "dose": "1 tablet", "weekdays": ["mon"], "day_parity": 0},
            {"meal": "bedtime", "offset_min": 30, "day_offset": 1, "action": "apply"},
        ],
        "pauses": [
            {"from": "2026-06-10", "to": "2026-06-12", "reason": "x", "by": "y"}
        ],
        "meals": {"bedtime": "22:00", "weekend": {"bedtime": "23:00"}},
        "zone_changes": [{"at": "2026-06-09T10:00Z", "zone": "Asia/Tokyo"}],
        "zone_policy": "follow",
        "min_gap_hours_after_zone_change": "2.5",
        "window_min": 60,
        "missed_after_min": 120,
    },
    {
        "kind": "prn",
        "dose": "1 g",
        "reason": "pain",
        "min_interval_minutes": 240,
        "max": {"doses": 4, "amount": "4 g", "hours": 24},
    },
    {
        "kind": "interval",
        "first": "2026-06-01T08:00",
        "interval_hours": "1.5",
        "count": 9,
        "end_date": "2026-06-08",
    },
    {
        "kind": "clock",
        "start_date": "2026-06-01",
        "days": {"month_day": 31, "every_n_months": 3},
        "steps": [
            {"days": 200, "times": ["08:00"]},
            {"days": None, "times": ["09:00"]},
        ],
    },
]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 13, 0.5, 1.0, 1e308, float("nan"), 10**30),
    *(
        "",
        " ",
        "x",
        "0",
        "-1",
        "8:00",
        "24:00",
        "T0800",
        "08+01",
        "08:00:00",
        "\u0660\u0668:\u0660\u0660",
    ),
    *("2026-02-30", "2026-W23-1", "0001-01-01", "9999-12-31", "2026-06-01T08:00"),
    *("2026-06-01T08:00Z", "2026-06-01T08:00+99:00", "0001-01-01T00:00+14:00"),
    *("MON", "Monday", "tea", "1/0", "0 mg", "NaN", "Infinity", "1e3", "8_0", "a\nb"),
    *("\ud800", "x" * 600, "Europe/London", "Mars/Olympus", "../../etc/passwd"),
    *([], {}, [1], [[]], [None], {"every": 2}, ["mon", "mon"], ["08:00", "08:00"]),
    *([21, 0], [0, 7], [1, 2, 3], ["08:00"] * 600, {"weekend": 1}, {"x": "y"}),
]
WINDOW = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - it is JSON
    """Yield each (container, key) of a JSON value, the deepest too."""
    items = enumerate(value) if isinstance(value, list) else value.items()
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


def broken(rule: Rule) -> Iterator[Rule]:
    """Yield the rule with each part left out, made odd, doubled or misspelt."""
    number = sum(1 for _ in places(rule))
    for place in range(number):
        for odd in [*ODD, "remove", "rename", "double"]:
            copied = copy.deepcopy(rule)
            holder, key = list(places(copied))[place]
            if odd == "remove":
                del holder[key]
            elif odd == "rename" and isinstance(holder, dict):
                holder[f"{key}s"] = holder.pop(key)
            elif odd == "double" and isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            else:
                holder[key] = odd
            yield copied


def told(rule: Rule) -> str:
    """Return the sentence that refuses the rule, or nothing.

    What is accepted must mean just what it says, and have doses that can be found.
    """
    try:
        line = line_from_json(rule)
    except ValueError as problem:
        return str(problem)
    assert line_from_json(line_to_json(line)) == line
    try:
        occurrences(line, "Europe/London", WINDOW)
    except ValueError as problem:
        return str(problem)
    return ""


def check(rule: Rule) -> bool:
    """Return whether it was refused, in a sentence that begins with a field."""
    sentence = told(rule)
    if sentence:
        field, mark, words = sentence.partition(": ")
        assert mark, sentence
        assert field.isprintable(), sentence
        assert words.endswith("."), sentence
        assert len(sentence) < 700
    return bool(sentence)


@pytest.mark.parametrize("rule", RICH, ids=lambda rule: rule["kind"])
def test_no_oddity_is_a_traceback(rule: Rule) -> None:
    assert not check(rule)
    refused = [check(odd) for odd in broken(rule)]
    assert sum(refused) > len(refused) * 0.7


def test_the_worked_examples_broken() -> None:
    for rule in RULES:
        plain = {key: rule[key] for key in rule if key not in ("taken", "now")}
        for odd in broken(plain):
            check(odd)


CLOCK: Rule = {"kind": "clock", "start_date": "2026-06-01", "times": ["08:00"]}
EVERY_8: Rule = {"kind": "interval", "first": "2026-06-01T08:00", "interval_hours": 8}
ONCE: Rule = {"kind": "once", "at": "2026-06-01T08:00"}
TWO = {"at": "08:00", "dose": "2 mg"}


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({**CLOCK, "times": ["08:00", "08:00"]}, "times[1]: is the same time as"),
        ({**CLOCK, "times": [TWO, {**TWO, "weekdays": ["mon"]}]}, "times[1]: is the"),
        (
            {**CLOCK, "days": {"every": 2}, "times": [{**TWO, "day_parity": 1}]},
            "times[0].day_parity: never comes",
        ),
        (
            {
                **CLOCK,
                "days": {"weekdays": ["tue"]},
                "times": [{**TWO, "weekdays": ["mon"]}],
            },
            "times[0].weekdays: choose from",
        ),
        ({**EVERY_8, "start_date": "2026-05-31"}, "start_date: is not the day"),
        ({**EVERY_8, "times": ["08:00"]}, "times: does not belong"),
        ({**EVERY_8, "interval_hours": 0.5}, "interval_hours: expected"),
        ({**ONCE, "end_date": "2026-05-31"}, "end_date: is before"),
        ({**ONCE, "start_time": "09:00"}, "start_time: does not belong"),
        ({"kind": "prn", "max": {"doses": 4}}, "max.hours: is needed"),
        ({"kind": "prn", "max": {"doses": 4, "hours": 0}}, "max.hours: must be more"),
        ({**CLOCK, "dose": "0 tablets"}, "dose: must be more than 0"),
        ({**CLOCK, "dose": "1\n2"}, "dose: expected one line"),
        ({"kind": "clock", "times": ["08:00"]}, "start_date: is needed, a date such"),
        ({**CLOCK, "colour": 1}, "line: we do not know colour. Known are kind, "),
    ],
)
def test_sentences(rule: Rule, sentence: str) -> None:
    assert told(rule).startswith(sentence)


def test_two_amounts_at_one_time_on_different_days_are_fine() -> None:
    odd, even = ({**TWO, "day_parity": parity} for parity in (0, 1))
    for times in ([odd, even], [{**odd, "weekdays": ["mon"]}, {**even}]):
        assert len(line_from_json({**CLOCK, "times": times}).times) == 2
