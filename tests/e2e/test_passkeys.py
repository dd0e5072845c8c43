"""Passkeys in a real browser, whose device is a virtual one (WebDriver over CDP)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Visitors
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page, Request

WAYS, NEW = "/account/sign-in", "/account/passkeys/new"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def device(visit: Visitors, site: Site) -> Iterator[tuple["Page", "CDPSession", str]]:
    """Marta's phone, which makes passkeys; signed in there for this test alone."""
    page = visit()
    page.goto("/sign-in/password")
    page.get_by_label("Your e-mail address").fill(site.facts["marta"])
    page.get_by_label("Your password").fill(site.facts["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield page, cdp, made["authenticatorId"]
    cdp.detach()


def add(page: "Page", name: str) -> None:
    page.goto(WAYS)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("What do you call it?").fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("You can sign in with this passkey now.").wait_for()


def test_a_passkey_from_beginning_to_end(
    device: tuple["Page", "CDPSession", str],
) -> None:
    """(36) Added, used to sign in without typing, used to prove it, removed."""
    page, cdp, known = device
    add(page, "Marta's phone")
    assert page.get_by_role("heading", name="Marta's phone").count() == 1
    found = cdp.send("WebAuthn.getCredentials", {"authenticatorId": known})
    (key,) = found["credentials"]
    assert key["isResidentCredential"]
    assert key["rpId"] == "localhost"

    # The same device makes no second one.
    page.goto(NEW)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("This device has a passkey already.").wait_for()

    page.goto("/people")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/people")
    page.goto(WAYS)
    page.get_by_text("Used in the last hour").wait_for()

    page.goto("/sign-in/again?next=/account/contacts")
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(lambda url: "again" not in url)
    assert page.url.endswith("/account/contacts")

    page.goto(WAYS)
    page.get_by_role("link", name="Remove it Marta's phone").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("This passkey signs nobody in any more.").wait_for()
    page.goto("/people")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("That did not work. Nothing was changed. Try again.").wait_for()
    page.get_by_label("Your e-mail address").wait_for()


def asks(page: "Page") -> list[str]:
    """Note what the page asks for to be signed from now on."""
    found: list[str] = []

    def note(request: "Request") -> None:
        if request.url.endswith("/ask"):
            found.append(request.url)

    page.on("request", note)
    return found


def test_a_touch_of_the_field_offers_the_passkey_that_is_there(
    device: tuple["Page", "CDPSession", str],
) -> None:
    """The virtual device takes what it is offered: nothing is typed or pressed."""
    page, _cdp, _known = device
    add(page, "Offered")
    page.goto("/people")
    page.get_by_role("button", name="Sign out").click()
    field = page.get_by_label("Your e-mail address")
    assert field.get_attribute("autocomplete") == "username webauthn"
    asked = asks(page)
    page.wait_for_timeout(500)
    assert asked == []
    field.click()
    page.wait_for_url("**/people")
    assert len(asked) == 1
    page.goto(WAYS)
    page.get_by_role("link", name="Remove it Offered").click()
    page.get_by_role("button", name="Remove it").click()


def test_a_field_that_is_touched_again_and_again_asks_once(visit: Visitors) -> None:
    """Without a passkey the page stays as it is, and mail signs in."""
    page = visit()
    page.goto("/sign-in")
    asked = asks(page)
    field = page.get_by_label("Your e-mail address")
    for _ in range(3):
        field.click()
        field.blur()
    field.fill("marta@family.example")
    page.wait_for_timeout(300)
    assert len(asked) <= 1
    assert page.url.endswith("/sign-in")
    assert page.get_by_text("That did not work.").count() == 0


def test_who_says_no_to_the_device_reads_that_nothing_was_done(
    device: tuple["Page", "CDPSession", str],
) -> None:
    page, cdp, known = device
    refuses = {"authenticatorId": known, "isUserVerified": False}
    cdp.send("WebAuthn.setUserVerified", refuses)
    page.goto(NEW)
    page.get_by_label("What do you call it?").fill("Refused")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("That did not work. Nothing was changed. Try again.").wait_for()
    page.goto(WAYS)
    assert page.get_by_role("link", name="Remove it Refused").count() == 0


def test_without_scripts_there_is_no_button(visit: Visitors) -> None:
    page = visit(scripts=False)
    page.goto("/sign-in")
    assert page.get_by_role("button", name="Send me a link").is_visible()
    assert not page.get_by_role("button", name="Sign in with a passkey").is_visible()
    page = visit("marta", scripts=False)
    page.goto(WAYS)
    assert not page.get_by_role("link", name="Add a passkey").is_visible()
    page.goto(NEW)
    assert not page.get_by_role("button", name="Add a passkey").is_visible()
    assert page.get_by_text("Passkeys do not work here.").is_visible()


def test_a_password_is_measured_when_it_was_typed(visit: Visitors) -> None:
    page = visit("marta")
    page.goto("/account/password")
    field = page.get_by_label("Your new password")
    field.fill("password1")
    field.press("Tab")
    page.get_by_text("This password is easy to guess.").wait_for()
    field.fill("correct horse battery 7 staple")
    field.press("Tab")
    page.get_by_text("This password is very hard to guess.").wait_for()
