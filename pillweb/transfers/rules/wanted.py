"""How many doses the plans of a file want, counted before anything is made of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pillweb.doses.rules.days import HORIZON
from pillweb.schedules.rules.life import USUAL_MEALS
from pillweb.schedules.rules.line import Line, Meals, groups_of_times
from pillweb.schedules.rules.line_json import line_from_json, meals_from_json
from pillweb.schedules.rules.occurrences import Window, occurrences
from pillweb.transfers.rules.fields import NotOursError
from pillweb.transfers.rules.reading import Brought, Values

# Made in one transaction, in which nobody else writes on SQLite: two seconds of it.
MOST_WANTED = 20_000
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(days=1)
# So much of a line is counted at once; each such piece counts as one, empty or not.
PIECE = timedelta(days=366)


def horizon_of(brought: Brought) -> Values | None:
    """Return how far doses are planned: no further than anybody plans."""
    told = brought.horizon
    if told is None:
        return None
    furthest = brought.made_at + HORIZON
    return {**told, "planned_until": min(told["planned_until"], furthest)}


def check_wanted(brought: Brought, *, now: datetime) -> None:
    """Refuse a file of plans that would have far more doses made than anybody takes.

    Raises:
        NotOursError: so it is, it says no times for a meal, or is of the future.
    """
    if brought.made_at > now + CLOCKS_DIFFER:
        raise NotOursError("made_at: is to come")
    meals = brought.patient["meals"]
    eats = USUAL_MEALS if meals is None else meals_from_json(meals)
    plans = dict(brought.rows["plans"])
    count = 0
    for _, values in brought.rows["lines"]:
        line, plan = line_from_json(values["rule"]), plans[values["plan_id"]]
        if plan["valid_to"] is None or plan["valid_to"] > now:
            _check_meals(line, eats)
        for piece in _pieces(brought, plan, now=now):
            try:
                found = occurrences(line, brought.patient["zone"], piece, meals=eats)
            except ValueError as problem:
                raise NotOursError(f"lines: {problem}") from problem
            count += 1 + len(found)
            if count > MOST_WANTED:
                raise NotOursError("lines: more doses than anybody takes")


def _check_meals(line: Line, eats: Meals) -> None:
    told = [one.meal for times in groups_of_times(line) for one in times if one.meal]
    if missing := set(told) - dict(eats.usual).keys():
        raise NotOursError(f"lines: no time for {', '.join(sorted(missing))}")


def _pieces(brought: Brought, plan: Values, *, now: datetime) -> Iterator[Window]:
    """Yield the time in which doses of a plan are still to be made, in pieces."""
    told = horizon_of(brought)
    since = LONG_AGO if told is None else told["planned_until"]
    if told is not None and not told["is_current"]:
        since = min(since, told["planned_at"])
    start = max(since, plan["valid_from"])
    end = min(now + HORIZON, plan["valid_to"] or now + HORIZON)
    while start < end:
        yield start, min(start + PIECE, end)
        start += PIECE
