"""What holds on every page: nothing clipped, nothing too small, nothing too faint."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from pillweb.base.clock import now
from tests.e2e.conftest import Site, Visitors

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOOKS = Path(__file__).with_name("looks.js").read_text("utf-8")
# Width, what the device wants, and what the person chose.
SIZES: list[tuple[int, Literal["light", "dark"], str]] = [
    (320, "light", ""),
    (320, "dark", ""),
    (320, "dark", "20.light"),
    (320, "light", "30.contrast"),
    (768, "light", "24.dark"),
    (1280, "light", ""),
    (1280, "light", "24.contrast"),
    (1280, "dark", "30.system"),
]
ROSA = "/patients/1"
SOON = now().date() + timedelta(days=7)
QUESTIONS = (
    "",
    "/0/medicine",
    "/0/more",
    "/0/how",
    "/0/times",
    "/0/days",
    "/0/dates",
    "/1/steps",
    "/2/interval",
    "/3/needed",
    "/4/once",
    "/0/text",
)
PAGES = [
    ("", "/sign-in"),
    ("", "/sign-up"),
    ("", "/forgotten"),
    ("", "/help"),
    ("", "/look"),
    ("", "/design"),
    ("", "/mailbox"),
    ("", "/nowhere"),
    ("", "/s/wrong"),
    ("", "{share}"),
    ("rosa", "/demo"),
    ("rosa", "/people/new"),
    ("rosa", f"{ROSA}/today"),
    ("rosa", f"{ROSA}/calendar"),
    ("rosa", f"{ROSA}/days/{now().date()}"),
    ("rosa", f"{ROSA}/medicines"),
    ("rosa", f"{ROSA}/medicines/new"),
    ("rosa", f"{ROSA}/medicines/import"),
    ("marta", "/patients/{difficult}/medicines/import"),
    ("rosa", f"{ROSA}/medicines/5"),
    ("rosa", f"{ROSA}/supply"),
    ("rosa", f"{ROSA}/supply/2"),
    ("rosa", f"{ROSA}/supply/2/received"),
    ("rosa", f"{ROSA}/supply/2/counted"),
    ("rosa", f"{ROSA}/supply/2/gone"),
    ("rosa", f"{ROSA}/supply/2/refill"),
    ("rosa", f"{ROSA}/supply/pack?from={SOON}&to={SOON}"),
    ("rosa", f"{ROSA}/medicines/5/stop"),
    ("rosa", f"{ROSA}/medicines/5/pause"),
    ("rosa", f"{ROSA}/medicines/5/history"),
    *(("marta", f"{{draft}}{question}") for question in QUESTIONS),
    ("rosa", f"{ROSA}/meals"),
    ("rosa", f"{ROSA}/travel"),
    ("rosa", f"{ROSA}/sharing"),
    ("rosa", f"{ROSA}/reports"),
    ("rosa", f"{ROSA}/reports/now"),
    ("marta", "/people"),
    ("marta", "/patients/{difficult}/today"),
    ("marta", "/patients/{difficult}/calendar"),
    ("marta", "/patients/{difficult}/medicines"),
    ("marta", "/patients/{difficult}/supply"),
    ("marta", "/patients/{difficult}/reports/now"),
]


def faults(page: "Page") -> list[str]:
    """Return what is wrong with the page that is open."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - it may lack

    stricter = {"color-contrast-enhanced": {"enabled": True}}
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": stricter})
    looks: list[str] = page.evaluate(LOOKS)
    return looks + [
        f"{violation['id']}: {node['target']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_page_is_readable_and_easy_to_hit(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    wrong = {}
    for width, scheme, look in SIZES:
        page = visit(who, width=width, color_scheme=scheme, look=look)
        page.goto(path.format(**site.facts))
        wrong[width, scheme, look] = faults(page)
        page.context.close()
    assert {where: what for where, what in wrong.items() if what} == {}


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    ("who", "path", "button"),
    [
        ("", "/sign-in", "Sign in"),
        ("rosa", "/people/new", "Go on"),
        ("rosa", f"{ROSA}/medicines/new", "Go on"),
        ("rosa", f"{ROSA}/sharing", "Make the link"),
        ("rosa", f"{ROSA}/reports", "Save"),
    ],
)
def test_a_form_sent_empty_says_what_to_do(
    visit: Visitors, who: str, path: str, button: str, width: int
) -> None:
    page = visit(who, width=width)
    page.goto(path)
    page.get_by_role("button", name=button, exact=True).click()
    page.locator(".summary:focus").wait_for()
    assert page.title().startswith("Error: ")
    assert faults(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field = page.evaluate("document.activeElement.getAttribute('aria-invalid')")
    assert field == "true"


# As WCAG 2.2, 1.4.12 asks; a style sheet of ours would be refused by the page.
SPACED = """() => {
  for (const e of document.querySelectorAll("body, body *")) {
    e.style.setProperty("line-height", "1.5", "important");
    e.style.setProperty("letter-spacing", "0.12em", "important");
    e.style.setProperty("word-spacing", "0.16em", "important");
    if (e.matches("p")) e.style.setProperty("margin-block-end", "2em", "important");
  }
}"""


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_larger_text_loses_nothing(
    visit: Visitors, site: Site, who: str, path: str
) -> None:
    page = visit(who, width=640, height=900)
    page.goto(path.format(**site.facts))
    page.evaluate("document.documentElement.style.fontSize = '250%'")
    page.evaluate(SPACED)
    assert page.evaluate(LOOKS) == []


@pytest.mark.parametrize("look", ["20.light", "30.light"])
@pytest.mark.parametrize(("who", "path"), PAGES)
def test_wider_spaced_text_loses_nothing_on_a_phone(
    visit: Visitors, site: Site, who: str, path: str, look: str
) -> None:
    page = visit(who, look=look)
    page.goto(path.format(**site.facts))
    page.evaluate(SPACED)
    assert page.evaluate(LOOKS) == []
