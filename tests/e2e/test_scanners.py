"""A mail scanner opens every link, runs its page, sends its forms and presses."""

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.site import READING_MS, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

KINDS = ("t", "h", "m", "u", "s", "p", "a", "e", "d", "w")
# What says that somebody did something; `doubted_at` and `opened_at` only watch.
DEEDS = (
    "select count(*), max(id) from dose_event",
    "select id, later_until from dose where later_until is not null",
    "select id, answered_at from contact_test",
    "select id, state, proven_at from contact_point",
    "select id, times_used, last_used_at from share_link",
    "select id, used_at from account_link",
    "select id, ended_at from account_notice",
    "select id, password_hash from account",
    "select id, tries, ended_at from sign_in_mail",
    "select id, snoozed_until from reminder where snoozed_until is not null",
    "select id, acknowledged_at from reminder where acknowledged_at is not null",
    "select id, answered_at from delivery where answered_at is not null",
    "select count(*) from web_session",
    "select id, ended_at from device_pairing",
)
TRICKS = (
    "form => form.submit()",
    "form => form.requestSubmit()",
    "form => form.querySelector('button')?.click()",
)


def done(site: Site) -> list[list[tuple[object, ...]]]:
    """Return all that anybody did so far."""
    with closing(sqlite3.connect(site.folder / "pillweb.db", timeout=10)) as db:
        return [db.execute(sql).fetchall() for sql in DEEDS]


def play(page: "Page", path: str) -> None:
    """Do to a page what a scanner does that runs it."""
    page.goto(path)
    for number in range(page.locator("main form").count()):
        for trick in TRICKS:
            page.goto(path)
            form = page.locator("main form").nth(number)
            form.evaluate(trick)
            page.wait_for_timeout(300)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scanner_does_nothing_whatever_it_does(
    visit: Visitors, site: Site, kind: str
) -> None:
    path = site.facts["links"][kind]
    page = visit()
    before = done(site)
    assert page.request.head(path).ok
    for _ in range(5):
        assert page.request.get(path).ok
    play(page, path)
    assert done(site) == before
    visit.complaints.clear()


def test_without_scripts_a_person_presses_once_and_it_is_recorded(
    visit: Visitors, site: Site
) -> None:
    page = visit(scripts=False)
    page.goto(site.facts["links"]["t"])
    page.locator(".primary").click()
    page.get_by_text("Please press once more, so that we know it was you.").wait_for()
    assert page.get_by_text("Recorded at").count() == 0
    page.wait_for_timeout(READING_MS)
    page.locator(".primary").click()
    page.get_by_text("by you.").wait_for()
    page.wait_for_timeout(READING_MS)
    page.get_by_role("button", name="Undo").click()
    page.locator(".primary").wait_for()


def test_a_page_that_stays_open_says_so_after_three_seconds(
    visit: Visitors, site: Site
) -> None:
    page = visit()
    path = site.facts["links"]["t"]
    with page.expect_response(lambda one: one.url.endswith(f"{path}/opened")) as told:
        page.goto(path)
    assert told.value.status == 204
