"""The worked examples: every row of every `tests/data/schedule*.jsonl`."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pillweb.base import zones
from pillweb.schedules.rules.as_needed import Taken, next_allowed
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.occurrences import Occurrence, occurrences

Row = dict[str, Any]
DATA = Path(__file__).parents[1] / "data"
ROWS = [
    json.loads(text)
    for path in sorted(DATA.glob("schedule*.jsonl"))
    for text in path.read_text("utf-8").splitlines()
]
CLOCKS = [row for row in ROWS if row["rule"]["kind"] != "prn"]
PRNS = [row for row in ROWS if row["rule"]["kind"] == "prn"]
each = pytest.mark.parametrize("row", CLOCKS, ids=lambda row: row["id"])


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def taken_of(given: Row | str) -> Taken:
    if isinstance(given, str):
        return Taken(instant(given))
    amount = given.get("amount", given.get("dose"))
    return Taken(instant(given["at"]), read_dose(str(amount)) if amount else None)


def told(row: Row, start: datetime, end: datetime) -> tuple[Occurrence, ...]:
    return occurrences(line_from_json(row["rule"]), row["zone"], (start, end))


def window(row: Row) -> tuple[datetime, datetime]:
    return instant(row["window_from_utc"]), instant(row["window_to_utc"])


def test_there_are_rows() -> None:
    assert len(CLOCKS) > 20
    assert PRNS


@each
def test_occurrences(row: Row) -> None:
    if row["tz_min"] != "any" and zones.tzdata_version() < row["tz_min"]:
        pytest.skip("needs newer zone data")
    found = told(row, *window(row))
    assert [f"{one.due_at:%Y-%m-%dT%H:%MZ}" for one in found] == row["expected_utc"]
    assert len(found) == row["expected_n"]
    shown = [one.due_at.astimezone(zones.zone(one.zone)) for one in found]
    assert [f"{one:%Y-%m-%dT%H:%M%z}" for one in shown] == row["expected_local"]
    if "-" not in row["expected_nominal_date"]:
        dates = [one.nominal_date.isoformat() for one in found]
        assert dates == row["expected_nominal_date"]
    assert row["expected_dose"] in ([], [one.dose or one.action for one in found])


@each
def test_identities_are_unique(row: Row) -> None:
    found = told(row, *window(row))
    assert len({one[1:4] for one in found}) == len(found)
    assert len({one.due_at for one in found}) == len(found)


@each
def test_pieces_make_the_whole(row: Row) -> None:
    start, end = window(row)
    whole = told(row, start, end)
    pieces: list[Occurrence] = []
    while start < end:
        upto = min(start + timedelta(hours=7), end)
        pieces += told(row, start, upto)
        start = upto
    assert tuple(pieces) == whole


@each
def test_json_comes_back(row: Row) -> None:
    told = json.dumps(row["rule"]).replace('"odd"', "0").replace('"even"', "1")
    assert line_to_json(line_from_json(row["rule"])) == json.loads(told)


@pytest.mark.parametrize("row", PRNS, ids=lambda row: row["id"])
def test_next_allowed(row: Row) -> None:
    rule = dict(row["rule"])
    taken, now = map(taken_of, rule.pop("taken")), instant(rule.pop("now"))
    line = line_from_json(rule)
    assert line_to_json(line) == rule
    assert line.prn is not None
    allowed = next_allowed(line.prn, taken, now, dose=line.dose)
    assert allowed is not None
    assert allowed == instant(row["expected_utc"][0])
    assert occurrences(line, row["zone"], (now, now + timedelta(days=9))) == ()
    assert allowed.astimezone(UTC) >= now
