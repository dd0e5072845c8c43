"""A tablet is connected, used, and stopped while its page is open."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.pages import faults
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOT_SAVED = "Nothing was recorded. Please ask whoever helps you."


def offer(helper: "Page", base: str) -> str:
    """Let a helper add a tablet; return the six digits they see."""
    helper.goto(f"{base}/tablets")
    helper.get_by_role("button", name="Add a tablet").click()
    digits = str(helper.locator(".digits").inner_text())
    assert re.fullmatch(r"\d{3} \d{3}", digits)
    return digits


def connect(tablet: "Page", digits: str) -> None:
    tablet.goto("/sign-in")
    tablet.get_by_role("link", name="Connect a tablet with six digits").click()
    tablet.get_by_label("The six digits").fill(digits)
    tablet.get_by_role("button", name="Connect this tablet").click()
    tablet.get_by_text("This tablet is connected now.").wait_for()


@pytest.mark.parametrize("scripts", [True, False], ids=["htmx", "bare"])
def test_a_tablet_is_connected_used_and_stopped_while_it_is_open(
    visit: Visitors,
    site: Site,
    next_neighbour: Callable[[], str],
    *,
    scripts: bool,
) -> None:
    base = next_neighbour()
    helper = visit("marta", width=1280)
    tablet = visit(width=800, scripts=scripts)
    connect(tablet, offer(helper, base))
    helper.get_by_text("The tablet is connected.").wait_for()
    assert faults(helper) == []
    assert not scripts or faults(tablet) == []
    buttons = tablet.locator("#today .due button[formaction$='/take']")
    dose = (buttons.nth(0).get_attribute("formaction") or "").split("/")[-2]
    left = (buttons.nth(1).get_attribute("formaction") or "").split("/")[-2]
    buttons.nth(0).click()
    tablet.locator(f"#dose-{dose}.taken").wait_for()
    assert site.count_events(dose) == 1
    helper.goto(f"{base}/tablets")
    helper.get_by_role("button", name="Stop").click()
    helper.get_by_text("The tablet is stopped.").wait_for()
    tablet.locator(f"#dose-{left} button[formaction$='/take']").click()
    tablet.get_by_text(NOT_SAVED).wait_for()
    assert site.count_events(left) == 0
    tablet.goto(f"{base}/today")
    tablet.get_by_role("heading", name="This tablet is not connected").wait_for()
    visit.complaints.clear()


def test_the_record_says_that_it_was_the_tablet(
    visit: Visitors, site: Site, next_neighbour: Callable[[], str]
) -> None:
    base = next_neighbour()
    helper, tablet = visit("marta"), visit()
    connect(tablet, offer(helper, base))
    tablet.locator(".due button[formaction$='/take']").first.click()
    tablet.locator(".dose.taken").first.wait_for()
    with closing(sqlite3.connect(site.folder / "pillweb.db", timeout=10)) as db:
        channel = "select channel from dose_event order by id desc limit 1"
        assert db.execute(channel).fetchone() == ("tablet",)
    helper.goto(f"{base}/access")
    helper.get_by_text("recorded a dose.").first.wait_for()


def test_a_picture_a_pin_and_back_to_the_pictures(visit: Visitors, site: Site) -> None:
    tablet = visit("faces", width=800)
    tablet.goto("/")
    tablet.get_by_role("heading", name="Who is here?").wait_for()
    assert faults(tablet) == []
    tablet.locator(f"a[href='/tablet/{site.facts['pinned']}']").click()
    tablet.get_by_label("The PIN").fill("1111")
    tablet.get_by_role("button", name="Yes").click()
    tablet.get_by_text("This PIN is not right.").first.wait_for()
    tablet.get_by_label("The PIN").fill("2468")
    tablet.get_by_role("button", name="Yes").click()
    tablet.get_by_role("button", name="I am done").wait_for()
    assert faults(tablet) == []
    tablet.get_by_role("button", name="I am done").click()
    tablet.get_by_role("heading", name="Who is here?").wait_for()
    tablet.goto("/patients/1/today")
    tablet.get_by_role("heading", name="Who is here?").wait_for()
