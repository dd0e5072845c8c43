"""Any line of our own model, for properties."""

from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from pillweb.schedules.rules.line import WEEKDAYS
from pillweb.schedules.rules.line_json import line_from_json

Rule = dict[str, Any]

DOSES = st.sampled_from(
    [
        "1 tablet",
        "0.5 tablet",
        "2 tablets",
        "40 mg",
        "2.25 ml",
        "1/3 tablet",
        "apply",
        "10 units",
        "2 puffs",
        "1",
        "1000 mg",
        "100 micrograms",
        "1 to 2 tablets",
    ]
)
CLOCKS = st.times(time(0), time(23, 59)).map(lambda clock: f"{clock:%H:%M}")
DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31))
WALLS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(  # noqa: DTZ001
    lambda wall: f"{wall:%Y-%m-%dT%H:%M}"
)
SOME_DAYS = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True)
MEALS = st.sampled_from(["wake", "breakfast", "lunch", "dinner", "bedtime"])
DAYS = st.one_of(
    st.just(None),
    st.builds(lambda every: {"every": every}, st.sampled_from([1, 2, 7, 14, 30])),
    st.builds(lambda days: {"weekdays": days}, SOME_DAYS),
    st.builds(
        lambda days, weeks: {"weekdays": days, "every_n_weeks": weeks},
        SOME_DAYS,
        st.sampled_from([2, 12]),
    ),
    st.builds(
        lambda day, months: {"month_day": day, "every_n_months": months},
        st.integers(1, 31),
        st.sampled_from([1, 3, 12, 18, 24]),
    ),
    st.just({"cycle": [21, 7]}),
)


def rare(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), st.none(), st.none(), strategy)


TIMES = st.one_of(
    CLOCKS.map(lambda clock: {"at": clock}),
    MEALS.map(lambda meal: {"meal": meal}),
    st.builds(
        lambda meal, offset: {"meal": meal, "offset_min": offset},
        MEALS,
        st.sampled_from([-60, -30, 30]),
    ),
)


@st.composite
def times_of_day(draw: st.DrawFn) -> Rule:
    return {
        **draw(TIMES),
        "dose": draw(rare(DOSES)),
        "weekdays": draw(rare(SOME_DAYS)),
        "day_parity": draw(rare(rare(st.integers(0, 1)))),
        "day_offset": draw(rare(rare(st.just(1)))),
        "action": draw(rare(rare(st.just("apply")))),
    }


SEVERAL = st.lists(times_of_day(), min_size=1, max_size=3).map(
    lambda times: [tidy(entry) for entry in times]
)
EXTRAS = st.fixed_dictionaries(
    {
        "zone_policy": rare(rare(st.just("home"))),
        "window_min": rare(rare(st.just(30))),
        "missed_after_min": rare(rare(st.just(240))),
        "alert_profile": rare(rare(st.just("quiet"))),
        "pauses": rare(
            rare(st.just([{"from": "2026-05-04", "to": "2026-05-08"}])),
        ),
    }
)


def tidy(rule: Rule) -> Rule:
    return {key: value for key, value in rule.items() if value is not None}


@st.composite
def clock_rules(draw: st.DrawFn) -> Rule:
    start = draw(DATES)
    rule: Rule = {
        "kind": "clock",
        "start_date": start.isoformat(),
        "start_time": draw(rare(CLOCKS)),
        "end_date": draw(rare(ends_after(start))),
        "count": draw(rare(st.integers(1, 30))),
        "days": draw(DAYS),
        "dose": draw(DOSES),
        "sequence": draw(st.sampled_from([1, 1, 1, 2])),
        **draw(EXTRAS),
    }
    if draw(st.booleans()):
        return tidy({**rule, "times": draw(SEVERAL)})
    days = draw(st.lists(st.integers(1, 10), max_size=3))
    last = draw(st.one_of(st.none(), st.integers(1, 10)))
    steps = [{"days": one, "times": draw(SEVERAL)} for one in [*days, last]]
    rule["days"] = draw(rare(DAYS))
    return tidy({**rule, "steps": steps})


def ends_after(start: date) -> st.SearchStrategy[str]:
    return st.integers(0, 200).map(lambda days: f"{start + timedelta(days=days)}")


@st.composite
def interval_rules(draw: st.DrawFn) -> Rule:
    first = draw(WALLS)
    return tidy(
        {
            "kind": "interval",
            "first": first,
            "interval_hours": draw(st.sampled_from([4, 8, "1.5", 24, 72])),
            "count": draw(rare(st.integers(1, 30))),
            "end_date": draw(rare(ends_after(date.fromisoformat(first[:10])))),
            "dose": draw(DOSES),
            **draw(EXTRAS),
        }
    )


@st.composite
def other_rules(draw: st.DrawFn) -> Rule:
    once = {"kind": "once", "at": draw(WALLS), "dose": draw(DOSES), **draw(EXTRAS)}
    limits = st.one_of(
        st.builds(lambda doses: {"doses": doses, "hours": 24}, st.integers(1, 8)),
        st.builds(
            lambda amount, hours: {"amount": amount, "hours": hours},
            st.sampled_from(["4 g", "8 tablets", "4000 mg", "3 ml"]),
            st.sampled_from([24, 12, "36.5"]),
        ),
        st.just({"doses": 4, "amount": "8 tablets", "hours": 24}),
    )
    start = draw(DATES)
    prn = {
        "kind": "prn",
        "dose": draw(DOSES),
        "start_date": start.isoformat(),
        "end_date": draw(rare(ends_after(start))),
        "reason": draw(rare(st.sampled_from(["pain", "sleep at night", "ألم"]))),
        "min_interval_minutes": draw(rare(st.sampled_from([1, 90, 240]))),
        "max": draw(st.one_of(st.none(), limits)),
        **draw(EXTRAS),
    }
    return tidy(draw(st.sampled_from([once, prn])))


def is_possible(rule: Rule) -> bool:
    """Say whether a line can be read from the rule: no time twice, say."""
    try:
        line_from_json(rule)
    except ValueError:
        return False
    return True


RULES = st.one_of(clock_rules(), interval_rules(), other_rules()).filter(is_possible)
