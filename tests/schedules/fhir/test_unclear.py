"""Dosages that contradict themselves or leave something open: each must be marked."""

from copy import deepcopy

import pytest

from tests.schedules.fhir.no_line import NO_LINE, often
from tests.schedules.fhir.samples import (
    EIGHT,
    FIRST,
    FROM,
    NEEDED,
    TWICE,
    Json,
    bundle,
    days,
    dosage,
    mg,
    most,
    read,
    read_one,
    request,
    statement,
)

MARKED: list[tuple[str, Json, set[str]]] = [
    ("needed, without limits", dosage(None, **NEEDED), {"max"}),
    (
        "needed twice a day, 4 at most",
        dosage(often(2, 1, "d"), **NEEDED, maxDosePerPeriod=most(4, "tablet")),
        {"max"},
    ),
    ("needed 3 times a day", dosage(often(3, 1, "d"), **NEEDED), {"max"}),
    (
        "first dose in UTC",
        dosage({**often(1, 8, "h"), "boundsPeriod": {"start": "2026-12-01T06:00:00Z"}}),
        {"zone"},
    ),
    (
        "starts in UTC",
        dosage({**EIGHT, "boundsPeriod": {"start": "2026-12-01T06:00:00Z"}}),
        {"zone"},
    ),
    (
        "extension",
        dosage(
            EIGHT, extension=[{"url": "http://x.example/taper", "valueBoolean": True}]
        ),
        {"timing"},
    ),
]


TEXTS: list[tuple[Json, str]] = [
    (EIGHT, "2 tablets at 8am"),
    (EIGHT, "half a tablet at 8am"),
    (EIGHT, "1 to 2 tablets at 8am"),
    (EIGHT, "10 mg at 8am"),
    (EIGHT, "1 tablet (10 mg) at 8am"),
    (EIGHT, "1 capsule (2.5 mg) at 8am"),
    (EIGHT, "1 tablet weekly"),
    (EIGHT, "1 tablet at weekends"),
    (EIGHT, "then 1 tablet at 8am"),
    ({"when": ["CM"]}, "1 tablet with breakfast and dinner"),
    (EIGHT, "1 tablet on alternate Mondays"),
    ({"when": ["CM", "HS"]}, "1 tablet in the morning"),
    ({"when": ["CM", "HS"]}, "1 tablet at bedtime"),
    (EIGHT, "1 tablet at 9am"),
    (EIGHT, "1 tablet at 8pm"),
    (EIGHT, "1 tablet in the evening"),
    (EIGHT, "1 tablet in the morning and evening"),
    (EIGHT, "1 tablet twice a day"),
    (EIGHT, "1 tablet every 8 hours"),
    (EIGHT, "1 tablet every other day"),
    (EIGHT, "1 tablet on alternate days"),
    (EIGHT, "1 tablet once a week"),
    (EIGHT, "1 tablet on Mondays"),
    (EIGHT, "1 tablet at 8am for 7 days"),
    (EIGHT, "1 tablet at 8am until 7 December"),
    (EIGHT, "1 tablet at 8am, 14 doses"),
    (EIGHT, "1 tablet when needed"),
    (EIGHT, "1 tablet at bedtime"),
    (EIGHT, "1 tablet 30 minutes before breakfast"),
    (EIGHT, "1 tablet at 8am, then stop"),
    (EIGHT, "1 tablet at 8am, then 2 tablets"),
    (EIGHT, "1 tablet at 8am except on Sundays"),
    (EIGHT, "1 tablet at 8am unless dizzy"),
    (EIGHT, "only if the pressure is high"),
    (EIGHT, "do not take"),
    (EIGHT, "stop after the operation"),
    (EIGHT, "maximum 2 tablets a day"),
    (EIGHT, "eine Tablette morgens"),
    (EIGHT, "une fois par jour"),
    (EIGHT, "قرص واحد صباحا"),
    (EIGHT, "as directed"),
    (EIGHT, "21 days on, 7 days off"),
    (TWICE, "1 tablet daily"),
    (TWICE, "1 tablet at 8am"),
    (TWICE, "1 tablet in the morning"),
    (TWICE, "1 tablet three times a day"),
    (TWICE, "2 tablets in the morning and 1 in the evening"),
    ({**EIGHT, "dayOfWeek": ["mon", "thu"]}, "1 tablet on Mondays at 8am"),
    ({**EIGHT, "dayOfWeek": ["mon"]}, "1 tablet daily"),
    ({**EIGHT, **FROM, **often(1, 2, "d")}, "1 tablet every day"),
    ({**EIGHT, **FROM, **often(1, 2, "wk")}, "1 tablet every 3 weeks"),
    ({**EIGHT, **FROM, **often(1, 1, "mo")}, "1 tablet every 2 months"),
    ({**FIRST, **often(1, 8, "h")}, "1 tablet every 6 hours"),
    ({**FIRST, **often(1, 8, "h")}, "1 tablet twice a day"),
    ({"when": ["ACM"], "offset": 30}, "1 tablet with food"),
    ({"when": ["ACM"], "offset": 30}, "1 tablet an hour before breakfast"),
    ({"when": ["CM"]}, "1 tablet with dinner"),
]


@pytest.mark.parametrize(
    ("given", "missing"), [one[1:] for one in NO_LINE], ids=[one[0] for one in NO_LINE]
)
def test_what_must_be_chosen_is_never_guessed(given: Json, missing: set[str]) -> None:
    reading = read_one(given)
    assert reading.line is None
    assert missing <= set(reading.missing)
    assert reading.reasons
    assert not reading.may_start_reminders


@pytest.mark.parametrize(
    ("given", "missing"), [one[1:] for one in MARKED], ids=[one[0] for one in MARKED]
)
def test_a_doubt_beside_a_clear_line_is_told(given: Json, missing: set[str]) -> None:
    reading = read_one(given)
    assert reading.line is not None
    assert set(reading.missing) == missing
    assert reading.reasons
    assert not reading.may_start_reminders


@pytest.mark.parametrize(("repeat", "text"), TEXTS)
@pytest.mark.parametrize("place", ["text", "patientInstruction", "additional", "code"])
def test_words_that_say_more_or_other_are_told(
    repeat: Json, text: str, place: str
) -> None:
    given = deepcopy(dosage(repeat))
    if place == "additional":
        given["additionalInstruction"] = [{"coding": [{"display": text}]}]
    elif place == "code":
        given["timing"]["code"] = {"text": text}
    else:
        given[place] = text
    reading = read_one(given)
    assert reading.line is not None
    assert reading.missing == ("text",)
    assert reading.texts == (text,)
    assert not reading.may_start_reminders


def test_a_note_holds_for_each_dosage() -> None:
    notes = [{"text": "Increase to 2 tablets after a week."}]
    parts = dosage(EIGHT), dosage({"timeOfDay": ["20:00:00"]})
    readings = read(request(*parts, note=notes))
    assert [one.missing for one in readings] == [("text",), ("text",)]


def test_a_timing_code_leaves_the_times_to_a_person() -> None:
    given = dosage(TWICE)
    system = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
    given["timing"]["code"] = {"coding": [{"system": system, "code": "BID"}]}
    reading = read_one(given)
    assert (reading.line, reading.missing) == (None, ("times",))


def test_several_events_are_checked() -> None:
    given = dosage()
    given["timing"] = {"event": ["2026-12-20T09:00:00+01:00", "2026-12-21"]}
    assert read_one(given).missing == ("timing",)
    given["timing"] = {"event": ["2026-12-20"]}
    assert read_one(given).missing == ("times",)
    given["timing"] = {"event": ["2026-12-20T09:00:00+01:00"], "repeat": EIGHT}
    assert read_one(given).missing == ("timing",)


@pytest.mark.parametrize("where", ["resource", "dosage", "timing", "repeat", "dose"])
def test_a_modifier_changes_everything(where: str) -> None:
    given = deepcopy(request(dosage(EIGHT, doseAndRate=mg(5))))
    part = given["dosageInstruction"][0]
    holder = {
        "resource": given,
        "dosage": part,
        "timing": part["timing"],
        "repeat": part["timing"]["repeat"],
        "dose": part["doseAndRate"][0],
    }[where]
    holder["modifierExtension"] = [{"url": "http://x.example/not"}]
    (reading,) = read(given)
    assert "timing" in reading.missing
    assert not reading.may_start_reminders


def test_a_step_without_an_end_stops_those_after_it() -> None:
    steps = [
        dosage({**EIGHT, **FROM}, sequence=1),
        dosage({"timeOfDay": ["20:00:00"]}, sequence=2),
    ]
    first, second = read(request(*steps))
    assert first.missing == ("days",)
    assert first.line is not None
    assert (second.line, second.missing) == (None, ("start_date",))


def test_steps_with_a_start_that_is_not_told() -> None:
    steps = [
        dosage({**EIGHT, "boundsDuration": days(3)}, sequence=1, doseAndRate=mg(40)),
        dosage(EIGHT, sequence=2, doseAndRate=mg(20)),
    ]
    for reading in read(request(*steps)):
        assert (reading.line, reading.missing) == (None, ("start_date",))


def test_some_numbered_and_some_not() -> None:
    parts = [dosage(EIGHT, sequence=1), dosage({"timeOfDay": ["20:00:00"]})]
    assert all("timing" in one.missing for one in read(request(*parts)))


def test_two_at_one_instant_are_told() -> None:
    for repeat in (EIGHT, {**EIGHT, "dayOfWeek": ["mon"]}):
        readings = read(request(dosage(EIGHT), dosage(repeat, doseAndRate=mg(5))))
        assert [one.missing for one in readings] == [("times",), ("times",)]
        assert not any(one.may_start_reminders for one in readings)


def test_one_medicine_in_two_entries_is_not_taken_twice() -> None:
    given = bundle(request(dosage(EIGHT)), {**request(dosage(EIGHT)), "id": "again"})
    assert [one.missing for one in read(given)] == [("times",), ("times",)]
    over = {**statement(dosage(EIGHT)), "status": "completed"}
    over["medicationCodeableConcept"] = {"text": "Amlodipine 5 mg tablet"}
    readings = read(bundle(request(dosage(EIGHT)), over))
    assert [one.missing for one in readings] == [(), ()]
