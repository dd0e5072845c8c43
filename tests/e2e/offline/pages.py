"""A browser that loses its connection, and what the rows hold then."""

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

TAKE = "I have taken it"
KEPT = "Kept on this device. We send it when there is a connection."
HELD = "caches.match(location.pathname).then(Boolean)"


# All that stays on a device: the pages, the answers and the notes.
LEFT = """(async () => {
  const kept = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const one of await cache.keys()) {
      kept.push(one.url + (await (await cache.match(one)).text()));
    }
  }
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      indexedDB.open(name).onsuccess = (event) => done(event.target.result);
    });
    for (const store of db.objectStoreNames) {
      const rows = await new Promise((done) => {
        const asked = db.transaction(store).objectStore(store).getAll();
        asked.onsuccess = () => done(asked.result);
      });
      kept.push(...rows.map((row) => JSON.stringify(row)));
    }
    db.close();
  }
  return kept;
})()"""


def keep(page: "Page", path: str) -> None:
    """Open a page once, and wait until the device has kept it."""
    page.goto(path)
    for _ in range(100):
        if page.evaluate(HELD):
            return
        page.wait_for_timeout(100)
    pytest.fail("the page was not kept")


def disconnect(page: "Page") -> None:
    page.context.set_offline(True)
    page.reload()
    page.get_by_text("No connection. This is your plan as of").wait_for()


def connect(page: "Page") -> None:
    page.context.set_offline(False)
    page.get_by_text("Sent from this device").wait_for(timeout=30_000)


def take(page: "Page", at: int = 0) -> str:
    """Press the button of a card, and return the number of its dose."""
    card = page.locator(".dose").nth(at)
    dose = (card.get_attribute("id") or "").removeprefix("dose-")
    card.get_by_role("button", name=TAKE).click()
    page.locator(f"#dose-{dose}").get_by_text("Taken. Waiting to be sent.").wait_for()
    return dose


def hold(page: "Page", pattern: str) -> "list[Route]":
    """Let nothing be answered that goes there; return what was asked so far."""
    held: list[Route] = []

    def stop(route: "Route") -> None:
        held.append(route)

    page.context.route(pattern, stop)
    return held


def events(site: Site, dose: str) -> list[tuple[str, str, bool]]:
    """Return what was said of a dose, from where, and whether it was said earlier."""
    with closing(sqlite3.connect(site.folder / "pillweb.db")) as db:
        sql = "select what, channel, at < entered_at from dose_event where dose_id = ?"
        return [
            (what, channel, bool(earlier))
            for what, channel, earlier in db.execute(f"{sql} order by id", (dose,))
        ]
