"""The limits in words: last taken, next allowed, and the last one before a pause."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pillweb.base.zones import local, zone
from pillweb.medications.rules import Ingredient
from pillweb.schedules.rules.dose import read_dose
from pillweb.schedules.rules.guard import Medicine, Taking
from pillweb.schedules.rules.guard_words import (
    Allowance,
    allowance,
    moment_words,
    question,
)
from pillweb.schedules.rules.line import Line, Prn, PrnLimit

AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
HELD = (Ingredient("paracetamol", "500 mg"),)
PARACETAMOL = Medicine(1, "Paracetamol", "tablet", HELD)
CO_CODAMOL = Medicine(2, "Co-codamol", "tablet", HELD)
UNKNOWN = Medicine(3, "Cold relief", "sachet", (Ingredient("paracetamol", ""),))
LINE = Line(
    kind="prn",
    dose=read_dose("2 tablets"),
    prn=Prn(
        min_interval_minutes=240,
        max=PrnLimit(Decimal(24), amount=read_dose("4 g")),
    ),
)


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (0, "1.30am (the first time)"),
        (1, "1.30am (the second time)"),
        (2, "2.30am"),
    ],
)
def test_a_time_that_the_clocks_show_twice_says_which(hour: int, words: str) -> None:
    moment = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    here = local(moment, zone("Europe/London"))
    assert moment_words(here, here) == words


def when(moment: datetime) -> str:
    return moment_words(moment, AT)


def taken(
    *hours_ago: float, medicine: Medicine = PARACETAMOL, dose: str = "2 tablets"
) -> list[Taking]:
    return [Taking(medicine, AT - HOUR * ago, read_dose(dose)) for ago in hours_ago]


def told(some: list[Taking]) -> Allowance:
    return allowance(LINE, PARACETAMOL, some, now=AT, when=when)


def asked(some: list[Taking], dose: str = "2 tablets") -> str:
    return question(LINE, PARACETAMOL, some, at=AT, dose=read_dose(dose), when=when)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0, "2.30pm"),
        (10, "12.30am tomorrow"),
        (-15, "11.30pm yesterday"),
        (48, "2.30pm on Sunday 22 November"),
    ],
)
def test_a_moment_is_told_with_its_day(hours: int, words: str) -> None:
    assert when(AT + hours * HOUR) == words


def test_what_was_never_taken_can_be_taken() -> None:
    assert told([]) == ("", "You can take it now.", "")


def test_too_soon_says_from_when() -> None:
    assert told(taken(1)) == (
        "Last taken 1.30pm.",
        "You can take it again from 5.30pm.",
        "",
    )


def test_the_warning_comes_before_the_last_allowed_dose() -> None:
    assert told(taken(14, 10, 6)).next == (
        "You can take it now. It is the last one allowed until 12.30am tomorrow."
    )
    assert told(taken(14, 10)).next == "You can take it now."


def test_a_medicine_with_the_same_ingredient_is_heard_but_not_last_taken() -> None:
    last, following, _ = told(taken(1, medicine=CO_CODAMOL))
    assert (last, following) == ("", "You can take it again from 5.30pm.")


def test_what_cannot_be_counted_is_said() -> None:
    told_of = told(taken(5, medicine=UNKNOWN, dose="1 sachet"))
    assert told_of.not_counted == (
        "Not counted: Cold relief. We do not know how much one dose holds."
    )


def test_nothing_is_asked_when_all_is_well() -> None:
    assert asked(taken(4)) == ""
    assert asked([]) == ""


def test_too_soon_is_asked_about() -> None:
    assert asked(taken(1)) == (
        "You already recorded this at 1.30pm. Do not take it again before 5.30pm."
    )


def test_too_soon_after_another_medicine_names_it() -> None:
    assert asked(taken(1, medicine=CO_CODAMOL)) == (
        "You already recorded Co-codamol, which holds the same ingredient, at 1.30pm. "
        "Do not take it again before 5.30pm."
    )


def test_over_the_limit_is_asked_about() -> None:
    assert asked(taken(20, 14, 10, 6)).endswith("Do not take it again before 6.30pm.")


def test_more_than_the_plan_says_is_asked_about() -> None:
    assert asked([], "3 tablets") == "The plan says 2 tablets. Do not take more."
    assert asked([], "1 tablet") == ""
    assert asked([], "9 tablets") == "The plan says 2 tablets. Do not take more."


def test_a_second_record_within_minutes_is_asked_about_without_any_limit() -> None:
    free = Line(kind="prn", dose=read_dose("1"), prn=Prn())
    some = taken(0.05)
    found = question(free, PARACETAMOL, some, at=AT, dose=free.dose, when=when)
    assert found == "You already recorded this at 2.27pm. Do not take it again."
    later = AT + timedelta(minutes=5)
    assert question(free, PARACETAMOL, some, at=later, dose=None, when=when) == ""
