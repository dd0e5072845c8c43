"""The page before a plan holds: what it shows and asks, and that it starts once."""

from datetime import datetime, timedelta
from html import unescape
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from pillweb.base.db import Database
from pillweb.medications.models import Medication
from pillweb.patients.models import Patient
from pillweb.schedules.actions import begin_draft, forget_drafts
from pillweb.schedules.models import Plan, PlanDraft
from pillweb.schedules.queries import oldest_draft
from pillweb.schedules.rules.draft import answers_of
from pillweb.schedules.rules.line_json import line_from_json
from tests.schedules.pages import (
    ask_all,
    count,
    doses,
    fields_of,
    follow,
    lines_of,
    medicine_url,
    medicines_url,
    newest,
    newest_draft,
    replan,
    send,
    submit,
    take_as,
)
from tests.world import World, daily, signed_in

NAME = {"name": "Ramipril", "strength": "2.5 mg", "form": "capsule"}
PLAIN = {"at_0": "8am", "amount_0": "1"}
EMOJI = "Pill \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f48a"
ARABIC = "\u0628\u0627\u0631\u0627\u0633\u064a\u062a\u0627\u0645\u0648\u0644"


@pytest.fixture
def ramipril(rosa: FlaskClient, world: World) -> str:
    """Answer every question of a new medicine; return where they are checked."""
    return ask_all(rosa, world, NAME, {"how": "clock"}, PLAIN)


@pytest.fixture
def change(rosa: FlaskClient, world: World) -> str:
    """Begin to change Rosa's medicine; return where the answers are checked."""
    return follow(rosa, send(rosa, f"{medicine_url(world)}/change"))


def test_a_new_medicine_stands_on_the_list_in_words(
    rosa: FlaskClient, world: World, db: Database, ramipril: str
) -> None:
    before = count(db, Medication)
    assert submit(rosa, ramipril).location == medicines_url(world)
    page = rosa.get(medicines_url(world)).text
    assert "1 capsule at 8am, every day" in page
    assert "Not finished yet" not in page
    row, _ = newest(db)
    assert (row.name, row.strength, row.form) == ("Ramipril", "2.5 mg", "capsule")
    assert count(db, Medication) == before + 1


def test_starting_twice_starts_one(
    rosa: FlaskClient, world: World, db: Database, ramipril: str
) -> None:
    before = count(db, Medication)
    fields = fields_of(rosa.get(ramipril).text, ramipril)
    for _ in range(3):
        assert rosa.post(ramipril, data=fields).location == medicines_url(world)
    assert count(db, Medication) == before + 1


def test_two_presses_at_one_moment_start_one(
    app: Flask, world: World, db: Database, now: datetime, ramipril: str
) -> None:
    before = count(db, Medication)
    clients = [signed_in(app, who, now=now) for who in (world.rosa, world.marta)]
    forms = [fields_of(one.get(ramipril).text, ramipril) for one in clients]
    together = Barrier(2)
    codes: list[int] = []

    def press(number: int) -> None:
        together.wait()
        codes.append(clients[number].post(ramipril, data=forms[number]).status_code)

    threads = [Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [303, 303]
    assert count(db, Medication) == before + 1


def test_two_weeks_are_shown_by_the_patients_clock(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    pages = {"how": "clock"}, {**PLAIN, "at_0": "9am", "span": "other"}
    check = ask_all(
        rosa,
        world,
        NAME,
        *pages,
        {"kind": "some", "every": "2"},
        {"start_on": "2027-03-26"},
    )
    page = " ".join(rosa.get(check).text.split())
    assert page.count("9am: <bdi>1 capsule</bdi>") == 7
    assert page.count('<span class="light">none</span>') == 7
    assert "Sunday 28 March <span>The clocks go forward 1 hour.</span>" in page
    assert "Next: 9am on Friday 26 March" in page


def test_what_is_over_today_is_not_promised(
    rosa: FlaskClient, world: World, ramipril: str, pinned: time_machine.Traveller
) -> None:
    assert "Earlier times of this day are over." not in rosa.get(ramipril).text
    pinned.shift(timedelta(hours=1))
    assert "Earlier times of this day are over." in rosa.get(ramipril).text


def test_an_answer_is_changed_and_leads_back_to_the_check(
    rosa: FlaskClient, ramipril: str
) -> None:
    for question in ("medicine", "more", "how", "times", "days", "dates"):
        assert f'href="{ramipril}/0/{question}"' in rosa.get(ramipril).text
    answer = submit(rosa, f"{ramipril}/0/times", {"at_0": "9pm"})
    assert follow(rosa, answer) == ramipril
    assert "1 capsule at 9pm, every day" in rosa.get(ramipril).text


def test_a_change_tells_was_and_now_and_why(
    rosa: FlaskClient, world: World, db: Database, now: datetime, change: str
) -> None:
    typed = {"amount_0": "½", "at_1": "", "amount_1": ""}
    submit(rosa, f"{change}/0/times", typed)
    said = "Was 1 tablet at 8am and 8pm, now half a tablet at 8am."
    assert said in rosa.get(change).text
    before = count(db, Plan)
    answer = submit(rosa, change, {"why": "Dr Chen said so"})
    assert answer.location == medicines_url(world)
    assert count(db, Plan) == before + 1
    page = unescape(rosa.get(f"{medicine_url(world)}/history").text)
    for words in (said, "Why: <bdi>Dr Chen said so</bdi>", "by <bdi>you</bdi>"):
        assert words in page
    replan(db, now)
    assert doses(db, world)[:2] == [
        ("20 08:00", "open", "1"),
        ("21 08:00", "open", "0.5"),
    ]


def test_a_part_is_added_and_removed_and_the_other_keeps_its_doses(
    rosa: FlaskClient, world: World, db: Database, change: str
) -> None:
    part = follow(rosa, send(rosa, f"{change}/parts"))
    assert part == f"{change}/1/how"
    assert follow(rosa, send(rosa, f"{change}/parts")) == part
    part = follow(rosa, submit(rosa, part, {"how": "prn"}))
    assert follow(rosa, submit(rosa, part, {"amount": "1", "apart": "4"})) == change
    submit(rosa, change)
    lines = lines_of(db, world.medication)
    assert [line.kind for line in lines] == ["clock", "prn"]
    again = follow(rosa, send(rosa, f"{medicine_url(world)}/change"))
    for _ in range(2):
        send(rosa, f"{again}/0/remove", {"parts": "2"})
    page = rosa.get(again).text
    assert "No longer: 1 tablet at 8am and 8pm, every day." in page
    assert "Change the plan from now on" in page


def test_the_same_medicine_twice_is_asked_about(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    check = ask_all(rosa, world, {"name": "amlodipine "}, {"how": "clock"}, PLAIN)
    question = "You already have Amlodipine. Is this the same medicine?"
    page = rosa.get(check).text
    assert question in page
    assert f'href="{medicine_url(world)}"' in page
    before = count(db, Medication)
    assert submit(rosa, check).status_code == 422
    assert count(db, Medication) == before
    key = f"twin_{world.medication}"
    assert submit(rosa, check, {key: "y"}).status_code == 303
    assert count(db, Medication) == before + 1


def test_an_amount_far_above_the_one_before_is_asked_about(
    rosa: FlaskClient, change: str
) -> None:
    submit(rosa, f"{change}/0/times", {"amount_0": "10"})
    question = "The most at one time was 1 tablet. Now it is 10 tablets."
    assert question in rosa.get(change).text
    assert submit(rosa, change).status_code == 422
    assert submit(rosa, change, {"more": "y"}).status_code == 303


def test_a_plan_that_is_no_longer_of_every_day_is_asked_about(
    rosa: FlaskClient, change: str
) -> None:
    submit(rosa, f"{change}/0/days", {"kind": "weekdays", "weekdays": ["mon"]})
    question = "Until now it was every day. Now it is not every day. Is this right?"
    assert question in rosa.get(change).text
    assert submit(rosa, change).status_code == 422
    assert submit(rosa, change, {"days": "y"}).status_code == 303


def test_an_answer_about_a_part_that_another_tab_removed_is_not_kept(
    rosa: FlaskClient, db: Database, change: str
) -> None:
    part = follow(rosa, send(rosa, f"{change}/parts"))
    times = f"{change}/0/times"
    typed = fields_of(rosa.get(times).text, times) | {"at_0": ["6am"]}
    send(rosa, f"{change}/0/remove", {"parts": "2"})
    follow(rosa, submit(rosa, f"{change}/0/how", {"how": "clock"}))
    assert rosa.post(times, data=typed).status_code == 303
    assert "times" not in newest_draft(db)[1].parts[0].line
    assert part.endswith("/1/how")


def test_a_plan_without_a_dose_is_asked_about(rosa: FlaskClient, world: World) -> None:
    once = {"amount": "1", "on": "2026-11-19", "at": "8"}
    check = ask_all(rosa, world, NAME, {"how": "once"}, once)
    assert "This plan has no dose to come." in rosa.get(check).text
    assert submit(rosa, check).status_code == 422


def test_a_plan_changed_by_somebody_else_meanwhile_is_asked_about(
    rosa: FlaskClient, world: World, db: Database, now: datetime, change: str
) -> None:
    submit(rosa, f"{change}/0/times", {"at_1": "9pm"})
    take_as(db, world, daily("07:00", start=now.date()), now=now)
    page = rosa.get(change).text
    assert "Somebody changed this plan since you began." in page
    assert "Was 1 tablet at 7am, now 1 tablet at 8am and 9pm." in page
    assert submit(rosa, change).status_code == 422
    assert submit(rosa, change, {"outdated": "y"}).status_code == 303


def test_a_change_that_was_begun_goes_on(
    rosa: FlaskClient, world: World, db: Database, change: str
) -> None:
    submit(rosa, f"{change}/0/times", {"at_1": "9pm"})
    assert follow(rosa, send(rosa, f"{medicine_url(world)}/change")) == change
    assert count(db, PlanDraft) == 1


def test_a_medicine_whose_name_says_so_is_asked_for_its_kind(
    rosa: FlaskClient, world: World, db: Database
) -> None:
    more = ask_all(rosa, world, {"name": "Warfarin 3 mg"})
    assert more.endswith("/0/more")
    shown = fields_of(rosa.get(more).text, more)
    assert shown["category"] == ["high_alert"]
    typed = {"ingredient_0": "warfarin", "holds_0": "3 mg", "missed_text": "Ask."}
    how = follow(rosa, submit(rosa, more, typed))
    times = follow(rosa, submit(rosa, how, {"how": "clock"}))
    submit(rosa, follow(rosa, submit(rosa, times, PLAIN)))
    row, _ = newest(db)
    assert row.category == "high_alert"
    assert row.ingredients == '[{"name": "warfarin", "amount": "3 mg"}]'
    assert row.missed_text == "Ask."


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("x" * 200, "x" * 200),
        ("Aspirin\t75\r\nmg", "Aspirin 75 mg"),
        ("\u202e50 mg\u202c", "50 mg"),
        ("Cafe\u0301", "Caf\u00e9"),
        (EMOJI, EMOJI),
        (ARABIC, ARABIC),
        ("<script>alert(1)</script>",) * 2,
        ("{{ 7 * 7 }}",) * 2,
    ],
)
def test_a_name_of_any_script_goes_through_every_page(
    rosa: FlaskClient, world: World, db: Database, typed: str, kept: str
) -> None:
    check = ask_all(rosa, world, {"name": typed}, {"how": "clock"}, PLAIN)
    for path in (check, medicines_url(world)):
        page = rosa.get(path).text
        assert f"<bdi>{kept}</bdi>" in unescape(page)
        assert "<script>alert" not in page
    submit(rosa, check)
    row, _ = newest(db)
    assert row.name == kept
    for part in ("", "/history", "/stop", "/pause"):
        page = rosa.get(f"{medicines_url(world)}/{row.id}{part}").text
        assert f"<bdi>{kept}</bdi>" in unescape(page)


def test_an_import_never_holds_before_a_person_answered_what_is_missing(
    rosa: FlaskClient, world: World, db: Database, now: datetime
) -> None:
    rule = {"kind": "clock", "start_date": "2026-11-20", "dose": "1 tablet"}
    with db.transaction() as session:
        begin_draft(
            session,
            patient_id=world.patient,
            account_id=None,
            answers=answers_of(
                [rule],
                {"name": "Cefalexin"},
                missing=[["times", "text"]],
                texts=["3 times a day <b>"],
            ),
            key="import-1",
            source="import",
            now=now,
        )
    page = rosa.get(medicines_url(world)).text
    assert "Needs checking" in page
    check = f"{medicines_url(world)}/drafts/{newest_draft(db)[0].id}"
    assert send(rosa, check).location == f"{check}/0/times"
    page = unescape(rosa.get(f"{check}/0/times").text)
    assert "<bdi>3 times a day <b></bdi>" in page
    typed = {"at_0": "8", "amount_0": "1", "at_1": "14", "at_2": "20"}
    settle = follow(rosa, submit(rosa, f"{check}/0/times", typed))
    assert settle == f"{check}/0/text"
    assert follow(rosa, submit(rosa, settle)) == check
    assert "This came from a file and needs checking." in rosa.get(check).text
    submit(rosa, check)
    assert lines_of(db, newest(db)[0].id)[0].times[1].at
    with db.reading() as session:
        plan = session.get_one(Plan, newest(db)[0].id)
        assert plan.source == "import"


def test_drafts_are_forgotten_after_their_life(
    rosa: FlaskClient, world: World, db: Database, now: datetime, ramipril: str
) -> None:
    with db.transaction() as session:
        for days, gone in ((89, 0), (91, 1)):
            later = now + timedelta(days=days)
            assert (oldest_draft(session, now=later) is not None) == bool(gone)
            assert forget_drafts(session, now=later) == gone
    assert count(db, PlanDraft) == 0


def test_the_days_are_the_patients_own(
    rosa: FlaskClient, world: World, db: Database, pinned: time_machine.Traveller
) -> None:
    with db.transaction() as session:
        session.get_one(Patient, world.patient).zone = "Pacific/Kiritimati"
    check = ask_all(rosa, world, NAME, {"how": "clock"}, {**PLAIN, "at_0": "11pm"})
    assert "from 20 November 2026" in rosa.get(check).text
    pinned.shift(timedelta(hours=4))
    later = ask_all(rosa, world, NAME, {"how": "clock"}, {**PLAIN, "at_0": "11pm"})
    assert "from 21 November 2026" in rosa.get(later).text


def test_a_start_far_ahead_is_told_on_the_list(rosa: FlaskClient, world: World) -> None:
    pages = {"how": "clock"}, {**PLAIN, "span": "other"}, {"kind": "every"}
    check = ask_all(rosa, world, NAME, *pages, {"start_on": "2062-01-01"})
    assert "no dose to come" not in rosa.get(check).text
    submit(rosa, check)
    assert "Starts on 1 January 2062" in rosa.get(medicines_url(world)).text


def test_a_stopped_medicine_is_started_again_as_it_was(
    rosa: FlaskClient,
    world: World,
    db: Database,
    pinned: time_machine.Traveller,
    now: datetime,
) -> None:
    rule = {"kind": "interval", "first": "2026-11-20T08:00", "interval_hours": 8}
    take_as(db, world, line_from_json({**rule, "dose": "1"}), now=now)
    send(rosa, f"{medicine_url(world)}/stop")
    assert "Take it again" in rosa.get(medicine_url(world)).text
    pinned.shift(timedelta(days=2))
    check = follow(rosa, send(rosa, f"{medicine_url(world)}/change"))
    assert "Start it again" in rosa.get(check).text
    submit(rosa, check)
    page = rosa.get(medicines_url(world)).text
    assert "every 8 hours" in page
    assert "Stopped on" not in page
    assert "Started again" in rosa.get(f"{medicine_url(world)}/history").text
