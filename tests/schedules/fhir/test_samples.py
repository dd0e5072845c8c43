"""What each of the files written by others must give."""

from typing import Any

import pytest

from pillweb.schedules.rules.fhir.reader import read_fhir
from pillweb.schedules.rules.line_text import line_to_json
from tests.schedules.fhir.samples import SAMPLES, TODAY

# For each dosage: the status, what a person must choose, and the line if there is one.
Expected = list[tuple[str, set[str], dict[str, Any] | None]]
EXPECTED: dict[str, Expected] = {
    # 21 days of 28, the week without only in words; no time, no start
    "nhs-complex1": [("active", {"times", "start_date", "text"}, None)],
    "nhs-complex12": [("active", {"dose", "timing"}, None)],
    # twice on each of three days: at which two times?
    "nhs-complex13": [("active", {"times"}, None)],
    # a longest frequency without a frequency breaks tim-8
    "nhs-complex14": [("active", {"times", "max"}, None)],
    # every 6 hours, and before meals as well
    "nhs-complex3": [("active", {"times", "timing", "text"}, None)],
    # its patient instruction is a condition
    "nhs-complex4-alt1": [
        (
            "active",
            {"text"},
            {
                "kind": "prn",
                "start_date": "2026-11-20",
                "dose": "2 tablet",
                "reason": "Migraine",
                "min_interval_minutes": 240,
                "max": {"doses": 6, "hours": 24},
            },
        )
    ],
    "nhs-inter2": [("active", {"times", "max"}, None)],
    "nhs-inter10": [("active", {"dose", "times", "text"}, None)],
    "nhs-simple1": [("active", {"first"}, None)],
    "nhs-simple4": [("active", {"times", "start_date"}, None)],
    "nhs-parallel-sequence": [
        ("active", {"times", "start_date"}, None),
        ("active", {"start_date"}, None),
    ],
    "nhs-sequential-sequence": [("active", {"times", "start_date"}, None)] * 6,
    # the only clean one, and it is over; its extension repeats the codes
    "chmed-dosage-6.2": [
        (
            "completed",
            set(),
            {
                "kind": "clock",
                "start_date": "2026-11-20",
                "times": ["08:00"],
                "dose": "1 piece",
            },
        )
    ],
    "chmed-dosage-6.4": [("completed", {"times"}, None)],
    "chmed-dosage-6.5": [("completed", {"timing"}, None)],
    "chmed-dosage-5.5": [
        ("completed", {"times", "start_date", "timing"}, None),
        ("completed", {"dose", "times", "start_date", "timing"}, None),
    ],
    # one tablet, but the limit stands only in words
    "chemed-as-needed-with-max-dose": [
        (
            "completed",
            {"max", "text"},
            {"kind": "prn", "start_date": "2022-11-01", "dose": "1 tablet"},
        )
    ],
    # by its numbers the evening half would never come
    "chemed-2-7-beloczok": [
        ("active", {"times", "days"}, None),
        ("active", {"times", "start_date"}, None),
    ],
    "chemed-2-1-triatec": [("active", {"times"}, None)],
    "mpd-cefuroxime-steps": [
        ("active", {"first"}, None),
        ("active", {"first", "dose"}, None),
    ],
    "au-medicationstatement-example0": [("active", {"dose", "times"}, None)],
    "au-medicationstatement-example2": [("completed", {"timing", "days"}, None)],
    "aups-basicsummary": [("active", {"dose", "timing"}, None)],
    "aups-noknownx": [],
    "uscore-self-tylenol": [("active", {"dose", "timing"}, None)],
}


def test_every_file_is_expected() -> None:
    assert {file.stem for file in SAMPLES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_gives_what_a_person_would_read_in_it(name: str) -> None:
    readings = read_fhir((SAMPLES / f"{name}.json").read_text("utf-8"), TODAY)
    found = [
        (one.status, set(one.missing), one.line and line_to_json(one.line))
        for one in readings
    ]
    assert found == EXPECTED[name]
    assert not any(one.may_start_reminders for one in readings)
    assert all(one.reasons for one in readings)
    assert [one.index for one in readings] == list(range(len(readings)))


def test_words_are_never_lost() -> None:
    text = (SAMPLES / "nhs-complex1.json").read_text("utf-8")
    (reading,) = read_fhir(text, TODAY)
    words = "subsequent courses repeated after 7-day tablet-free interval"
    assert reading.texts == (words,)
    assert words in " ".join(reading.reasons)
