"""Plans of every kind, for hypothesis: as JSON rules that begin about one date."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from pillweb.schedules.rules.line import Line
from pillweb.schedules.rules.line_json import line_from_json

Rule = dict[str, Any]
CLOCKS = st.sampled_from(
    ["07:00", "08:00", "08:30", "09:00", "13:00", "20:00", "23:30"]
)
AMOUNTS = st.sampled_from(["1", "1/2 tablet", "40 mg", "2"])
WEEKDAYS = st.lists(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
    min_size=1,
    max_size=4,
    unique=True,
)
MEAL_TIMES = st.builds(
    lambda meal, offset, dose: {"meal": meal, "offset_min": offset, "dose": dose},
    st.sampled_from(["breakfast", "dinner", "bedtime"]),
    st.sampled_from([-30, 0, 15]),
    AMOUNTS,
)
TIMES = st.one_of(
    st.lists(CLOCKS, min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(MEAL_TIMES, min_size=1, max_size=2, unique_by=lambda one: one["meal"]),
    st.lists(CLOCKS, min_size=2, max_size=2, unique=True).map(
        lambda two: [
            {"at": two[0], "dose": "1"},
            {"at": two[1], "dose": "2", "day_parity": 1},
        ]
    ),
)
DAYS = st.one_of(
    st.just({"every": 1}),
    st.builds(lambda n: {"every": n}, st.integers(2, 3)),
    st.builds(lambda on: {"weekdays": on}, WEEKDAYS),
    st.builds(
        lambda on, off: {"cycle": [on, off]}, st.integers(1, 4), st.integers(1, 3)
    ),
    st.builds(lambda day: {"month_day": day}, st.integers(20, 31)),
)


@st.composite
def pauses(draw: st.DrawFn, today: date) -> list[Rule]:
    start = today + timedelta(days=draw(st.integers(-1, 4)))
    end = draw(st.one_of(st.none(), st.integers(0, 4)))
    pause: Rule = {"from": str(start), "reason": "test"}
    if end is not None:
        pause["to"] = str(start + timedelta(days=end))
    return [pause]


@st.composite
def clock_rules(draw: st.DrawFn, today: date) -> Rule:
    rule: Rule = {
        "kind": "clock",
        "start_date": str(today - timedelta(days=draw(st.integers(0, 3)))),
        "dose": draw(AMOUNTS),
    }
    if draw(st.integers(0, 3)) == 0:
        lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
        rule["steps"] = [
            {
                "days": days,
                "times": draw(st.lists(CLOCKS, min_size=1, max_size=2, unique=True)),
            }
            for days in lengths
        ]
    else:
        rule["times"] = draw(TIMES)
        rule["days"] = draw(DAYS)
    optional = {
        "count": st.integers(1, 12),
        "pauses": pauses(today),
        "zone_policy": st.just("home"),
        "end_date": st.integers(0, 9).map(lambda n: str(today + timedelta(days=n))),
    }
    for name, values in optional.items():
        if draw(st.integers(0, 4)) == 0:
            rule[name] = draw(values)
    return rule


@st.composite
def interval_rules(draw: st.DrawFn, today: date) -> Rule:
    rule: Rule = {
        "kind": "interval",
        "first": f"{today - timedelta(days=draw(st.integers(0, 2)))}T{draw(CLOCKS)}",
        "interval_hours": draw(st.sampled_from([6, 8, 12, 36, 72])),
        "dose": draw(AMOUNTS),
    }
    if draw(st.integers(0, 2)) == 0:
        rule["pauses"] = draw(pauses(today))
    return rule


def once_rules(today: date) -> st.SearchStrategy[Rule]:
    return st.builds(
        lambda days, clock: {
            "kind": "once",
            "at": f"{today + timedelta(days=days)}T{clock}",
            "dose": "1",
        },
        st.integers(0, 5),
        CLOCKS,
    )


AS_NEEDED: Rule = {"kind": "prn", "min_interval_minutes": 240, "dose": "1"}


def lines(today: date) -> st.SearchStrategy[Line]:
    """Lines of every kind that begin about a date; those at clock times most often."""
    return (
        st.one_of(
            clock_rules(today),
            clock_rules(today),
            clock_rules(today),
            interval_rules(today),
            once_rules(today),
            st.just(AS_NEEDED),
        )
        .filter(_is_readable)
        .map(line_from_json)
    )


def _is_readable(rule: Rule) -> bool:
    """Say whether a rule is a plan at all: an impossible one is refused."""
    try:
        line_from_json(rule)
    except ValueError:
        return False
    return True
