"""The worked examples: every row of every `tests/data/adherence*.jsonl`."""

import json
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pillweb.adherence.rules.outcome import Outcome, State
from pillweb.adherence.rules.supply import persistence, supply
from pillweb.adherence.rules.tally import by_medicine, tally
from pillweb.base import zones

Row = dict[str, Any]
DATA = Path(__file__).parents[1] / "data"
ROWS = [
    json.loads(text)
    for path in sorted(DATA.glob("adherence*.jsonl"))
    for text in path.read_text("utf-8").splitlines()
]
STATES: dict[str, State] = {"none": "open", "paused": "held"}


def rows(kind: str) -> list[Row]:
    return [row for row in ROWS if row["kind"] == kind]


def named(row: Row) -> str:
    return str(row["id"])


def instant(text: str, place: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return zones.to_utc(moment.date(), moment.time(), zones.zone(place))
    return moment


def outcome(dose: Row, inputs: Row) -> Outcome:
    place = inputs.get("zone", "Europe/London")
    due = instant(dose["due"], place)
    given = {"window_min": 60, "missed_after_min": 360, **inputs, **dose}
    shown = due.astimezone(zones.zone(place))
    fraction = Fraction(str(dose.get("fraction", 1)))
    reason = dose.get("reason") or ""
    state: State = STATES.get(dose["status"]) or dose["status"]
    return Outcome(
        due_at=due,
        nominal_date=date.fromisoformat(dose.get("date", f"{shown:%Y-%m-%d}")),
        state="part" if state == "taken" and fraction < 1 else state,
        window=timedelta(minutes=given["window_min"]),
        missed_at=due + timedelta(minutes=given["missed_after_min"]),
        taken_at=instant(dose["at"], place) if dose.get("at") else None,
        fraction=fraction,
        reason="not_needed" if reason.startswith("not_needed") else reason,
        as_needed=dose.get("as_needed", False),
        extra=dose.get("extra", 0),
        medicine=dose.get("med"),
        local_time=shown.time(),
    )


def plain(value: object) -> object:
    """Return decimals and dates as the examples print them."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, (int, str)) or value is None else str(value)


def printed(expected: Row) -> Row:
    return {
        key: str(value) if isinstance(value, float) else value
        for key, value in expected.items()
    }


def shown(found: object, expected: Row) -> Row:
    return {key: plain(getattr(found, key)) for key in expected}


def test_every_kind_has_rows() -> None:
    assert {row["kind"] for row in ROWS} == {"dose", "supply", "persistence"}


@pytest.mark.parametrize("row", rows("dose"), ids=named)
def test_tally(row: Row) -> None:
    inputs, expected = row["inputs"], printed(row["expected"])
    outcomes = [outcome(dose, inputs) for dose in inputs["doses"]]
    as_of = instant(inputs["as_of"], "Europe/London")
    each = expected.pop("per_medicine", None)
    found = tally(outcomes, as_of, inputs.get("threshold", 80))
    assert shown(found, expected) == expected
    if each is not None:
        listed = by_medicine(outcomes, as_of)
        assert {name: one.taken_pct for name, one in listed} == each
        shares = [one.taken_pct for _, one in listed if one.taken_pct is not None]
        assert shares == sorted(shares)


@pytest.mark.parametrize("row", rows("supply"), ids=named)
def test_supply(row: Row) -> None:
    start, end = map(date.fromisoformat, row["inputs"]["period"])
    fills = [(date.fromisoformat(on), days) for on, days in row["inputs"]["fills"]]
    expected = printed(row["expected"])
    meets = expected.pop("pdc_meets_80")
    found = supply((start, end), fills)
    assert found.meets_threshold == meets
    assert shown(found, expected) == expected


@pytest.mark.parametrize("row", rows("persistence"), ids=named)
def test_persistence(row: Row) -> None:
    inputs, expected = row["inputs"], row["expected"]
    found = persistence(
        map(date.fromisoformat, inputs["taken_days"]),
        date.fromisoformat(inputs["as_of_date"]),
        inputs.get("permissible_gap_days", 30),
    )
    assert shown(found, expected) == expected
