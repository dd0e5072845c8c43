"""The page on which a family reads who looked and who changed."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask

from pillweb.audit import views
from pillweb.audit.actions import append_entry
from pillweb.base.db import Database
from pillweb.base.visits import ACCOUNT, JOB, LINK, MESSAGE, Visit
from tests.world import World, signed_in


def test_the_patient_and_who_manages_read_it_newest_first(
    app: Flask, db: Database, world: World, pinned: time_machine.Traveller
) -> None:
    whose, first = world.patient, datetime.fromisoformat("2026-11-19T07:05:00+00:00")
    lines = (
        (Visit(whose, ACCOUNT, world.luis), "doses.post_take"),
        (Visit(whose, ACCOUNT, 999), "adherence.show_calendar"),
        (Visit(whose, MESSAGE, is_own=True), "answers.post_link"),
        (Visit(whose, LINK, link_id=world.link), "doses.show_shared_today"),
        (Visit(whose, LINK, link_id=999), "doses.show_shared_today"),
        (Visit(whose, JOB), "jobs.build_reports"),
    )
    with db.transaction() as session:
        for number, (visit, act) in enumerate(lines):
            at = first + timedelta(hours=6 * number)
            append_entry(session, visit, act=act, ids={}, now=at)
        other = Visit(world.other_patient, ACCOUNT, world.eve)
        append_entry(session, other, act="doses.post_take", ids={}, now=first)
    here = f"/patients/{whose}/access"
    for who in (world.rosa, world.marta):
        browser = signed_in(app, who, now=first + timedelta(days=1))
        page = browser.get(here).text
        told = [
            "Friday 20 November 2026",
            "PillWeb sent a report to a doctor.",
            "7.05am",
            "Somebody with a link that is gone looked at the doses of the day.",
            "Somebody with the link “Aunt Ida” looked at the doses of the day.",
            "Thursday 19 November 2026",
            "Rosa recorded a dose.",
            "1.05pm",
            "Somebody who has no account any more looked at the calendar.",
            "7.05am",
            "Luis recorded a dose.",
        ]
        place = -1
        for words in told:
            place = page.index(words, place + 1)
        assert "Eve" not in page
    for who in (world.luis, world.nora, world.eve):
        browser = signed_in(app, who, now=first + timedelta(days=1))
        assert browser.get(here).status_code == 404


def test_a_long_list_comes_in_pages(
    app: Flask,
    db: Database,
    world: World,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "A_PAGE", 2)
    with db.transaction() as session:
        for act in ("times.post_meals", "papers.post_card", "feeds.post_feed"):
            visit = Visit(world.patient, ACCOUNT, world.luis)
            append_entry(session, visit, act=act, ids={}, now=now)
    rosa = signed_in(app, world.rosa, now=now)
    here = f"/patients/{world.patient}/access"
    newest, older = rosa.get(here).text, rosa.get(f"{here}?before=2").text
    assert "private calendars" in newest
    assert "paper to print" in newest
    assert f'href="{here}?before=2"' in newest
    assert "meals or journeys" not in newest
    assert "meals or journeys" in older
    assert f'href="{here}"' in older
    assert rosa.get(f"{here}?before=garbage").status_code == 200
