"""Each question of a plan: answered, kept, refused, gone back to."""

from datetime import datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.schedules.models import PlanDraft
from pillweb.schedules.rules.draft import questions_of
from pillweb.schedules.rules.line_json import line_from_json
from pillweb.schedules.rules.slots import is_same
from pillweb.schedules.rules.words import in_words
from tests.schedules.pages import (
    DATED,
    NAME,
    OTHER,
    PLAIN,
    Typed,
    ask_all,
    count,
    fields_of,
    follow,
    lines_of,
    medicine_url,
    medicines_url,
    newest,
    newest_draft,
    send,
    submit,
    take_as,
)
from tests.schedules.test_draft import PLANS
from tests.world import World, signed_in

WAYS: list[tuple[list[Typed], str]] = [
    (
        [{"how": "clock"}, {**PLAIN, "at_1": "20:00"}],
        "1 tablet at 8am and 8pm, every day",
    ),
    (
        [
            {"how": "clock"},
            {**PLAIN, "amount_0": "½", "at_1": "20:00", "amount_1": "40 mg"},
        ],
        "half a tablet at 8am and 40 mg at 8pm, every day",
    ),
    (
        [{"how": "meals"}, {"amount_1": "8", "amount_3": "10", "amount_4": "20"}],
        (
            "8 tablets with breakfast, 10 tablets with dinner"
            " and 20 tablets at bedtime, every day"
        ),
    ),
    (
        [{"how": "meals"}, {"amount_1": "1", "offset_1": "-30"}],
        "1 tablet, 30 minutes before breakfast, every day",
    ),
    (
        [
            {"how": "interval"},
            {"amount": "2", "hours": "8"},
            {**DATED, "start_at": "8am", "count": "21"},
        ],
        "2 tablets every 8 hours, day and night, 21 doses in all",
    ),
    (
        [
            {"how": "prn"},
            {
                "amount": "1 to 2",
                "reason": "pain",
                "apart": "4",
                "doses": "4",
                "most": "8",
            },
        ],
        (
            "1 to 2 tablets when needed for pain, at least 4 hours apart,"
            " at most 4 doses and 8 tablets in 24 hours"
        ),
    ),
    (
        [{"how": "once"}, {"amount": "1", "on": "2026-11-21", "at": "9"}],
        "1 tablet once, at 9am on 21 November 2026",
    ),
    (
        [
            {"how": "steps"},
            {
                **DATED,
                "amount_0": "40 mg",
                "days_0": "3",
                "at_0": "8am and 8pm",
                "amount_1": "0,5",
            },
        ],
        "40 mg at 8am and 8pm for 3 days, then half a tablet at 8am and 8pm, every day",
    ),
    (
        [
            {"how": "changing"},
            {
                "at_0": "18:00",
                "amount_0": "3 mg",
                "parity_0": "0",
                "at_1": "18:00",
                "amount_1": "4 mg",
                "parity_1": "1",
            },
        ],
        (
            "3 mg at 6pm on the first of every 2 days"
            " and 4 mg at 6pm on the second of every 2 days"
        ),
    ),
    (
        [
            {"how": "changing"},
            {
                "at_0": "18:00",
                "amount_0": "3 mg",
                "weekdays_0": ["sat", "sun"],
                "at_1": "18:00",
                "amount_1": "4 mg",
                "weekdays_1": ["mon", "tue", "wed", "thu", "fri"],
            },
        ],
        (
            "3 mg at 6pm on Saturdays and Sundays and 4 mg at 6pm on Mondays, Tuesdays,"
            " Wednesdays, Thursdays and Fridays"
        ),
    ),
    (
        [
            {"how": "patch"},
            {"at_0": "9am", "amount_0": "1 patch", "at_1": "9pm"},
        ],
        "apply 1 patch at 9am and remove 1 patch at 9pm, every day",
    ),
]


DAYS: list[tuple[Typed, str]] = [
    ({"kind": "every"}, "every day"),
    ({"kind": "weekdays", "weekdays": ["mon", "thu"]}, "on Mondays and Thursdays"),
    (
        {"kind": "weekdays", "weekdays": ["thu"], "weeks": "2"},
        "every 2 weeks on Thursdays",
    ),
    ({"kind": "some", "every": "2"}, "every 2 days"),
    (
        {"kind": "month", "month_day": "15", "months": "3"},
        "on the 15th, every 3 months",
    ),
    ({"kind": "month", "month_day": "1"}, "on the 1st of every month"),
    ({"kind": "year", "year_on": "2027-03-05"}, "on 5 March, once a year"),
    (
        {"kind": "cycle", "on": "21", "off": "7"},
        "21 days with doses, then 7 days without",
    ),
]


@pytest.mark.parametrize(("pages", "words"), WAYS)
def test_every_way_of_taking_it_can_be_said(
    rosa: FlaskClient, world: World, db: Database, pages: list[Typed], words: str
) -> None:
    check = ask_all(rosa, world, NAME, *pages)
    assert check.endswith(f"/drafts/{newest_draft(db)[0].id}")
    assert words[1:] in unescape(rosa.get(check).text)
    submit(rosa, check)
    assert [in_words(line, "tablet") for line in newest(db)[1]] == [words]


@pytest.mark.parametrize(("typed", "words"), DAYS)
def test_every_kind_of_days_can_be_said(
    rosa: FlaskClient, world: World, db: Database, typed: Typed, words: str
) -> None:
    check = ask_all(rosa, world, NAME, *OTHER, typed, {"end_on": "2027-06-07"})
    submit(rosa, check)
    (line,) = newest(db)[1]
    assert in_words(line, "tablet") == f"1 tablet at 8am, {words}, until 7 June 2027"
    expected = "2027-03-05" if typed["kind"] == "year" else "2026-11-20"
    assert f"{line.start_date}" == expected


def test_one_tablet_every_morning_takes_four_pages(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    check = ask_all(rosa, world, NAME, {"how": "clock"}, PLAIN)
    page = rosa.get(check).text
    assert "<h1>Check your answers</h1>" in page
    assert "from 20 November 2026, it goes on" in page


def test_a_row_is_added_and_removed_without_losing_the_others(
    rosa: FlaskClient, world: World
) -> None:
    path = ask_all(rosa, world, NAME, {"how": "steps"})
    typed = {"amount_0": "40 mg", "amount_1": "nonsense", "amount_2": "10 mg"}
    added = submit(rosa, path, {**typed, "add": "1"})
    assert added.status_code == 200
    shown = fields_of(added.text, path)
    assert [shown[f"amount_{row}"] for row in range(4)] == [
        ["40 mg"],
        ["nonsense"],
        ["10 mg"],
        [""],
    ]
    fewer = rosa.post(path, data={**shown, "remove": "1"})
    shown = fields_of(fewer.text, path)
    assert [shown[f"amount_{row}"] for row in range(3)] == [["40 mg"], ["10 mg"], [""]]
    assert "amount_3" not in shown


def test_going_back_shows_the_answers_that_were_given(
    rosa: FlaskClient, world: World
) -> None:
    path = ask_all(rosa, world, NAME, {"how": "clock"}, {**PLAIN, "span": "other"})
    draft = path.rpartition("/0/")[0]
    assert fields_of(rosa.get(f"{draft}/0/medicine").text, f"{draft}/0/medicine")[
        "name"
    ] == ["Ramipril"]
    times = f"{draft}/0/times"
    shown = fields_of(rosa.get(times).text, times)
    assert (shown["at_0"], shown["amount_0"]) == (["08:00"], ["1"])
    assert f'href="{times}"' in rosa.get(path).text


def test_pressing_twice_begins_one_draft(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    path = f"{medicines_url(world)}/new"
    fields = fields_of(rosa.get(path).text, path) | {"name": ["Ramipril"]}
    leads = {rosa.post(path, data=fields).location for _ in range(3)}
    assert len(leads) == 1
    assert count(db, PlanDraft) == 1


def test_a_draft_outlives_sign_out_and_a_month(
    rosa: FlaskClient,
    app: Flask,
    world: World,
    now: datetime,
    pinned: time_machine.Traveller,
) -> None:
    path = ask_all(rosa, world, NAME, {"how": "clock"})
    pinned.move_to(now + timedelta(days=40))
    later = signed_in(app, world.marta, now=now + timedelta(days=40))
    page = later.get(medicines_url(world)).text
    assert "Not finished yet" in page
    assert "Ramipril" in page
    draft = path.rpartition("/0/")[0]
    assert follow(later, later.get(draft)) == path


def test_a_draft_can_be_thrown_away_and_stays_so(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    draft = ask_all(rosa, world, NAME, {"how": "clock"}).rpartition("/0/")[0]
    for _ in range(2):
        answer = send(rosa, f"{draft}/throw-away")
        assert answer.location == medicines_url(world)
    assert "Not finished yet" not in rosa.get(medicines_url(world)).text
    for path in (draft, f"{draft}/0/times"):
        assert rosa.get(path).location == medicines_url(world)
        assert send(rosa, path, PLAIN).location == medicines_url(world)
    assert newest_draft(db)[0].answers == "{}"


def test_what_is_no_question_of_a_plan_is_not_found(
    rosa: FlaskClient, world: World
) -> None:
    draft = ask_all(rosa, world, NAME, {"how": "once"}).rpartition("/0/")[0]
    for path in ("0/nonsense", "7/once", "7/times"):
        assert rosa.get(f"{draft}/{path}").status_code == 404


def test_a_question_that_another_tab_took_away_leads_to_the_next(
    rosa: FlaskClient, world: World
) -> None:
    draft = ask_all(rosa, world, NAME, {"how": "once"}).rpartition("/0/")[0]
    for answer in (rosa.get(f"{draft}/0/times"), send(rosa, f"{draft}/0/times", PLAIN)):
        assert answer.status_code == 303
        assert answer.location == f"{draft}/0/once"


@pytest.mark.parametrize(("how", "rule"), PLANS)
def test_saving_every_page_of_a_plan_unchanged_changes_nothing(  # noqa: PLR0917
    rosa: FlaskClient,
    world: World,
    db: Database,
    now: datetime,
    how: str,
    rule: dict[str, object],
) -> None:
    line = line_from_json(rule)
    take_as(db, world, line, line_from_json(PLANS[0][1]), now=now)
    (before, second) = lines_of(db, world.medication)
    check = follow(rosa, send(rosa, f"{medicine_url(world)}/change"))
    for question in questions_of(newest_draft(db)[1].parts[0]):
        page = f"{check}/0/{question}"
        assert follow(rosa, submit(rosa, page)) == check, question
    assert "Nothing is changed yet" in rosa.get(check).text
    submit(rosa, check)
    (after, also) = lines_of(db, world.medication)
    assert is_same(before, after)
    assert is_same(second, also)
