"""Every page in every language, theme, size and width."""

import re
from typing import TYPE_CHECKING

import pytest

from pillweb.base.i18n import LANGUAGES
from pillweb.base.look import SIZES
from tests.e2e.conftest import Visitors
from tests.e2e.pages import LOOKS, MAIN, PAGES, breaches
from tests.e2e.site import Site
from tests.services import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

# axe looks at one width each, in turn; overflow and targets are measured at all.
THEMES = {"light": 320, "dark": 768, "contrast": 1280}
WIDTHS = tuple(THEMES.values())
QUICK = {"en", "ar"}
SCREENS = ROOT / "var" / "screens"
EVERYTHING = [
    pytest.param(
        *page,
        language,
        marks=pytest.mark.quick if page in MAIN and language in QUICK else (),
    )
    for page in PAGES
    for language in LANGUAGES
]


def picture(page: "Page", path: str, look: str, width: int) -> None:
    """Keep a picture of the page for a person to look at."""
    name = re.sub(r"\W+", "-", path).strip("-")
    page.screenshot(path=SCREENS / f"{name}.{look}.{width}.png", full_page=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("who", "path", "language"), EVERYTHING)
def test_a_page_is_readable_and_easy_to_hit(
    visit: Visitors, site: Site, who: str, path: str, language: str
) -> None:
    page = visit(who)
    at = list(LANGUAGES).index(language)
    wrong = {}
    for turn, theme in enumerate(THEMES):
        size = list(SIZES)[(at + turn) % len(SIZES)]
        look = f"{size}.{theme}.{language}"
        page.context.add_cookies([{"name": "look", "value": look, "url": site.url}])
        page.goto(path.format(**site.facts))
        assert page.locator("html").get_attribute("lang") == language
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 640})
            wrong[look, width] = page.evaluate(LOOKS)
            if (who, path) in MAIN:
                picture(page, path, look, width)
        width = WIDTHS[(at + turn) % len(WIDTHS)]
        page.set_viewport_size({"width": width, "height": 640})
        wrong[look, width] += breaches(page)
    assert {where: what for where, what in wrong.items() if what} == {}
