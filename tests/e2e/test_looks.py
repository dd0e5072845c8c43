"""How it looks, in a real browser: chosen, forced, printed, focused, and in bytes."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

TODAY = "/patients/1/today"
WHOLE_VISIT = 50_000
WHOLE_PAGE = 30_000
THEMES = ["20.light", "20.dark", "20.contrast"]


def style(page: "Page", selector: str, rule: str) -> str:
    found = "(e, rule) => getComputedStyle(e).getPropertyValue(rule)"
    return str(page.locator(selector).first.evaluate(found, rule))


@pytest.mark.parametrize("scripts", [True, False])
def test_larger_words_are_one_press_away_and_stay(
    visit: Visitors, *, scripts: bool
) -> None:
    page = visit("rosa", scripts=scripts)
    page.goto(TODAY)
    page.get_by_role("link", name="Language and look").click()
    page.get_by_role("button", name="Largest").click()
    assert page.locator(".notice:focus").inner_text().startswith("Saved.")
    page.get_by_role("button", name="High contrast").click()
    page.get_by_role("link", name="Go back").click()
    assert page.url.endswith(TODAY)
    assert style(page, "html", "font-size") == "30px"
    assert style(page, "body", "background-color") == "rgb(0, 0, 0)"


def test_the_device_decides_until_somebody_chooses(visit: Visitors) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        for look in ("", "20.light", "20.dark"):
            page = visit(color_scheme=scheme, look=look)
            page.goto("/help")
            grounds[scheme, look] = style(page, "body", "background-color")
    assert grounds["light", ""] == grounds["light", "20.light"]
    assert grounds["dark", "20.light"] == grounds["light", "20.light"]
    assert grounds["dark", ""] == grounds["dark", "20.dark"]
    assert grounds["light", "20.dark"] == grounds["dark", "20.dark"]
    assert len(set(grounds.values())) == 2


def is_ringed(page: "Page") -> str:
    """Return what is wrong with the ring of whatever has the focus."""
    found = page.evaluate(
        """() => {
          const e = document.activeElement, look = getComputedStyle(e);
          const box = e.getBoundingClientRect();
          const inside = box.top >= 0 && box.bottom <= innerHeight;
          const name = `${e.tagName} ${e.textContent.trim().slice(0, 30)}`;
          const two = look.boxShadow !== "none" && !look.boxShadow.endsWith(" 0px");
          const ok = parseFloat(look.outlineWidth) >= 3 && two && inside;
          return ok ? "" : `${name}: ${look.outline}, ${look.boxShadow}, ${inside}`;
        }"""
    )
    return str(found)


@pytest.mark.parametrize("look", THEMES)
@pytest.mark.parametrize(("who", "path"), [("", "/design"), ("rosa", TODAY)])
def test_the_focus_is_always_seen(
    visit: Visitors, who: str, path: str, look: str
) -> None:
    page = visit(who, look=look, width=640)
    page.goto(path)
    page.evaluate("document.activeElement.blur()")
    wrong = []
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        wrong.append(is_ringed(page))
    assert len(wrong) > 10
    assert [one for one in wrong if one] == []


def test_forced_colours_leave_every_state_to_be_seen(visit: Visitors) -> None:
    page = visit(forced_colors="active")
    page.goto("/design")
    assert float(style(page, ".primary", "border-top-width")[:-2]) >= 5
    for one, other in [
        (".picks [aria-pressed=true]", ".picks [aria-pressed=false]"),
        (".now > .due", ".now > .taken"),
        (".notice.error", ".notice.info"),
        (".field.wrong", ".field"),
    ]:
        widths = [style(page, part, "border-top-width") for part in (one, other)]
        assert widths[0] != widths[1], one
    marks = page.locator(".legend .mark")
    for at in range(marks.count()):
        assert marks.nth(at).inner_text().strip()
        assert float(style(page, ".legend .mark svg", "border-top-width")[:-2]) >= 2


@pytest.mark.parametrize("look", THEMES)
def test_paper_is_white_and_bears_no_buttons(visit: Visitors, look: str) -> None:
    page = visit("rosa", look=look)
    page.goto(TODAY)
    page.emulate_media(media="print")
    assert style(page, "body", "background-color") == "rgb(255, 255, 255)"
    assert style(page, "h1", "color") == "rgb(0, 0, 0)"
    buttons = page.locator("button, nav, footer")
    shown = [at for at in range(buttons.count()) if buttons.nth(at).is_visible()]
    assert shown == []
    assert page.get_by_role("heading", name="Amlodipine").is_visible()


def test_on_a_phone_undo_takes_no_row_of_its_own(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.goto(f"{next_neighbour()}/today")
    page.get_by_role("button", name="I have taken all 3").click()
    page.get_by_text("All done for today.").wait_for()
    for card in page.locator(".dose").all():
        mark = card.locator(".mark").bounding_box()
        undo = card.get_by_role("button", name="Undo").bounding_box()
        assert mark is not None
        assert undo is not None
        assert undo["x"] > mark["x"] + 100
        assert abs(undo["y"] + undo["height"] / 2 - mark["y"] - mark["height"] / 2) < 8


def test_the_calendar_of_a_phone_leads_down_to_today(visit: Visitors) -> None:
    page = visit("rosa")
    page.goto("/patients/1/calendar")
    page.get_by_role("link", name="Go down to today").click()
    box = page.locator(".today").bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 640 - box["height"]


def test_a_first_visit_to_today_is_small(visit: Visitors, site: Site) -> None:
    page = visit("rosa")
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    names: dict[str, str] = {}
    sizes: dict[str, float] = {}
    wire.on(
        "Network.responseReceived",
        lambda said: names.update({said["requestId"]: said["response"]["url"]}),
    )
    wire.on(
        "Network.loadingFinished",
        lambda said: sizes.update({said["requestId"]: said["encodedDataLength"]}),
    )
    page.goto(TODAY)
    page.wait_for_load_state("networkidle")
    parts = {names[one]: int(size) for one, size in sizes.items()}
    is_picture = re.compile(r"\.(svg|png)(\?|$)").search
    parts = {url: size for url, size in parts.items() if not is_picture(url)}
    assert any("ascii-700" in url for url in parts)
    assert sum(parts.values()) <= WHOLE_VISIT, parts
    assert parts[f"{site.url}{TODAY}"] <= WHOLE_PAGE
