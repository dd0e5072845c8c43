"""A tablet on the wall says over the whole page what it is told, once."""

import subprocess
import sys

from pillweb.base.tokens import new_token
from tests.e2e.conftest import Visitors
from tests.e2e.pages import faults
from tests.e2e.site import Site
from tests.services import ROOT

WORDS = "It is 8am. Time for your medicines."
WAITING = "async key => (await (await fetch('/live/' + key)).json()).length"


def tell(site: Site, key: str) -> None:
    command = [sys.executable, "-m", "tests.e2e.wall", key, WORDS]
    subprocess.run(command, cwd=ROOT, env=site.env, check=True)


def test_an_open_page_says_it_over_all_else_until_the_one_button_is_pressed(
    visit: Visitors, site: Site
) -> None:
    key = new_token()
    tell(site, key)
    page = visit("rosa", width=1280)
    page.goto("/help")
    page.evaluate("key => localStorage.setItem('pillweb-live', key)", key)
    page.goto("/patients/1/today")
    wall = page.get_by_role("dialog")
    wall.get_by_text(WORDS).wait_for()
    box = wall.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (1280, 640)
    assert faults(page) == []
    assert wall.get_by_role("button").count() == 1
    wall.get_by_role("button").click()
    wall.wait_for(state="detached")
    for _ in range(100):
        if page.evaluate(WAITING, key) == 0:
            break
        page.wait_for_timeout(100)
    assert page.evaluate(WAITING, key) == 0
    page.reload()
    page.get_by_role("button", name="Ring aloud here").click()
    page.get_by_text("This page rings aloud while it is open.").wait_for()
    assert wall.count() == 0


def test_a_page_that_nobody_switched_on_asks_for_nothing(visit: Visitors) -> None:
    page = visit("rosa")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/patients/1/today")
    page.get_by_role("button", name="Read aloud").wait_for()
    assert page.get_by_role("button", name="Ring aloud here").count() == 0
    assert not [url for url in asked if "/live" in url]
