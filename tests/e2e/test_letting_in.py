"""Somebody is invited, helps, and is shut out while the page is open."""

import re
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.pages import faults
from tests.e2e.site import READING_MS, Site


@pytest.mark.parametrize("scripts", [True, False], ids=["htmx", "bare"])
def test_an_invitation_is_accepted_and_ended_while_its_page_is_open(
    visit: Visitors,
    site: Site,
    next_neighbour: Callable[[], str],
    *,
    scripts: bool,
) -> None:
    base = next_neighbour()
    owner = visit("marta", width=1280)
    owner.goto(f"{base}/sharing/invite")
    owner.get_by_label("Who is it for?").fill("Rosa")
    owner.get_by_label("I show or send it myself").check()
    owner.get_by_label("Look, and record doses").check()
    owner.get_by_role("button", name="Invite").click()
    link = owner.get_by_role("textbox", name="The link").input_value()
    assert faults(owner) == []
    helper = visit("rosa", scripts=scripts)
    helper.goto(link)
    helper.wait_for_timeout(READING_MS)
    helper.get_by_role("button", name="Open it").click()
    helper.get_by_role("button", name="Yes").click()
    # Whoever gained a right has another secret now.
    del visit.signed_in["rosa"]
    helper.goto(f"{base}/today")
    dose = helper.locator(".due button[formaction$='/take']").first
    number = re.findall(r"\d+", dose.get_attribute("formaction") or "")[-1]
    owner.goto(f"{base}/sharing")
    card = owner.get_by_role("listitem").filter(has_text="Rosa Alvarez")
    card.get_by_role("button", name="Stop").click()
    card.wait_for(state="detached")
    dose.click()
    helper.get_by_text("We cannot find this page").first.wait_for()
    assert site.count_events(number) == 0
    helper.goto(f"{base}/today")
    helper.get_by_role("heading", name="We cannot find this page").wait_for()
    visit.complaints.clear()
