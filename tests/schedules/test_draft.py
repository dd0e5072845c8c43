"""What a draft knows, what it asks next, and that a plan goes through it unchanged."""

import json
from typing import Any

import pytest

from pillweb.schedules.rules.draft import (
    Answers,
    Part,
    answered,
    answers_from_json,
    answers_of,
    answers_to_json,
    how_of,
    line_of,
    lines_of,
    next_question,
    part_of,
    with_how,
)
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.line_text import line_to_json
from pillweb.schedules.rules.slots import is_same

DAILY = {"kind": "clock", "start_date": "2026-11-20"}
EIGHT = {"at": "08:00", "dose": "1"}
PLANS: list[tuple[str, dict[str, Any]]] = [
    ("clock", {**DAILY, "times": [EIGHT]}),
    ("clock", {**DAILY, "times": [{**EIGHT, "slot": 4}], "next_slot": 9}),
    ("clock", {**DAILY, "times": ["08:00", "20:00"], "dose": "0.5", "count": 14}),
    ("clock", {**DAILY, "times": [EIGHT], "days": {"cycle": [21, 7]}}),
    ("clock", {**DAILY, "times": [EIGHT], "pauses": [{"from": "2026-11-21"}]}),
    ("clock", {**DAILY, "times": [EIGHT], "zone_policy": "home", "window_min": 30}),
    ("meals", {**DAILY, "times": [{"meal": "dinner", "offset_min": -7, "dose": "1"}]}),
    ("changing", {**DAILY, "times": [{**EIGHT, "weekdays": ["mon"]}]}),
    ("changing", {**DAILY, "times": [{**EIGHT, "day_parity": 1}]}),
    ("patch", {**DAILY, "times": [{**EIGHT, "action": "remove"}]}),
    ("patch", {**DAILY, "times": ["08:00"], "dose": "1", "action": "apply"}),
    (
        "steps",
        {
            **DAILY,
            "steps": [
                {"days": 3, "times": [{**EIGHT, "slot": 2}]},
                {"days": None, "times": [EIGHT, {"meal": "dinner", "dose": "2"}]},
            ],
        },
    ),
    (
        "interval",
        {
            "kind": "interval",
            "first": "2026-11-20T08:00",
            "interval_hours": 8,
            "dose": "2",
        },
    ),
    ("prn", {"kind": "prn", "dose": "1 g", "min_interval_minutes": 240}),
    ("once", {"kind": "once", "at": "2026-11-20T08:00", "dose": "1"}),
]


@pytest.mark.parametrize(("how", "rule"), PLANS)
def test_a_plan_goes_through_a_draft_unchanged(how: str, rule: dict[str, Any]) -> None:
    line = line_from_json(rule)
    given = json.dumps(rule)
    answers = answers_of([line_to_json(line), rule], {"name": "Ramipril"}, base=3)
    kept = answers_from_json(json.loads(json.dumps(answers_to_json(answers))))
    assert kept == answers
    assert next_question(kept) is None
    assert [part.how for part in kept.parts] == [how, how]
    assert all(is_same(line, one) for one in lines_of(kept))
    assert json.dumps(rule) == given


def test_a_new_draft_asks_for_the_medicine_and_then_how_it_is_taken() -> None:
    answers = Answers()
    assert next_question(answers) == (0, "medicine")
    answers = answered(answers, 0, "medicine")
    assert next_question(answers) == (0, "how")
    with pytest.raises(ValueError, match="open question"):
        lines_of(answers)


@pytest.mark.parametrize(
    ("how", "asked"),
    [
        ("clock", ["times", "days", "dates"]),
        ("meals", ["times", "days", "dates"]),
        ("changing", ["times", "days", "dates"]),
        ("patch", ["times", "days", "dates"]),
        ("interval", ["interval", "dates"]),
        ("prn", ["needed"]),
        ("once", ["once"]),
        ("steps", ["steps"]),
    ],
)
def test_each_way_has_its_own_questions(how: Any, asked: list[str]) -> None:  # noqa: ANN401
    answers = with_how(Answers(open=()), 0, how)
    found = []
    while (question := next_question(answers)) is not None:
        found.append(question[1])
        answers = answered(answers, *question)
    assert found == asked


def test_another_way_keeps_what_fits_and_forgets_what_does_not() -> None:
    answers = answers_of([PLANS[0][1]], {"name": "Ramipril"})
    assert with_how(answers, 0, "clock") is answers
    assert with_how(answers, 0, "meals").parts[0].line == answers.parts[0].line
    assert with_how(answers, 0, "interval").parts[0].line == {}
    assert with_how(answers, 0, "steps").parts[0].line == {}


@pytest.mark.parametrize(
    ("missing", "kind", "opened"),
    [
        (["times"], "clock", ("times",)),
        (["dose", "start_date"], "clock", ("times", "dates")),
        (["days"], "clock", ("days",)),
        (["first"], "interval", ("dates",)),
        (["max"], "prn", ("needed",)),
        (["min_interval_minutes", "text"], "prn", ("needed", "text")),
        (["zone"], "once", ("once",)),
        (["timing", "dose"], "clock", ("how",)),
        (["timing", "text"], "clock", ("how", "text")),
    ],
)
def test_what_an_import_misses_is_asked(
    missing: list[str], kind: str, opened: tuple[str, ...]
) -> None:
    part = part_of({"kind": kind}, missing=missing, text="as it stood")
    assert part.open == opened
    assert part.text == "as it stood"
    with pytest.raises(ValueError, match="open question"):
        line_of(part)


def test_an_import_without_structure_or_name_asks_for_both() -> None:
    answers = answers_of([None], {}, missing=[["medication", "timing"]], texts=["x"])
    assert answers.open == ("medicine",)
    assert answers.parts == (Part(text="x"),)
    assert how_of({}) is None
