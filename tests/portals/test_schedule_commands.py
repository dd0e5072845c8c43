"""`flask --app app schedules preview`, as somebody at a terminal meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from pillweb.portals.views.schedule_commands import is_calculation, schedules
from tests.services import ROOT

Row = dict[str, Any]
DATA = Path(__file__).parents[1] / "data"
ROWS = [
    json.loads(text)
    for path in sorted(DATA.glob("schedule*.jsonl"))
    for text in path.read_text("utf-8").splitlines()
]
DAILY = {"kind": "clock", "start_date": "2026-06-01", "times": ["08:00"]}
WEEK = ("--from", "2026-06-01T00:00Z", "--to", "2026-06-08T00:00Z")


def run(given: object, *arguments: str, zone: str = "Europe/London") -> Result:
    text = given if isinstance(given, (str, bytes)) else json.dumps(given)
    asked = ["preview", "--zone", zone, *arguments]
    return CliRunner().invoke(schedules, asked, input=text)


def refused(given: object, *arguments: str, zone: str = "Europe/London") -> str:
    """Return the one sentence on standard error, nothing else being said."""
    found = run(given, *arguments, zone=zone)
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr.startswith("Error: ")
    assert found.stderr.count("\n") == 1
    return found.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_every_worked_example(row: Row) -> None:
    window = ["--from", row["window_from_utc"]]
    if row["window_to_utc"]:
        window += ["--to", row["window_to_utc"]]
    told = json.loads(run(row["rule"], *window, zone=row["zone"]).stdout)
    if row["rule"]["kind"] == "prn":
        assert told == {"next_allowed_utc": row["expected_utc"][0]}
        return
    assert [one["due_utc"] for one in told] == row["expected_utc"]
    assert [one["local"] for one in told] == row["expected_local"]
    assert [one["nominal_date"] for one in told] == row["expected_nominal_date"]
    assert row["expected_dose"] in ([], [one["dose"] for one in told])


def test_it_needs_no_settings() -> None:
    asked = ["--app", "app", "schedules", "preview", "--zone", "UTC", *WEEK]
    bare = {"PATH": os.defpath, "PYTHONTZPATH": "/usr/share/zoneinfo"}
    told = subprocess.run(
        [sys.executable, "-m", "flask", *asked],
        input=json.dumps(DAILY),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=bare,
    )
    assert len(json.loads(told.stdout)) == 7
    assert told.stderr == ""


def test_the_whole_app_has_it_too(web_app: Flask) -> None:
    assert web_app.cli.commands["schedules"] is schedules
    assert is_calculation(["flask", "--app", "app", "schedules", "preview"])
    assert not is_calculation(["flask", "--app", "app", "demo"])


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("", "nothing to read"),
        ("[]", "one JSON object"),
        ("{", "not JSON"),
        ("[" * 100_000, "too deep"),
        ('{"kind": NaN}', "NaN"),
        ('{"kind": "clock", "kind": "prn"}', "kind: is written twice"),
        ('{"count": ' + "9" * 5000 + "}", "digits"),
        (b"\xff\xfe", "UTF-8"),
        ({**DAILY, "dose": 0.1}, "dose: "),
        ({**DAILY, "zone_changes": [{"at": "2026-06-02T00:00Z", "zone": "Mars"}]},
         "zone_changes[0].zone: "),
        ({"kind": "prn"}, "now: "),
        ({"kind": "prn", "now": "2026-06-01T00:00Z", "taken": [8]}, "taken[0]: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_one_sentence(given: object, word: str) -> None:
    window = () if isinstance(given, dict) and given["kind"] == "prn" else WEEK
    assert word in refused(given, *window)


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (("--from", "2026-06-01", "--to", "2026-06-08T00:00Z"), "--from: "),
        (("--from", "2026-06-01T00:00", "--to", "2026-06-08T00:00Z"), "--from: "),
        (("--from", "2026-06-08T00:00Z", "--to", "2026-06-01T00:00Z"), "--to: "),
        (("--from", "1950-06-08T00:00Z", "--to", "2060-06-01T00:00Z"), "100 years"),
        (("--from", "now", "--to", "later"), "--from: "),
    ],
)
def test_windows(window: tuple[str, ...], field: str) -> None:
    assert field in refused(DAILY, *window)


def test_unknown_zones_and_forgotten_options() -> None:
    assert "--zone: " in refused(DAILY, *WEEK, zone="Mars/Olympus")
    assert run(DAILY).exit_code == 2
    assert run(DAILY, "--unknown").exit_code == 2


def test_long_windows() -> None:
    century = ("--from", "2026-06-01T00:00Z", "--to", "2126-05-01T00:00Z")
    told = json.loads(run({**DAILY, "days": {"every": 30}}, *century).stdout)
    assert len(told) == 1217
    often = {"kind": "interval", "first": "2026-06-01T00:00", "interval_hours": 1}
    assert "100,000 doses" in refused(often, *century)


def test_seconds_and_doses_in_words() -> None:
    rule = {**DAILY, "times": [{"at": "08:00", "action": "apply"}], "dose": "½ patch"}
    exact = ("--from", "2026-06-01T07:00:00Z", "--to", "2026-06-01T07:00:01Z")
    (one,) = json.loads(run(rule, *exact).stdout)
    assert one["dose"] == "½ patch"
    del rule["dose"]
    (one,) = json.loads(run(rule, *exact).stdout)
    assert one["dose"] == "apply"


def test_as_needed_without_a_window() -> None:
    given = {"kind": "prn", "now": "2026-06-01T08:00Z", "dose": "5 g"}
    limited = {**given, "max": {"amount": "4 g", "hours": 24}}
    assert json.loads(run(limited).stdout) == {"next_allowed_utc": None}
    assert json.loads(run(given).stdout) == {"next_allowed_utc": given["now"]}
