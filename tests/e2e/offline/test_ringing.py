"""A page left open rings at its moments, and hears an answer by voice."""

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.offline.pages import TAKE, keep

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

SHOWN = """navigator.serviceWorker.ready
  .then((worker) => worker.getNotifications())
  .then((all) => all.map((one) => one.title))"""


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
    page.wait_for_timeout(1000)
    assert page.evaluate(SHOWN) == ["It is 8am. Time for your medicines."] * 2


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
    for _ in range(400):
        if "It is time." in page.evaluate(SHOWN):
            return
        page.wait_for_timeout(100)
    pytest.fail("it did not ring")
