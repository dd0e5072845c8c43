"""Without a connection: Today opens, and what is pressed is sent once, later."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from tests.e2e.conftest import Visitors
from tests.e2e.site import Site

if TYPE_CHECKING:
    pass
from tests.e2e.offline.pages import (
    KEPT,
    LEFT,
    TAKE,
    connect,
    disconnect,
    events,
    hold,
    keep,
    take,
)


def test_today_opens_without_a_connection_and_says_so(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    path = f"{next_neighbour()}/today"
    keep(page, path)
    disconnect(page)
    assert page.get_by_role("button", name=TAKE).count() == 3
    for elsewhere in ("/", "/people"):
        page.goto(elsewhere)
        assert page.url.endswith(path)
    page.get_by_role("link", name="Calendar").click()
    page.get_by_text("No connection").wait_for()


def test_a_page_kept_before_a_release_finds_the_newer_scripts(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    page.evaluate("""(async () => {
      const pages = await caches.open("pages");
      const found = await pages.match(location.pathname);
      const text = (await found.text()).replaceAll(/(\\.js|words)\\?v=\\w+/g, "$1?v=0");
      const { headers } = found;
      await pages.put(location.pathname, new Response(text, { headers }));
    })()""")
    disconnect(page)
    take(page)


def test_what_was_pressed_is_sent_once_as_of_its_press(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    disconnect(page)
    taken = take(page)
    page.get_by_text(KEPT).wait_for()
    page.wait_for_timeout(1100)
    undone = take(page, 1)
    page.wait_for_timeout(1100)
    card = page.locator(f"#dose-{undone}")
    card.get_by_role("button", name="Undo").click()
    card.get_by_text("Undone. Waiting to be sent.").wait_for()
    assert site.count_events(taken) == 0
    connect(page)
    page.get_by_text("Recorded as taken at").first.wait_for()
    page.get_by_text("You took this back at").wait_for()
    assert page.locator(f"#dose-{taken}").get_by_text("Taken at").is_visible()
    assert page.locator(f"#dose-{undone}").get_by_role("button", name=TAKE).is_visible()
    assert events(site, taken) == [("taken", "offline", True)]
    assert events(site, undone) == [
        ("taken", "offline", True),
        ("undone", "offline", True),
    ]
    for _ in range(10):
        page.evaluate(
            "navigator.serviceWorker.controller.postMessage({do: 'send', now: true})"
        )
    page.get_by_role("button", name="I have read this").click()
    page.reload()
    assert page.get_by_text("Sent from this device").count() == 0
    assert site.count_events(taken) == 1


def test_a_press_is_written_down_before_it_is_sent(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    held = hold(page, "**/take")
    card = page.locator(".dose").first
    dose = (card.get_attribute("id") or "").removeprefix("dose-")
    card.get_by_role("button", name=TAKE).click()
    for _ in range(50):
        if held:
            break
        page.wait_for_timeout(100)
    assert sum('"deed"' in one for one in page.evaluate(LEFT)) == 1
    assert site.count_events(dose) == 0
    held.pop().continue_()
    page.locator(f"#dose-{dose}").get_by_text("Taken at").wait_for()
    assert not any('"deed"' in one for one in page.evaluate(LEFT))
    assert events(site, dose) == [("taken", "page", False)]


def test_a_press_without_an_answer_is_given_up_and_waits(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    given_up: list[str] = []
    page.context.on("requestfailed", lambda asked: given_up.append(asked.url))
    held = hold(page, "**/take")
    card = page.locator(".dose").first
    dose = (card.get_attribute("id") or "").removeprefix("dose-")
    card.get_by_role("button", name=TAKE).click()
    page.get_by_text("Sent from this device").wait_for(timeout=40_000)
    assert len(held) == 1
    assert any(url.endswith(f"/doses/{dose}/take") for url in given_up)
    assert events(site, dose) == [("taken", "offline", True)]


def test_all_at_once_and_two_tabs_are_one_intake_each(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    path = f"{next_neighbour()}/today"
    keep(page, path)
    other = page.context.new_page()
    other.goto(path)
    disconnect(page)
    other.reload()
    dose = take(page)
    # The other tab does not know yet.
    other.get_by_role("button", name="I have taken all 3").click()
    other.get_by_text("Taken. Waiting to be sent.").nth(2).wait_for()
    connect(page)
    other.close()
    assert [what for what, _, _ in events(site, dose)] == ["taken"]
    assert page.get_by_role("button", name="Undo").count() == 3


def test_who_recorded_first_is_named_to_the_second(visit: Visitors, site: Site) -> None:
    marta, rosa = visit("marta"), visit("rosa")
    path = "/patients/1/today"
    keep(marta, path)
    disconnect(marta)
    dose = take(marta)
    rosa.goto(path)
    rosa.locator(f"#dose-{dose}").get_by_role("button", name=TAKE).click()
    rosa.locator(f"#dose-{dose}").get_by_text("Taken at").wait_for()
    connect(marta)
    marta.get_by_text(re.compile("Already recorded at .* by Rosa")).wait_for()
    marta.get_by_role("link", name="Look at this day").wait_for()
    assert [one[:2] for one in events(site, dose)] == [("taken", "page")]


def test_a_plan_that_changed_meanwhile_is_told(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    disconnect(page)
    dose = take(page)
    with closing(sqlite3.connect(site.folder / "pillweb.db")) as db:
        db.execute("update dose set state = 'cancelled' where id = ?", (dose,))
        db.commit()
    connect(page)
    page.get_by_text("The plan was changed, so this was not recorded.").wait_for()
    assert events(site, dose) == []


def test_only_what_was_shown_counts_as_read(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    one, other = next_neighbour(), next_neighbour()
    for path in (one, other):
        keep(page, f"{path}/today")
        disconnect(page)
        take(page)
        page.wait_for_timeout(1100)
        if path == one:
            page.context.route("**/device/key", lambda route: route.abort())
            page.context.set_offline(False)
    page.context.unroute("**/device/key")
    page.context.route(f"**{one}/sent?*", lambda route: route.abort())
    connect(page)
    page.get_by_role("button", name="I have read this").click()
    page.wait_for_timeout(500)
    left = [row for row in page.evaluate(LEFT) if '"deed"' in row]
    assert len(left) == 1
    assert one in left[0]


def test_a_reason_and_later_are_asked_on_the_spot(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    disconnect(page)
    card = page.locator(".dose").first
    dose = (card.get_attribute("id") or "").removeprefix("dose-")
    card.get_by_role("link", name="I am not taking this one").click()
    card.get_by_role("button", name="I have none left").click()
    page.get_by_text("Skipped. Waiting to be sent.").wait_for()
    page.get_by_role("link", name=re.compile("Remind .* later")).click()
    page.get_by_role("button", name="In 30 minutes").click()
    page.get_by_text("Later. Waiting to be sent.").first.wait_for()
    connect(page)
    page.get_by_text("Recorded as skipped at").wait_for()
    assert page.get_by_text("We remind you later.").count() == 2
    assert events(site, dose) == [("skipped", "offline", True)]


def test_what_was_added_to_a_skip_is_sent_along(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    sent: list[str] = []
    page.context.on(
        "request",
        lambda asked: (
            sent.append(asked.post_data or "")
            if asked.url.endswith("/replay")
            else None
        ),
    )
    keep(page, f"{next_neighbour()}/today")
    page.get_by_role("link", name="I am not taking this one").first.click()
    page.get_by_label("I have none left").check()
    page.get_by_label("Anything you want to add?").fill("The shop is closed")
    page.context.set_offline(True)
    page.get_by_role("button", name="I am not taking this one").click()
    page.get_by_text("Skipped. Waiting to be sent.").wait_for()
    connect(page)
    page.get_by_text("Recorded as skipped at").wait_for()
    (told,) = sent
    assert "reason=ran_out&note=The+shop+is+closed" in told


def test_a_crashed_server_loses_and_doubles_nothing(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit("marta")
    keep(page, f"{next_neighbour()}/today")
    site.crash()
    first = take(page)
    page.wait_for_timeout(1100)
    second = take(page, 1)
    site.serve()
    page.get_by_text("Sent from this device").wait_for(timeout=40_000)
    for dose in (first, second):
        assert events(site, dose) == [("taken", "offline", True)]
