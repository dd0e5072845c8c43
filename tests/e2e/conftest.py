"""A real browser before the real app: web server, clock and database of their own."""

import base64
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.services import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_S = 30
SERVER = ("gunicorn", "--config", "python:pillweb.web.server", "app:app")


@dataclass(frozen=True)
class Site:
    """A running PillWeb."""

    url: str
    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    server: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def crash(self) -> None:
        """Kill the web server and its workers: nobody answers from now on."""
        pid = self.server[-1].pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, workers)):
            os.kill(one, signal.SIGKILL)
        self.server[-1].wait(PATIENCE_S)

    def serve(self) -> None:
        """Start the web server, once more after a crash."""
        command = [sys.executable, "-m", *SERVER]
        self.server.append(subprocess.Popen(command, cwd=ROOT, env=self.env))
        _wait_until_it_answers(f"{self.url}/help")

    def count_events(self, dose_id: str) -> int:
        """Return how many events a dose has."""
        with closing(sqlite3.connect(self.folder / "pillweb.db")) as db:
            sql = "select count(*) from dose_event where dose_id = ?"
            (found,) = db.execute(sql, (dose_id,)).fetchone()
            return int(found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


@contextmanager
def _site(folder: Path, module: str, *arguments: str) -> Iterator[Site]:
    """Run PillWeb in a folder, its database made by a module's command."""
    port = _free_port()
    env = os.environ | {
        "SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "DATABASE_URL": f"sqlite:///{folder}/pillweb.db",
        "REDIS_URL": "",
        "SMTP_URL": "",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "VAR_DIR": str(folder),
        "WEB_CONCURRENCY": "1",
    }
    made = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    facts = json.loads(made.stdout or "{}")
    site = Site(f"http://127.0.0.1:{port}", folder, facts, env)
    clock = subprocess.Popen([sys.executable, "-m", "jobs.clock"], cwd=ROOT, env=env)
    try:
        site.serve()
        yield site
    finally:
        for process in (*site.server, clock):
            process.terminate()
        for process in (*site.server, clock):
            process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """PillWeb with the demo family and some neighbours."""
    with _site(tmp_path_factory.mktemp("family"), "tests.e2e.family") as started:
        yield started


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """PillWeb as it is before anybody came."""
    with _site(tmp_path, "alembic", "upgrade", "head") as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A Chromium of this machine; without one, every test here is skipped."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may lack
    except ImportError:
        pytest.skip("playwright is not installed: run `make e2e`")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine: install one to run these")
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
        if who not in self.signed_in:
            context = self.browser.new_context(base_url=self.site.url)
            page = context.new_page()
            page.goto("/sign-in")
            page.get_by_label("Your e-mail address").fill(self.site.facts[who])
            page.get_by_label("Your password").fill(self.site.facts["password"])
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name="Sign out").wait_for()
            self.signed_in[who] = context.storage_state()
            context.close()
        return self.signed_in[who]

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
            kept = {"name": "look", "value": look, "url": self.site.url}
            context.add_cookies([kept])
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
