"""Nothing in a file can break the reading of it, or be left out unseen."""

import json
import pathlib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pillweb.schedules.rules.fhir.reader import Reading, read_fhir
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from tests.schedules.fhir.samples import (
    DOSE,
    SAMPLES,
    START,
    TODAY,
    Json,
    bundle,
    dosage,
    most,
    read,
    request,
    statement,
)

Path = tuple[str | int, ...]
FULL = [
    request(
        dosage({"timeOfDay": ["08:00:00"], "boundsPeriod": {**START, "end": "2027"}}),
        dosage({"when": ["ACM", "HS"], "offset": 30}, sequence=1, text="1 tablet"),
    ),
    statement(
        dosage(
            {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"},
            asNeededCodeableConcept={"text": "pain", "coding": [{"display": "ache"}]},
            maxDosePerPeriod=most(4, "tablet"),
            additionalInstruction=[{"text": "with water"}],
        ),
        effectivePeriod=START,
        note=[{"text": "with food"}],
    ),
]


def sample(file: pathlib.Path) -> Json:
    """Return a sample with the medicines alone: the rest of a summary is not read."""
    found: Json = json.loads(file.read_text("utf-8"))
    if "entry" in found:
        found["entry"] = [
            entry
            for entry in found["entry"]
            if entry["resource"]["resourceType"].startswith("Medic")
        ]
    return found


EXAMPLES: list[Json] = [
    *(sample(file) for file in sorted(SAMPLES.glob("*.json"))),
    *FULL,
    bundle(*FULL),
]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
        st.sampled_from(["2026-12-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "d"]),
        st.sampled_from([0, 1, -1, 1e-7, 1e300, 10**9, 10**8, 36600, "08:00:00", "HS"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "code", "x", "text"]), inner)
    ),
    max_leaves=4,
)


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, inner in entries:
        yield from paths(inner, (*path, key))


def holder_of(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON
    for key in path[:-1]:
        value = value[key]
    return value


def is_told_whole(reading: Reading) -> bool:
    """Say whether a reading keeps its own promises."""
    line = reading.line
    if line is not None and line_from_json(line_to_json(line)) != line:
        return False
    if reading.needs_checking and (reading.may_start_reminders or not reading.reasons):
        return False
    if not reading.needs_checking and line is None:
        return False
    json.dumps(reading.as_json())
    return "We cannot read this entry." not in reading.reasons


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_change_of_a_file_breaks_the_reading(data: st.DataObject) -> None:
    example = deepcopy(data.draw(st.sampled_from(EXAMPLES)))
    for _ in range(data.draw(st.integers(1, 3))):
        some = list(paths(example))
        if not some:
            break
        path = data.draw(st.sampled_from(some))
        holder = holder_of(example, path)
        if data.draw(st.booleans()):
            holder[path[-1]] = data.draw(VALUES)
        else:
            del holder[path[-1]]
    try:
        readings = read_fhir(json.dumps(example), TODAY)
    except ValueError as problem:
        assert str(problem)  # noqa: PT017 - either answer is right
        return
    assert all(is_told_whole(one) for one in readings)


REDUNDANT = {  # what says again what stands beside it
    "text",
    "unit",
    "system",
    "code",
    "sequence",
    "frequency",
    "period",
    "periodUnit",
    "asNeededBoolean",
    "intent",
    "id",
    "subject",
    "reference",
    "status",
}


@pytest.mark.parametrize(
    "repeat",
    [
        {"timeOfDay": ["08:00:00"], "boundsPeriod": {**START, "end": "2026-12-07"}},
        {"timeOfDay": ["08:00:00", "20:00:00"], "dayOfWeek": ["mon", "thu"]},
        {"timeOfDay": ["08:00:00"], "count": 9, "boundsPeriod": START},
        {"when": ["ACM"], "offset": 30, "boundsPeriod": START},
        {
            "frequency": 1,
            "period": 8,
            "periodUnit": "h",
            "boundsPeriod": {"start": "2026-12-01T06:00:00+00:00"},
        },
        {
            "timeOfDay": ["08:00:00"],
            "frequency": 1,
            "period": 3,
            "periodUnit": "d",
            "boundsPeriod": START,
        },
    ],
)
def test_what_is_taken_away_is_missed(repeat: Json) -> None:
    whole = request(dosage(repeat))
    (before,) = read(whole)
    assert not before.needs_checking
    for path in list(paths(whole)):
        less = deepcopy(whole)
        del holder_of(less, path)[path[-1]]
        if path[0] not in ("dosageInstruction", "medicationCodeableConcept"):
            continue
        for after in read(less):
            if not after.needs_checking and after.line == before.line:
                assert path[-1] in REDUNDANT, path


def test_a_rhythm_that_is_counted_is_never_redundant() -> None:
    repeat = {"frequency": 1, "period": 3, "periodUnit": "d", "boundsPeriod": START}
    whole = dosage({**repeat, "timeOfDay": ["08:00:00"]})
    (before,) = read(request(whole))
    for key in ("period", "periodUnit", "boundsPeriod", "timeOfDay"):
        less = deepcopy(whole)
        del less["timing"]["repeat"][key]
        (after,) = read(request(less))
        assert after.needs_checking or after.line != before.line


def test_one_bad_entry_leaves_its_neighbours() -> None:
    bad = {"resourceType": "MedicationRequest", "dosageInstruction": 7, "status": []}
    good = request(dosage({"timeOfDay": ["08:00:00"]}))
    readings = read(bundle(bad, good))
    assert [one.needs_checking for one in readings] == [True, False]
    assert set(readings[0].missing) == {"medication", "status", "timing", "dose"}


def test_a_large_bundle_is_read_in_one_go() -> None:
    many = [
        {**request(dosage({"timeOfDay": ["08:00:00"]})), "id": f"m{number}"}
        for number in range(500)
    ]
    for number, one in enumerate(many):
        one["medicationCodeableConcept"] = {"text": f"Medicine {number}"}
    assert len(read(bundle(*many))) == 500


@pytest.mark.parametrize("words", ["take one ", "as needed for a ", "1", "ab "])
def test_a_very_long_text_is_told_and_not_compared(words: str) -> None:
    text = words * 200_000
    given = request(dosage({"timeOfDay": ["08:00:00"]}, text=text), note=[])
    assert read(given)[0].missing == ("text",)
    del given["dosageInstruction"][0]["timing"]["repeat"]["timeOfDay"]
    assert read(given)[0].line is None
    given["medicationCodeableConcept"]["text"] = text
    assert read(given)[0].needs_checking


def test_amounts_are_never_binary_fractions() -> None:
    text = json.dumps(request(dosage({"timeOfDay": ["08:00:00"]}, doseAndRate=DOSE)))
    text = text.replace('"value": 1,', '"value": 0.1000,')
    (reading,) = read_fhir(text, TODAY)
    assert reading.line is not None
    assert reading.line.dose is not None
    assert (reading.line.dose.text, str(reading.line.dose.amount)) == (
        "0.1 tablet",
        "0.1",
    )
