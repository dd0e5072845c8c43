"""What does a first visit to Today cost an old tablet on a slow line?

In a real browser with an empty cache: bytes as they are served, and the time until
something can be read. The line is WebPageTest's "3G Slow" (400 kbit/s, 400 ms there and
back), the processor is six times slower than this machine's.
"""

import statistics
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.table import Answer
from tools.browser import QUIET, find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS = 5
TODAY = "/patients/1/today"
SLOWER = 6
LINE = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}
KINDS = {
    "Document": "HTML",
    "Stylesheet": "CSS",
    "Script": "JavaScript",
    "Font": "fonts",
    "Image": "images",
    "Other": "images",  # the icon in the tab
}
# What the browser itself notes, in milliseconds from the start of the navigation.
NOTED = """() => new Promise((done) => {
  const found = { layout: 0, blocked: 0 };
  const watch = (type, hear) => new PerformanceObserver((list) =>
    list.getEntries().forEach(hear)).observe({ type, buffered: true });
  watch("paint", (one) => { found[one.name] = one.startTime; });
  watch("largest-contentful-paint", (one) => { found.largest = one.startTime; });
  watch("layout-shift", (one) => { found.layout += one.value; });
  watch("longtask", (one) => { found.blocked += one.duration - 50; });
  const [way] = performance.getEntriesByType("navigation");
  found.answered = way.responseStart;
  found.ready = way.domContentLoadedEventEnd;
  setTimeout(() => done(found), 100);
})"""


def answer(folder: Path) -> Answer:
    """Measure it in this machine's Chromium, or say why not."""
    found = Answer("budget")
    chromium = find_browser()
    if chromium is None or find_spec("playwright") is None:
        print("\nbudget: not measured, there is no browser (`make bench` brings one)")
        return found
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may lack

    from tests.e2e.site import running_site  # noqa: PLC0415 - of the dev packages

    with (
        running_site(folder, "tests.e2e.family") as site,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=QUIET)
        signed_in = _signed_in(browser, site.url, site.facts)
        visits = [_visit(browser, site.url, signed_in) for _ in range(ROUNDS + 1)]
        browser.close()
    _add(found, visits[1:])
    return found


def _signed_in(browser: "Browser", url: str, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401
    with browser.new_context(base_url=url) as context:
        page = context.new_page()
        page.goto("/sign-in/password")
        page.get_by_label("Your e-mail address").fill(facts["rosa"])
        page.get_by_label("Your password").fill(facts["password"])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        return context.storage_state()


def _visit(browser: "Browser", url: str, signed_in: Any) -> dict[str, float]:  # noqa: ANN401
    """Open Today once with nothing kept; return bytes by kind and moments in ms."""
    context = browser.new_context(
        base_url=url,
        storage_state=signed_in,
        viewport={"width": 800, "height": 1280},
        service_workers="block",
    )
    page = context.new_page()
    wire = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    wire.on(
        "Network.responseReceived",
        lambda said: kinds.update({said["requestId"]: said["type"]}),
    )
    wire.on(
        "Network.loadingFinished",
        lambda said: sizes.update({said["requestId"]: int(said["encodedDataLength"])}),
    )
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", LINE)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(TODAY, wait_until="networkidle")
    seen: dict[str, float] = dict.fromkeys(KINDS.values(), 0) | page.evaluate(NOTED)
    for one, size in sizes.items():
        kind = KINDS.get(kinds[one], "other")
        seen[kind] = seen.get(kind, 0) + size
    context.close()
    return seen


def _add(found: Answer, visits: list[dict[str, float]]) -> None:
    middle = {
        name: statistics.median(visit.get(name, 0) for visit in visits)
        for name in visits[0]
    }
    kinds = [
        kind for kind in dict.fromkeys((*KINDS.values(), "other")) if kind in middle
    ]
    whole = sum(middle[kind] for kind in kinds if kind != "images")
    goals = {"HTML": 30}
    for kind in kinds:
        found.add(kind, middle[kind] / 1000, at_most=goals.get(kind), unit="kB")
    found.add("all but images", whole / 1000, at_most=50, unit="kB")
    slow = {
        "first content": ("first-contentful-paint", 1.0),
        "largest content": ("largest", 2.5),
        "answers taps everywhere (scripts have run)": ("ready", None),
        "the server's first byte": ("answered", None),
        "processor busy beyond 50 ms at once": ("blocked", 0.2),
    }
    for words, (name, goal) in slow.items():
        found.add(words, middle.get(name, 0) / 1000, at_most=goal, unit="s")
    found.add("what moves while loading (CLS)", middle["layout"], at_most=0.1, unit="")
