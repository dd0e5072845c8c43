"""What stays on a device, for whom, and until when."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.offline.pages import LEFT, TAKE, disconnect, events, keep, take
from tests.e2e.site import READING_MS, Site


def test_another_page_never_opens_the_today_of_somebody_else(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    path, other = next_neighbour(), next_neighbour()
    keep(page, f"{path}/today")
    disconnect(page)
    for elsewhere in (f"{other}/today", f"{other}/calendar", "/p/abc", "/t/abc"):
        page.goto(elsewhere)
        page.get_by_role("heading", name="No connection").wait_for()
        assert page.url.endswith(elsewhere)
        assert page.locator(".dose, button").count() == 0
        assert page.get_by_text("Neighbour").count() == 0
    page.goto(f"{path}/medicines")
    assert page.url.endswith(f"{path}/today")


def test_signing_out_leaves_nothing_and_asks_about_what_is_unsent(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit()
    page.goto("/sign-in/password")
    page.get_by_label("Your e-mail address").fill(site.facts["marta"])
    page.get_by_label("Your password").fill(site.facts["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    keep(page, f"{next_neighbour()}/today")
    assert any("Amlodipine" in one for one in page.evaluate(LEFT))
    disconnect(page)
    take(page)
    page.wait_for_timeout(1100)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Some answers are not sent yet.").wait_for()
    # The line is back, but the site does not answer what waits.
    page.context.route("**/replay", lambda route: route.abort())
    page.context.set_offline(False)
    page.get_by_role("button", name="Sign out and lose them").click()
    page.get_by_role("button", name="Sign in").wait_for()
    page.wait_for_timeout(500)
    assert not [one for one in page.evaluate(LEFT) if "patients/" in one]
    page.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        page.goto("/")


def test_a_session_that_ends_by_itself_loses_no_answer(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    today = f"{next_neighbour()}/today"
    keep(page, today)
    disconnect(page)
    dose = take(page)
    before: Any = page.context.cookies()
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.goto("/sign-in/password")
    page.wait_for_timeout(500)
    # What was pressed waits; no name of a medicine does.
    left = page.evaluate(LEFT)
    assert any("patients/" in one for one in left)
    assert not any("Amlodipine" in one for one in left)
    page.context.add_cookies(before)
    page.goto(today)
    page.get_by_text("Sent from this device").wait_for()
    assert events(site, dose) == [("taken", "offline", True)]


def test_the_next_account_finds_nothing_of_the_one_before(
    visit: Visitors, site: Site
) -> None:
    page, rosa = visit("marta"), visit("rosa")
    keep(page, "/patients/2/today")
    rosa.goto("/people")
    page.context.clear_cookies()
    hers: Any = rosa.context.cookies()
    page.context.add_cookies(hers)
    page.goto("/people")
    page.wait_for_timeout(300)
    assert not [one for one in page.evaluate(LEFT) if "/patients/2" in one]


# What the device wrote on the page it kept, made older.
AGED = """(async ([name, hours]) => {
      const pages = await caches.open("pages");
      const found = await pages.match(location.pathname);
      const headers = new Headers(found.headers);
      headers.set(name, Date.now() - hours * 3600 * 1000);
      await pages.put(location.pathname, new Response(await found.text(), { headers }));
    })"""


@pytest.mark.parametrize("age", [("Kept-At", 49), ("Kept-Until", 0)])
def test_a_plan_of_a_day_that_is_over_is_not_shown(
    age: tuple[str, int], visit: Visitors, site: Site
) -> None:
    page = visit("rosa")
    keep(page, "/patients/1/today")
    page.evaluate(AGED, age)
    page.context.set_offline(True)
    page.reload()
    page.get_by_text("Please connect to see your plan.").wait_for()
    assert page.locator(".dose").count() == 0
    assert not any('class="dose' in one for one in page.evaluate(LEFT))


def test_a_page_left_open_keeps_no_press_of_a_day_that_is_over(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    page.evaluate(AGED, ("Kept-Until", 0))
    page.context.set_offline(True)
    page.get_by_role("button", name=TAKE).first.click()
    page.get_by_text("This was not saved: there is no connection now.").wait_for()
    assert not any('"deed"' in one for one in page.evaluate(LEFT))
    # htmx tells the console, too, that nobody answered.
    visit.complaints.clear()


def test_a_shared_page_keeps_nothing(visit: Visitors, site: Site) -> None:
    page = visit()
    page.goto(site.facts["share"])
    page.wait_for_timeout(READING_MS)
    page.locator("main button").click()
    page.locator(".dose").first.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("navigator.serviceWorker.getRegistrations()") == []
    assert page.evaluate(LEFT) == []


def test_without_javascript_there_is_nothing_more_to_press(visit: Visitors) -> None:
    page = visit("rosa", scripts=False)
    page.goto("/patients/1/today")
    assert page.get_by_role("button", name="Read aloud").count() == 0
    assert page.get_by_role("button", name="Remind me on this device").count() == 0
