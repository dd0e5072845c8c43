"""A dose without a record: the leaflet first, then the general words, else ask."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pillweb.schedules.rules.line import (
    EveryDays,
    InCycle,
    Line,
    OnWeekdays,
    Step,
    TimeOfDay,
)
from pillweb.schedules.rules.missed import (
    ASK,
    GENERAL,
    NEVER_TWO,
    NEXT_IS_DUE,
    days_without_record,
    missed_advice,
)

TODAY = date(2026, 11, 20)
EIGHT = (TimeOfDay(at=time(8)),)
ODD_AND_EVEN = tuple(TimeOfDay(at=time(8), day_parity=parity) for parity in (0, 1))
DAILY = Line(kind="clock", start_date=TODAY, times=EIGHT)
ORDINARY: dict[str, Any] = {
    "leaflet": "",
    "medicine_class": "ordinary",
    "is_dangerous": False,
    "days_without": 1,
    "next_is_due": False,
}


def test_general_words_are_those_of_the_leaflets() -> None:
    said = " ".join(missed_advice(DAILY, **ORDINARY).sentences)
    assert said == (
        "Take it as soon as you remember. If it is nearly time for your next dose, "
        "leave out the missed one and take the next at the usual time. Never take 2 "
        "doses at the same time to make up for a forgotten one. Check the leaflet or "
        "ask your pharmacist."
    )


def test_when_the_next_is_due_nobody_is_told_to_take_the_missed_one() -> None:
    said = missed_advice(DAILY, **ORDINARY | {"next_is_due": True}).sentences
    assert said == (NEXT_IS_DUE, *NEVER_TWO)


def test_the_leaflet_comes_before_everything() -> None:
    facts = {
        "leaflet": "Before midnight: take it.",
        "medicine_class": "high_alert",
        "days_without": 3,
    }
    said = missed_advice(DAILY, **ORDINARY | facts)
    assert said.leaflet == "Before midnight: take it."
    assert said.sentences == NEVER_TWO


@pytest.mark.parametrize(
    "facts",
    [
        {"medicine_class": "high_alert"},
        {"medicine_class": "time_critical"},
        {"is_dangerous": True},
        {"days_without": 2},
    ],
)
def test_a_special_medicine_or_a_second_day_is_asked_about(
    facts: dict[str, Any],
) -> None:
    said = missed_advice(DAILY, **ORDINARY | facts).sentences
    assert said == (ASK, *NEVER_TWO)


@pytest.mark.parametrize(
    ("line", "general"),
    [
        (DAILY, True),
        (Line(kind="interval", interval_hours=Decimal(8)), True),
        (Line(kind="interval", interval_hours=Decimal(72)), False),
        (Line(kind="clock", days=EveryDays(2), times=EIGHT), False),
        (Line(kind="clock", days=OnWeekdays((0,)), times=EIGHT), False),
        (Line(kind="clock", days=InCycle(21, 7), times=EIGHT), False),
        (Line(kind="clock", times=ODD_AND_EVEN), False),
        (Line(kind="clock", times=(TimeOfDay(at=time(8), weekdays=(0,)),)), False),
        (Line(kind="clock", steps=(Step(None, EIGHT),)), False),
        (Line(kind="once", at=datetime(2026, 11, 20, 8)), False),  # noqa: DTZ001
    ],
)
def test_only_what_is_taken_every_day_has_general_words(
    line: Line, general: bool
) -> None:
    said = missed_advice(line, **ORDINARY).sentences
    assert (said[: len(GENERAL)] == GENERAL) is general
    assert (ASK in said) is not general


def test_days_in_a_row_are_counted_back_to_the_last_record() -> None:
    def ago(days: int) -> date:
        return TODAY - timedelta(days=days)

    some = [(ago(0), False), (ago(1), False), (ago(1), False), (ago(2), True)]
    assert days_without_record(some, on=TODAY) == 2
    assert days_without_record([*some, (ago(0), True)], on=TODAY) == 0
    assert days_without_record([(ago(0), False), (ago(2), False)], on=TODAY) == 1
