"""A refused answer stands beside its field, with what was typed."""

from html import unescape

import pytest
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.schedules.models import PlanDraft
from tests.schedules.pages import (
    DATED,
    NAME,
    OTHER,
    PLAIN,
    Typed,
    ask_all,
    count,
    fields_of,
    submit,
)
from tests.world import World

NO_NUMBER = "Write a number, such as 1 or 0.5."
TWO_WAYS = "This can be read in two ways. Write 1, or 1000."
NO_TIME = "Write a time such as 8:00 or 8pm."
REFUSED: list[tuple[list[Typed], Typed, str, str]] = [
    ([], {"name": " "}, "name", "Write the medicine's name."),
    ([], {**NAME, "strength": "x" * 61}, "strength", "Use at most 60 characters."),
    ([NAME], {}, "how", "Choose how it is taken."),
    ([NAME, {"how": "clock"}], {}, "at_0", "Write a time."),
    ([NAME, {"how": "clock"}], {**PLAIN, "at_0": "25:00"}, "at_0", NO_TIME),
    ([NAME, {"how": "clock"}], {"at_0": "8"}, "amount_0", "Write how much is taken."),
    ([NAME, {"how": "clock"}], {**PLAIN, "amount_0": "1.000"}, "amount_0", TWO_WAYS),
    ([NAME, {"how": "clock"}], {**PLAIN, "amount_0": "two"}, "amount_0", NO_NUMBER),
    (
        [NAME, {"how": "clock"}],
        {**PLAIN, "amount_0": "10 U"},
        "amount_0",
        'Write "units" in full: a short U can be read as 0.',
    ),
    (
        [NAME, {"how": "clock"}],
        {**PLAIN, "amount_1": "2"},
        "at_1",
        "Write the time, or empty the amount.",
    ),
    (
        [NAME, {"how": "clock"}],
        {**PLAIN, "at_3": "08:00"},
        "at_3",
        "This time is there already.",
    ),
    ([NAME, {"how": "meals"}], {}, "amount_0", "Write how much at one meal."),
    (
        [NAME, *OTHER],
        {"kind": "weekdays"},
        "weekdays",
        "Choose at least one day of the week.",
    ),
    (
        [NAME, *OTHER],
        {"kind": "every", "weekdays": ["mon"]},
        "weekdays",
        "You chose days of the week, and other days too. Choose one.",
    ),
    ([NAME, *OTHER], {"kind": "some"}, "every", "Write every how many days."),
    (
        [NAME, *OTHER],
        {"kind": "month", "month_day": "32"},
        "month_day",
        "Write a whole number from 1 to 31.",
    ),
    (
        [NAME, *OTHER, {"kind": "every"}],
        {**DATED, "end_on": "2026-11-19"},
        "end_on",
        "The last day is before the first day.",
    ),
    (
        [NAME, *OTHER, {"kind": "every"}],
        {"start_on": ""},
        "start_on",
        "Choose the first day.",
    ),
    (
        [NAME, *OTHER, {"kind": "every"}],
        {**DATED, "count": "0"},
        "count",
        "Write a whole number from 1 to 10,000.",
    ),
    (
        [NAME, {"how": "interval"}],
        {"amount": "1", "hours": "0.01"},
        "hours",
        "Write a number of hours, such as 8 or 1.5.",
    ),
    (
        [NAME, {"how": "interval"}, {"amount": "1", "hours": "8"}],
        DATED,
        "start_at",
        "Write the time of the first dose.",
    ),
    (
        [NAME, {"how": "prn"}],
        {"amount": "2", "most": "4 g"},
        "most",
        "Write the most in tablets, as the amount is.",
    ),
    (
        [NAME, {"how": "prn"}],
        {"amount": "2 to 1"},
        "amount",
        "Write the smaller amount first, such as 1 to 2.",
    ),
    ([NAME, {"how": "once"}], {"amount": "1", "at": ""}, "at", "Write the time."),
    ([NAME, {"how": "steps"}], {}, "amount_0", "Write the first step."),
    (
        [NAME, {"how": "steps"}],
        {"amount_0": "1", "days_0": "3"},
        "at_0",
        "Write at what times, such as 8am.",
    ),
    (
        [NAME, {"how": "steps"}],
        {"amount_0": "1", "at_0": "8", "amount_1": "2"},
        "days_0",
        "Write how many days. Only the last step may go on.",
    ),
    (
        [NAME, {"how": "steps"}],
        {"amount_0": "1", "at_0": "8 and 8am"},
        "at_0",
        "One time stands here twice.",
    ),
    (
        [NAME, {"how": "prn"}],
        {"amount": "1", "apart": "often"},
        "apart",
        "Write a number, such as 1 or 0.5.",
    ),
]


@pytest.mark.parametrize(
    ("pages", "typed", "field", "sentence"),
    REFUSED,
    ids=[f"{field}-{place}" for place, (_, _, field, _) in enumerate(REFUSED)],
)
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(  # noqa: PLR0917
    rosa: FlaskClient,
    world: World,
    db: Database,
    pages: list[Typed],
    typed: Typed,
    field: str,
    sentence: str,
) -> None:
    path = ask_all(rosa, world, *pages)
    before = count(db, PlanDraft)
    answer = submit(rosa, path, typed)
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert f'id="{field}-error"><b>Error:</b> {sentence}</p>' in page
    assert f'<a href="#{field}">{sentence}</a>' in page
    assert "<title>Error: " in page
    shown = fields_of(answer.text, path)
    for name, value in typed.items():
        if isinstance(value, str) and value.strip():
            assert shown[name] == [value]
    assert count(db, PlanDraft) == before
