"""A real browser before the real app."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pillweb.accounts.rules import PROOF_LASTS
from tests.e2e.site import Site, running_site
from tools.browser import QUIET, find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


PROOF_S = PROOF_LASTS.total_seconds() / 2


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """PillWeb with the demo family and some neighbours."""
    with running_site(tmp_path_factory.mktemp("family"), "tests.e2e.family") as started:
        yield started


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """PillWeb as it is before anybody came."""
    with running_site(tmp_path, "alembic", "upgrade", "head") as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A Chromium; without one every test here fails, so that nothing is left unsaid."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may lack
    except ImportError:
        pytest.fail("playwright is not installed: run `make look` or `make e2e`")
    found = find_browser()
    if found is None:
        pytest.fail("there is no Chromium: `make look` fetches one, or install one")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


@dataclass
class Visitors:
    """Opens pages as somebody, and hears what the browser complains about."""

    browser: "Browser"
    site: Site
    signed_in: dict[str, Any]
    complaints: list[str] = field(default_factory=list)
    opened: list["BrowserContext"] = field(default_factory=list)

    def _state(self, who: str) -> Any:  # noqa: ANN401 - what Playwright keeps
        if who in self.site.facts.get("tablets", {}):
            return self._tablet(self.site.facts["tablets"][who])
        state, since = self.signed_in.get(who, (None, 0.0))
        # Sooner than anybody is asked again who they are.
        if state is None or time.monotonic() - since > PROOF_S:
            context = self.browser.new_context(base_url=self.site.url)
            page = context.new_page()
            page.goto("/sign-in/password")
            page.get_by_label("Your e-mail address").fill(self.site.facts[who])
            page.get_by_label("Your password").fill(self.site.facts["password"])
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name="Sign out").wait_for()
            state = context.storage_state()
            self.signed_in[who] = state, time.monotonic()
            context.close()
        return state

    def _tablet(self, secret: str) -> Any:  # noqa: ANN401 - what Playwright keeps
        context = self.browser.new_context()
        context.add_cookies([{"name": "tablet", "value": secret, "url": self.site.url}])
        state = context.storage_state()
        context.close()
        return state

    def __call__(
        self,
        who: str = "",
        *,
        width: int = 320,
        height: int = 640,
        color_scheme: Literal["light", "dark"] = "light",
        look: str = "",
        forced_colors: Literal["active", "none"] = "none",
        scripts: bool = True,
    ) -> "Page":
        """Return a new page of somebody signed in, or of a stranger."""
        context = self.browser.new_context(
            base_url=self.site.url,
            viewport={"width": width, "height": height},
            storage_state=self._state(who) if who else None,
            reduced_motion="reduce",
            color_scheme=color_scheme,
            forced_colors=forced_colors,
            java_script_enabled=scripts,
        )
        if look:
            context.add_cookies([{"name": "look", "value": look, "url": self.site.url}])
        context.set_default_timeout(10_000)
        self.opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        return page

    def _hear(self, kind: str, text: str) -> None:
        # The browser notes each answer of 400 and above; those are wanted here.
        if kind in {"error", "warning"} and "Failed to load resource" not in text:
            self.complaints.append(text)


@pytest.fixture(scope="session")
def _signed_in() -> dict[str, Any]:
    return {}


@pytest.fixture
def visit(
    browser: "Browser", site: Site, _signed_in: dict[str, Any]
) -> Iterator[Visitors]:
    """Opens pages before the family; at the end nothing may have been complained."""
    visitors = Visitors(browser, site, _signed_in)
    yield visitors
    for context in visitors.opened:
        context.close()
    assert visitors.complaints == []


@pytest.fixture(scope="session")
def next_neighbour(site: Site) -> Callable[[], str]:
    """Give the address of a neighbour nobody has tapped for yet."""
    left = iter(site.facts["neighbours"])
    return lambda: f"/patients/{next(left)}"
