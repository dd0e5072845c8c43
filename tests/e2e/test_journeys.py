"""What people do, in a real browser, on the real app."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pillweb.base.clock import now
from tests.e2e.conftest import Visitors
from tests.e2e.site import READING_MS, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TAKE = "I have taken it"
EVENING = 17


def headline(page: "Page") -> str:
    return str(page.locator("h1").inner_text())


def focused(page: "Page") -> str:
    return str(page.evaluate("document.activeElement.innerText"))


def test_on_a_phone_the_sentence_and_its_button_are_seen_at_once(
    visit: Visitors,
) -> None:
    page = visit("rosa")
    page.goto("/patients/1/today")
    for thing in (page.locator("h1"), page.locator(".primary.all")):
        box = thing.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640


@pytest.mark.quick
def test_a_tap_changes_its_card_and_the_headline_alone(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.goto(f"{next_neighbour()}/today")
    assert "has 3 medicines to take now." in headline(page)
    page.evaluate("document.querySelectorAll('.dose').forEach(e => (e.kept = true))")
    cards = page.locator(".dose")
    cards.nth(1).get_by_role("button", name=TAKE).click()
    page.get_by_text("has 2 medicines to take now.").wait_for()
    kept = page.evaluate("[...document.querySelectorAll('.dose')].map(e => e.kept)")
    assert kept == [True, None, True]
    assert "Taken at" in cards.nth(1).inner_text()
    page.locator("h3:focus", has_text="Ramipril").wait_for()
    page.wait_for_timeout(1100)
    cards.nth(1).get_by_role("button", name="Undo").click()
    page.get_by_text("has 3 medicines to take now.").wait_for()
    page.locator("h3:focus", has_text="Ramipril").wait_for()


@pytest.mark.quick
def test_taking_all_leads_to_what_is_next(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.goto(f"{next_neighbour()}/today")
    page.get_by_role("button", name="I have taken all 3").click()
    page.get_by_text("All done for today.").wait_for()
    page.locator("h1:focus").wait_for()
    page.get_by_text("3 medicines are recorded.").wait_for()
    assert page.locator(".dose").get_by_role("button", name="Undo").count() == 3
    page.wait_for_timeout(1100)
    page.locator(".said").get_by_role("button", name="Undo").click()
    page.get_by_text("Undone. 3 medicines have no record now.").wait_for()
    assert "has 3 medicines to take now." in headline(page)


@pytest.mark.quick
def test_a_double_click_is_one_dose(
    visit: Visitors, site: Site, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.goto(f"{next_neighbour()}/today")
    card = page.locator(".dose").first
    dose = (card.get_attribute("id") or "").removeprefix("dose-")
    card.get_by_role("button", name=TAKE).dblclick()
    page.get_by_text("has 2 medicines to take now.").wait_for()
    page.wait_for_timeout(500)
    assert site.count_events(dose) == 1
    assert "Taken at" in card.inner_text()


@pytest.mark.quick
def test_today_by_keyboard_alone(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta", width=1280)
    page.goto(f"{next_neighbour()}/today")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the main part"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "I have taken all 3"
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(outline) == "3px"
    page.keyboard.press("Tab")
    assert focused(page) == TAKE
    page.keyboard.press("Space")
    page.get_by_text("has 2 medicines to take now.").wait_for()
    page.locator("h3:focus", has_text="Amlodipine").wait_for()
    page.keyboard.press("Tab")
    assert focused(page) == "Undo"
    page.wait_for_timeout(1100)
    page.keyboard.press("Enter")
    page.get_by_text("has 3 medicines to take now.").wait_for()


def test_without_a_connection_a_tap_says_so(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.goto(f"{next_neighbour()}/today")
    page.context.set_offline(offline=True)
    page.locator(".dose").first.get_by_role("button", name=TAKE).click()
    page.get_by_text("This was not saved").wait_for()
    assert "has 3 medicines to take now." in headline(page)
    visit.complaints.clear()  # htmx writes its own line about it


def test_a_reminder_is_answered_from_its_mail(visit: Visitors) -> None:
    page = visit()
    for _ in range(20):
        page.goto("/mailbox")
        mails = page.get_by_role("link", name="Reminder for")
        if mails.count():
            break
        page.wait_for_timeout(500)
    mails.first.click()
    page.locator(".letter a").first.click()
    page.locator(".primary").click()
    page.get_by_text("Please press once more, so that we know it was you.").wait_for()
    page.wait_for_timeout(READING_MS)
    page.locator(".primary").click()
    page.get_by_text("Recorded at").wait_for()
    page.wait_for_timeout(1100)
    page.get_by_role("button", name="Undo").click()
    page.locator(".primary").wait_for()


def press(page: "Page", words: str) -> None:
    page.get_by_role("button", name=words, exact=True).first.click()


def follow(page: "Page", words: str) -> None:
    page.get_by_role("link", name=words, exact=True).first.click()


def reload_until(page: "Page", ready: Callable[[], bool]) -> None:
    for _ in range(40):
        if ready():
            return
        page.wait_for_timeout(500)
        page.reload()


def zone_with_an_evening_to_come() -> str:
    """Return a zone in which the 6pm dose is still to be taken, whenever this runs."""
    return "Europe/London" if now().hour < EVENING else "America/Los_Angeles"


def add_medicine(page: "Page") -> None:
    follow(page, "Add a medicine")
    page.get_by_label("Name of the medicine").fill("Amlodipine")
    press(page, "Go on")
    page.get_by_label("At the same clock times").check()
    press(page, "Go on")
    for row, clock in enumerate(("0:00", "6am", "12.00", "6 pm")):
        page.locator(f"#at_{row}").fill(clock)
    page.locator("#amount_0").fill("1.000")
    page.locator("#amount_0").press("Enter")
    assert "Write 1, or 1000." in page.locator(".summary").inner_text()
    page.locator("#amount_0").fill("1")
    press(page, "Go on")
    assert "Check your answers" in page.locator("h1").inner_text()
    press(page, "Start this plan")
    words = page.locator("main").inner_text()
    assert "1 tablet at midnight, 6am, midday and 6pm, every day" in words


def take_and_undo(page: "Page") -> None:
    follow(page, "Today")
    reload_until(page, lambda: "One moment" not in headline(page))
    coming = page.get_by_role("button", name=TAKE).count()
    assert coming
    page.get_by_role("button", name=TAKE).first.click()
    press(page, "Undo")
    assert page.get_by_role("button", name=TAKE).count() == coming


def read_the_calendar(page: "Page") -> None:
    follow(page, "Calendar")
    assert page.locator(".month .today").count() == 1
    page.locator(".month .today a").click()
    assert "Amlodipine" in page.locator("main").inner_text()


def share_and_stop(page: "Page", other: "Page") -> None:
    follow(page, "Sharing")
    follow(page, "Make a new link")
    page.get_by_label("Who is it for?").fill("Ann, my daughter")
    press(page, "Make the link")
    other.goto(page.get_by_label("The link").input_value())
    other.wait_for_timeout(READING_MS)
    press(other, "Open it")
    assert "1 tablet" in other.locator("main").inner_text()
    assert "Amlodipine" not in other.content()
    assert other.get_by_role("button").count() == 0
    follow(page, "Back to sharing")
    press(page, "Stop this link")
    other.reload()
    assert headline(other) == "This link does not work"


def send_a_report(page: "Page", site: Site) -> None:
    follow(page, "Reports")
    page.get_by_label("Name of the doctor").fill("Dr Chen")
    page.get_by_label("The doctor's e-mail address").fill("chen@clinic.example")
    page.get_by_label("I know that e-mail can be read").check()
    press(page, "Save")
    page.get_by_role("button", name="Send the report now").click()
    made = page.get_by_role("link", name="Look at the PDF")
    reload_until(page, lambda: bool(made.count()))
    href = made.get_attribute("href")
    assert page.request.get(f"{site.url}{href}").body()[:5] == b"%PDF-"


class Effort:
    """Counts what it costs somebody on a phone to enter a plan."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.pages = self.taps = self.keys = 0

    def press(self, words: str) -> None:
        self.pages += 1
        self.taps += 1
        press(self.page, words)

    def choose(self, words: str) -> None:
        self.taps += 1
        self.page.get_by_label(words).check()

    def fill(self, **typed: str) -> None:
        for field, text in typed.items():
            self.taps += 1
            self.keys += len(text)
            self.page.locator(f"#{field}").fill(text)

    @property
    def seconds(self) -> float:
        """How long it takes at a slow hand's pace: a tap 3 s, a letter 1, a page 4."""
        return self.taps * 3 + self.keys + self.pages * 4


def test_a_taper_is_entered_in_less_than_two_minutes(visit: Visitors) -> None:
    page = visit("marta")
    page.goto("/patients/2/medicines/new")
    hand = Effort(page)
    hand.fill(name="Prednisolone")
    hand.press("Go on")
    hand.choose("Amounts that change, step by step")
    hand.press("Go on")
    hand.fill(amount_0="40 mg", days_0="3", at_0="8", amount_1="20 mg", days_1="3")
    hand.fill(amount_2="10 mg", days_2="3")
    hand.press("Go on")
    told = "40 mg at 8am for 3 days, then 20 mg at 8am for 3 days, then 10 mg at 8am"
    assert told in page.locator("main").inner_text()
    hand.press("Start this plan")
    assert told in page.locator("main").inner_text()
    assert hand.pages <= 5
    assert hand.seconds < 120


def test_an_insulin_plan_is_entered_in_less_than_two_minutes(visit: Visitors) -> None:
    page = visit("marta")
    page.goto("/patients/2/medicines/new")
    hand = Effort(page)
    hand.fill(name="Insulin")
    hand.taps += 1
    page.locator("#form").select_option("injection")
    hand.press("Go on")
    assert page.get_by_label("It must not be late").is_checked()
    hand.press("Go on")
    hand.choose("With meals or at bedtime")
    hand.press("Go on")
    hand.fill(amount_1="8", amount_2="6", amount_3="10", amount_4="20")
    hand.press("Go on")
    told = "8 units with breakfast, 6 units with lunch, 10 units with dinner"
    assert told in page.locator("main").inner_text()
    hand.press("Start this plan")
    assert told in page.locator("main").inner_text()
    assert hand.pages <= 6
    assert hand.seconds < 120


@pytest.mark.quick
def test_the_whole_way_without_javascript(browser: "Browser", empty_site: Site) -> None:
    context = browser.new_context(
        base_url=empty_site.url,
        java_script_enabled=False,
        viewport={"width": 320, "height": 640},
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Your name").fill("Maria")
    page.get_by_label("Your e-mail address").fill("maria@family.example")
    page.get_by_label("Password").fill("correct river apple candle")
    press(page, "Make my account")
    press(page, "Go on")
    page.get_by_label("Time zone").select_option(zone_with_an_evening_to_come())
    press(page, "Go on")
    follow(page, "Medicines")
    add_medicine(page)
    take_and_undo(page)
    read_the_calendar(page)
    stranger = browser.new_context(java_script_enabled=False)
    share_and_stop(page, stranger.new_page())
    stranger.close()
    send_a_report(page, empty_site)
    follow(page, "Medicines")
    follow(page, "Change")
    follow(page, "Stop this medicine")
    page.get_by_label("Why?").fill("The doctor said so")
    press(page, "Yes, stop this medicine")
    assert "No longer taken" in page.locator("main").inner_text()
    press(page, "Sign out")
    assert headline(page) == "Sign in"
    context.close()
