"""A push arrives at the real service worker: it shows, tells so, and is answered."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from pillweb.channels.marks import MARK_CHARS
from tests.e2e.conftest import Visitors
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

Deliver = Callable[[str], None]
SHOWN = """navigator.serviceWorker.ready
  .then((worker) => worker.getNotifications())
  .then((all) => all.map(({ title, body, tag, data, requireInteraction, silent }) =>
    ({ title, body, tag, data, requireInteraction, silent })))"""
CLICK = """async (action) => {
  const [notification] = await self.registration.getNotifications();
  const clicked = { notification, action };
  self.dispatchEvent(new NotificationEvent("notificationclick", clicked));
}"""


@pytest.fixture
def page(visit: Visitors) -> "Page":
    """Rosa's browser, which keeps Today and lets us notify."""
    page = visit("rosa")
    page.context.grant_permissions(["notifications"])
    page.goto("/patients/1/today")
    page.evaluate("navigator.serviceWorker.register('/sw.js')")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


@pytest.fixture
def push(page: "Page", site: Site) -> Iterator[Deliver]:
    """Deliver a payload to the worker as the browser's push service would."""
    cdp: CDPSession = page.context.new_cdp_session(page)
    found: list[str] = []
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(
            one["registrationId"] for one in told["registrations"]
        ),
    )
    cdp.send("ServiceWorker.enable")
    while not found:
        page.wait_for_timeout(100)

    def deliver(data: str) -> None:
        told = {"origin": site.url, "registrationId": found[-1], "data": data}
        cdp.send("ServiceWorker.deliverPushMessage", told)

    yield deliver
    cdp.detach()


def shown(page: "Page", title: str) -> dict[str, Any]:
    """Wait for a notification with this title; return it."""
    for _ in range(50):
        for one in page.evaluate(SHOWN):
            if title in one["title"]:
                return dict(one)
        page.wait_for_timeout(100)
    return pytest.fail(f"{title} was not shown, but {page.evaluate(SHOWN)}")


def payload(site: Site, **more: object) -> str:
    token = site.facts["links"]["t"].rpartition("/")[2]
    answers = [
        {"verb": verb, "label": verb, "url": f"{site.url}/t/{token}/direct/{verb}"}
        for verb in ("taken", "later", "skip")
    ]
    told = {
        "title": "Time for your medicines",
        "body": "8am",
        "link": f"{site.url}/t/{token}",
        "tag": "topic",
        "id": 1,
        "receipt": "0" * MARK_CHARS,
        "answers": answers,
        "silent": False,
    }
    return json.dumps(told | more)


def test_a_push_shows_and_its_button_records(
    page: "Page",
    push: Deliver,
    site: Site,
) -> None:
    with closing(sqlite3.connect(site.folder / "pillweb.db", timeout=10)) as db, db:
        db.execute("update reminder_link set channel = 'webpush'")
    with page.context.expect_event("request", lambda one: "/hooks/push" in one.url):
        push(payload(site))
    found = shown(page, "Time for your medicines")
    assert (found["body"], found["tag"]) == ("8am", "topic")
    assert found["requireInteraction"]
    worker = page.context.service_workers[0]
    worker.evaluate(CLICK, "taken")
    shown(page, "ecorded at")


def test_an_answer_that_is_not_recorded_is_loud(
    page: "Page",
    push: Deliver,
    site: Site,
) -> None:
    wrong = [
        {"verb": "taken", "label": "Taken", "url": f"{site.url}/t/wrong/direct/taken"}
    ]
    push(payload(site, answers=wrong, tag="wrong"))
    shown(page, "Time for your medicines")
    page.context.service_workers[0].evaluate(CLICK, "taken")
    found = shown(page, "Not saved. Press here.")
    assert found["requireInteraction"]
    assert not found["silent"]


def test_nonsense_still_shows_something(page: "Page", push: Deliver) -> None:
    push("nonsense")
    shown(page, "PillWeb")
