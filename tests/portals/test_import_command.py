import json
from pathlib import Path

import pytest
from flask import Flask

from tests.schedules.fhir.samples import SAMPLES, dosage, request

KEYS = [
    "resource",
    "medication",
    "status",
    "dosage",
    "line",
    "needs_checking",
    "missing",
    "reason",
    "may_start_reminders",
]


def test_a_dry_run_prints_each_dosage(app: Flask) -> None:
    file = str(SAMPLES / "nhs-parallel-sequence.json")
    result = app.test_cli_runner().invoke(args=["schedules", "import", file])
    assert result.exit_code == 0
    told = json.loads(result.output)
    assert [list(one) for one in told] == [KEYS, KEYS]
    assert [one["dosage"] for one in told] == [0, 1]
    assert told[0]["resource"] == "MedicationRequest/dosage-parallel-sequence"


def test_a_zone_places_an_instant(app: Flask, tmp_path: Path) -> None:
    given = dosage()
    given["timing"] = {"event": ["2026-12-20T03:00:00Z"]}
    file = tmp_path / "once.json"
    file.write_text(json.dumps(request(given)), "utf-8")
    run = app.test_cli_runner()
    args = ["schedules", "import", str(file)]
    assert json.loads(run.invoke(args=args).output)[0]["missing"] == ["zone"]
    told = json.loads(run.invoke(args=[*args, "--zone", "America/New_York"]).output)
    assert told[0]["line"]["at"] == "2026-12-19T22:00"
    assert not told[0]["needs_checking"]


def test_a_summary_without_medicines_is_an_empty_list(app: Flask) -> None:
    file = str(SAMPLES / "aups-noknownx.json")
    result = app.test_cli_runner().invoke(args=["schedules", "import", file])
    assert (result.exit_code, json.loads(result.output)) == (0, [])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"take one tablet", "not JSON"),
        (b"[1, 2]", "not an object"),
        (b"null", "not an object"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"resourceType": "Patient"}', "Patient"),
        (b'{"resourceType": 7}', "MedicationRequest"),
        (b"{}", "MedicationRequest"),
        (b'{"resourceType": "Bundle", "entry": {}}', "entry"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 400 + b"1" + b"}" * 400, "deep"),
        (b"\xff\xfe{", "UTF-8"),
        (b" " * 20_000_001, "longer than 20 MB"),
    ],
)
def test_a_bad_file_gets_a_sentence(
    raw: bytes, said: str, app: Flask, tmp_path: Path
) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(raw)
    result = app.test_cli_runner().invoke(args=["schedules", "import", str(file)])
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


def test_no_file_gets_a_sentence(app: Flask, tmp_path: Path) -> None:
    args = ["schedules", "import", str(tmp_path / "nothing.json")]
    result = app.test_cli_runner().invoke(args=args)
    assert result.exit_code == 1
    assert "No such file" in result.stderr
