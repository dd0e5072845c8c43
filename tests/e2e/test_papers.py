"""From the button to the printed code, and from the code to the dose."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.site import READING_MS, Site


def scan(site: Site, patient: str, token: str) -> str:
    """Give the newest code of a patient a secret we know; return its path.

    The printed one is in a picture, and the one that is kept is encrypted.
    """
    digest = hashlib.sha256(token.encode()).digest()
    newest = "select max(id) from paper_code where patient_id = ?"
    with closing(sqlite3.connect(site.folder / "pillweb.db", timeout=10)) as db, db:
        db.execute(
            f"update paper_code set token_hash = ? where id = ({newest})",  # noqa: S608
            (digest, int(patient.rpartition("/")[2])),
        )
    return f"/p/{token}"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_sheet_is_made_scanned_answered_and_made_void(
    visit: Visitors, site: Site, next_neighbour: Callable[[], str], *, scripts: bool
) -> None:
    patient = next_neighbour()
    marta = visit("marta", scripts=scripts)
    marta.goto(f"{patient}/medicines")
    marta.get_by_role("link", name="Print a weekly sheet").click()
    marta.get_by_role("button", name="Make the sheet").click()
    file = marta.get_by_role("link", name="Open the file and print it")
    while not scripts and not file.is_visible():
        marta.get_by_role("link", name="Look again").click()
    file.wait_for(timeout=60_000)
    assert marta.locator(".code").count() == 1
    path = scan(site, patient, f"{'with' if scripts else 'without'}-scripts")
    phone = visit(scripts=scripts)
    phone.goto(path)
    phone.wait_for_timeout(READING_MS)
    phone.get_by_role("button", name="I have taken all 3").press("Enter")
    phone.get_by_text("Recorded at").wait_for()
    phone.wait_for_timeout(READING_MS)
    phone.get_by_role("button", name="Undo").click()
    phone.get_by_role("button", name="I have taken all 3").wait_for()
    marta.goto(f"{patient}/papers/week")
    marta.get_by_role("button", name="Make old sheets void").click()
    marta.get_by_text("No code on an old sheet works any more.").wait_for()
    phone.goto(path)
    assert phone.get_by_role("heading", level=1).inner_text() == (
        "This link does not work"
    )
