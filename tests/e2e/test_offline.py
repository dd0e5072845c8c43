"""Without a connection: Today opens, and what is pressed is sent once, later."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.site import READING_MS, Site, running_site

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

TAKE = "I have taken it"
KEPT = "Kept on this device. We send it when there is a connection."
HELD = "caches.match(location.pathname).then(Boolean)"
# All that stays on a device: the pages, the answers and the notes.
LEFT = """(async () => {
  const kept = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const one of await cache.keys()) {
      kept.push(one.url + (await (await cache.match(one)).text()));
    }
  }
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      indexedDB.open(name).onsuccess = (event) => done(event.target.result);
    });
    for (const store of db.objectStoreNames) {
      const rows = await new Promise((done) => {
        const asked = db.transaction(store).objectStore(store).getAll();
        asked.onsuccess = () => done(asked.result);
      });
      kept.push(...rows.map((row) => JSON.stringify(row)));
    }
    db.close();
  }
  return kept;
})()"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A PillWeb of its own, for here it is killed."""
    folder = tmp_path_factory.mktemp("offline")
    with running_site(folder, "tests.e2e.family") as started:
        yield started


@pytest.fixture(scope="module")
def _signed_in() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def next_neighbour(site: Site) -> Callable[[], str]:
    """Give the address of a neighbour nobody has tapped for yet."""
    left = iter(site.facts["neighbours"])
    return lambda: f"/patients/{next(left)}"


def keep(page: "Page", path: str) -> None:
    """Open a page once, and wait until the device has kept it."""
    page.goto(path)
    for _ in range(100):
        if page.evaluate(HELD):
            return
        page.wait_for_timeout(100)
    pytest.fail("the page was not kept")


def disconnect(page: "Page") -> None:
    page.context.set_offline(True)
    page.reload()
    page.get_by_text("No connection. This is your plan as of").wait_for()


def connect(page: "Page") -> None:
    page.context.set_offline(False)
    page.get_by_text("Sent from this device").wait_for(timeout=30_000)


def take(page: "Page", at: int = 0) -> str:
    """Press the button of a card, and return the number of its dose."""
    card = page.locator(".dose").nth(at)
    dose = (card.get_attribute("id") or "").removeprefix("dose-")
    card.get_by_role("button", name=TAKE).click()
    page.locator(f"#dose-{dose}").get_by_text("Taken. Waiting to be sent.").wait_for()
    return dose


def hold(page: "Page", pattern: str) -> "list[Route]":
    """Let nothing be answered that goes there; return what was asked so far."""
    held: list[Route] = []

    def stop(route: "Route") -> None:
        held.append(route)

    page.context.route(pattern, stop)
    return held


def events(site: Site, dose: str) -> list[tuple[str, str, bool]]:
    """Return what was said of a dose, from where, and whether it was said earlier."""
    with closing(sqlite3.connect(site.folder / "pillweb.db")) as db:
        sql = "select what, channel, at < entered_at from dose_event where dose_id = ?"
        return [
            (what, channel, bool(earlier))
            for what, channel, earlier in db.execute(f"{sql} order by id", (dose,))
        ]


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


def test_signing_out_leaves_nothing_and_asks_about_what_is_unsent(
    visit: Visitors, next_neighbour: Callable[[], str], site: Site
) -> None:
    page = visit()
    page.goto("/sign-in")
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
    before = page.context.cookies()
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.goto("/sign-in")
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
    page.context.add_cookies(rosa.context.cookies())
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


VOICE = """
window.spoken = [];
window.speechSynthesis.speak = (one) => window.spoken.push(one.text);
window.SpeechRecognition = class {
  start() {
    const words = window.heard.map((transcript) => ({ transcript }));
    this.onresult({ results: [words] });
    this.onend();
  }
};
"""


def test_today_is_read_aloud_and_answered_by_voice(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.add_init_script(VOICE)
    page.goto(f"{next_neighbour()}/today")
    page.get_by_role("button", name="Read aloud").click()
    page.get_by_role("button", name="Stop reading").wait_for()
    spoken = page.evaluate("spoken")
    assert spoken[0].endswith("has 3 medicines to take now.")
    assert "Amlodipine 5 mg 1 tablet" in spoken[1]
    assert len(spoken) == 4

    def hear(*words: str) -> None:
        page.wait_for_timeout(1100)
        page.evaluate("(words) => (window.heard = words)", list(words))
        page.get_by_role("button", name="Answer by voice").click()

    hear("taken")
    page.get_by_text("Your browser may send your voice to its maker.").wait_for()
    hear("taken")
    page.get_by_text("There are several medicines.").wait_for()
    for _ in range(2):
        page.wait_for_timeout(1100)
        page.locator(".dose.due").first.get_by_role("button", name=TAKE).click()
        page.wait_for_timeout(500)
    page.get_by_text("has 1 medicine to take now.").wait_for()
    hear("not taken", "taken")
    page.get_by_text("We did not understand.").wait_for()
    page.get_by_text("has 1 medicine to take now.").wait_for()
    hear("Taken.")
    page.get_by_text("All done for today.").wait_for()


def test_a_moment_rings_once_for_each(visit: Visitors) -> None:
    page = visit("rosa")
    page.context.grant_permissions(["notifications"])
    keep(page, "/patients/1/today")
    ring = """(url) => navigator.serviceWorker.controller.postMessage({
      do: "ring", at: 1, words: "It is 8am. Time for your medicines.",
      doses: [999], url,
    })"""
    for patient in (1, 1, 2):
        page.evaluate(ring, f"/patients/{patient}/today")
    shown = """async () => {
      const { active } = await navigator.serviceWorker.ready;
      const all = await (await navigator.serviceWorker.ready).getNotifications();
      return all.map((one) => one.title);
    }"""
    page.wait_for_timeout(1000)
    assert page.evaluate(shown) == ["It is 8am. Time for your medicines."] * 2


def test_a_page_loaded_just_after_a_moment_still_rings(visit: Visitors) -> None:
    page = visit("rosa")
    page.context.grant_permissions(["notifications"])
    keep(page, "/patients/1/today")
    moments = """[{"at": %d, "doses": [999], "words": "It is time."}]"""
    at = page.evaluate("Date.now() - 5000")
    page.context.route(
        "**/moments", lambda route: route.fulfill(body=moments % at, status=200)
    )
    page.reload()
    page.wait_for_function(
        """async () => {
          const all = await (await navigator.serviceWorker.ready).getNotifications();
          return all.some((one) => one.title === "It is time.");
        }""",
        timeout=40_000,
    )


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
