"""What people do, in a real browser, on the real app."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.e2e.conftest import Site, Visitors

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TAKE = "I have taken it"


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


def test_taking_all_leads_to_what_is_next(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.goto(f"{next_neighbour()}/today")
    page.get_by_role("button", name="I have taken all 3").click()
    page.get_by_text("All done for today.").wait_for()
    page.locator("h1:focus").wait_for()
    assert page.get_by_role("button", name="Undo").count() == 3


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


def add_medicine(page: "Page") -> None:
    follow(page, "Add a medicine")
    page.get_by_label("Name of the medicine").fill("Amlodipine")
    page.get_by_label("How much each time?").fill("1.000")
    clocks = {"First": "0:00", "Second": "6am", "Third": "12.00", "Fourth": "6 pm"}
    for label, clock in clocks.items():
        page.get_by_label(f"{label} time").fill(clock)
    press(page, "Save this medicine")
    assert "Write 1, or 1000." in page.locator(".summary").inner_text()
    page.get_by_label("How much each time?").fill("1")
    press(page, "Save this medicine")
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
    page.get_by_label("Who is it for?").fill("Ann, my daughter")
    press(page, "Make the link")
    other.goto(page.get_by_label("The link").input_value())
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
    page.get_by_label("Time zone").select_option("Europe/London")
    press(page, "Go on")
    add_medicine(page)
    take_and_undo(page)
    read_the_calendar(page)
    stranger = browser.new_context(java_script_enabled=False)
    share_and_stop(page, stranger.new_page())
    stranger.close()
    send_a_report(page, empty_site)
    follow(page, "Medicines")
    follow(page, "Change")
    press(page, "Stop this medicine")
    assert "No longer taken" in page.locator("main").inner_text()
    press(page, "Sign out")
    assert headline(page) == "Sign in"
    context.close()
