"""What holds on every page however it is met: bare, magnified, by keyboard alone."""

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.pages import EACH, LOOKS, PAGES, ROSA, faults
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

# As WCAG 2.2, 1.4.12 asks; a style sheet of ours would be refused by the page.
SPACED = """() => {
  for (const e of document.querySelectorAll("body, body *")) {
    e.style.setProperty("line-height", "1.5", "important");
    e.style.setProperty("letter-spacing", "0.12em", "important");
    e.style.setProperty("word-spacing", "0.16em", "important");
    if (e.matches("p")) e.style.setProperty("margin-block-end", "2em", "important");
  }
}"""
# What a page says and offers when nothing but its HTML has come.
BARE = """() => {
  const faults = [];
  const shown = (e) => `${e.tagName} ${e.outerHTML.slice(0, 120)}`;
  const order = [".skip", "header", "main", "main h1", "footer"].map((part) =>
    document.querySelector(part));
  if (order.some((e) => !e)) faults.push("a part of the page is missing");
  order.reduce((a, b) => {
    const after = a.compareDocumentPosition(b);
    if (!(after & Node.DOCUMENT_POSITION_FOLLOWING)) faults.push("out of order");
    return b;
  });
  for (const e of document.querySelectorAll("input, select, textarea")) {
    if (e.type !== "hidden" && !e.labels.length) faults.push(`no label: ${shown(e)}`);
    if (!e.form) faults.push(`in no form: ${shown(e)}`);
  }
  for (const e of document.querySelectorAll("button")) {
    if (!e.textContent.trim()) faults.push(`no words: ${shown(e)}`);
    const works = e.form && e.type === "submit" && !e.disabled;
    if (!works) faults.push(`does nothing: ${shown(e)}`);
  }
  for (const e of document.querySelectorAll("form[method=post]")) {
    // What a secret address lets in needs no cookie; it says when it was shown.
    const isKnown = e.elements.csrf_token || e.elements.shown;
    if (!isKnown) faults.push(`would be refused: ${shown(e)}`);
  }
  for (const e of document.querySelectorAll("a")) {
    const to = e.getAttribute("href");
    const leads = to && (!to.startsWith("#") || document.getElementById(to.slice(1)));
    if (!leads || !e.textContent.trim()) faults.push(`leads nowhere: ${shown(e)}`);
  }
  for (const e of document.querySelectorAll("img:not([alt])")) faults.push(shown(e));
  return faults;
}"""
# WCAG 2.2, 2.4.7, 2.4.11 and 2.4.13: seen, not covered, and by two colours.
FOCUS = """() => {
  const e = document.activeElement, look = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  const name = `${e.tagName} ${(e.innerText || e.name).trim().slice(0, 30)}`;
  const faults = [];
  const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 &&
    box.left < innerWidth;
  const fits = box.height > innerHeight - 16;
  const whole = box.top >= 0 && box.bottom <= innerHeight;
  if (!seen || !(whole || fits)) faults.push(`${name} is out of sight`);
  const ringed = parseFloat(look.outlineWidth) >= 3 && look.boxShadow !== "none" &&
    !look.boxShadow.endsWith(" 0px");
  if (!ringed) faults.push(`${name}: ${look.outline}, ${look.boxShadow}`);
  const top = document.elementFromPoint(
    (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2,
    (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2);
  const covered = top && !e.contains(top) && !top.contains(e);
  if (covered) faults.push(`${name} is under ${top.outerHTML.slice(0, 80)}`);
  return faults;
}"""
STOPS = """() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => e.type !== "radio" && e.tabIndex >= 0).length"""


@pytest.mark.parametrize(("who", "path"), EACH)
def test_without_scripts_pictures_and_styles_it_can_be_read_and_sent(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    page = visit(who, scripts=False)
    page.goto(path.format(**site.facts))
    assert page.evaluate(LOOKS) == []
    page.route("**/*.{css,svg,png,jpg,webp,woff2}*", lambda route: route.abort())
    page.goto(path.format(**site.facts))
    # What /design shows in every state is not there to be sent.
    assert path == "/design" or page.evaluate(BARE) == []


@pytest.mark.parametrize(("who", "path"), EACH)
def test_by_keyboard_at_400_percent_nothing_is_out_of_reach_or_sight(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    page = visit(who, width=320, height=256)  # 1280 by 1024, four times as large
    page.goto(path.format(**site.facts))
    page.locator(".skip").focus()
    stops, wrong = page.evaluate(STOPS), []
    for stop in range(stops + 30):
        if page.evaluate("document.activeElement === document.body"):
            assert stop >= stops
            break
        wrong += page.evaluate(FOCUS)
        page.keyboard.press("Tab")
    else:
        wrong.append("the focus does not come to an end")
    assert wrong == []


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_larger_text_loses_nothing(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    page = visit(who, width=640, height=900)
    page.goto(path.format(**site.facts))
    page.evaluate("document.documentElement.style.fontSize = '250%'")
    page.evaluate(SPACED)
    assert page.evaluate(LOOKS) == []


@pytest.mark.parametrize("look", ["20.light", "30.light.ar"])
@pytest.mark.parametrize(("who", "path"), PAGES)
def test_wider_spaced_text_loses_nothing_on_a_phone(
    visit: Visitors, site: Site, who: str, path: str, look: str
) -> None:
    page = visit(who, look=look)
    page.goto(path.format(**site.facts))
    page.evaluate(SPACED)
    assert page.evaluate(LOOKS) == []


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_in_forced_colours_every_button_and_field_has_an_edge(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    page = visit(who, forced_colors="active")
    page.goto(path.format(**site.facts))
    assert page.evaluate(LOOKS) == []
    faint = page.evaluate(
        """() => [...document.querySelectorAll("button, .button, select, textarea,"
          + "input:not([type=hidden], [type=radio], [type=checkbox])")]
          .filter((e) => parseFloat(getComputedStyle(e).borderTopWidth) < 2)
          .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert faint == []


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_nothing_moves_for_who_wants_no_motion(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    page = visit(who)
    page.goto(path.format(**site.facts))
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) => {
          const look = getComputedStyle(e);
          return look.transitionDuration.split(", ").some((time) => time !== "0s") ||
            !["none", "settle"].includes(look.animationName) ||
            look.scrollBehavior === "smooth";
        }).map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert moving == []


def send_empty(page: "Page", path: str, button: str) -> None:
    """Send the form as it is, and wait until the page says what is wrong."""
    page.goto(path)
    page.get_by_role("button", name=button, exact=True).click()
    page.locator(".summary:focus").wait_for()
    assert page.title().startswith("Error: ")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    ("who", "path", "button"),
    [
        ("", "/sign-in", "Send me a link"),
        ("rosa", "/people/new", "Go on"),
        ("rosa", f"{ROSA}/medicines/new", "Go on"),
        ("rosa", f"{ROSA}/sharing/links", "Make the link"),
        ("rosa", f"{ROSA}/reports", "Save"),
    ],
)
def test_a_form_sent_empty_says_what_to_do(
    visit: Visitors, who: str, path: str, button: str, width: int
) -> None:
    page = visit(who, width=width)
    send_empty(page, path, button)
    assert faults(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field = page.evaluate("document.activeElement.getAttribute('aria-invalid')")
    assert field == "true"
