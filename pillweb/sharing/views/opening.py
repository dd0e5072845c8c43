"""The page behind a shared link: a button, and a PIN where it has one."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.browsers import browser_name
from pillweb.base.clock import now
from pillweb.sharing.actions.linking import note_link_use, try_pin
from pillweb.sharing.forms import PinForm
from pillweb.sharing.queries.doors import share_link_of
from pillweb.sharing.rules import LONGEST_DEVICE, PAGES, PINS_ALLOWED
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import remember_share

openings = Blueprint("openings", __name__)

GUESSES = "30 per 10 minutes"


@openings.get("/s/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_share(token: str) -> ResponseReturnValue:
    """Show one button: mail scanners open links, people press buttons."""
    row = share_link_of(session(), token, now=now())
    return page(
        "sharing/open.html",
        action=f"/s/{token}",
        shown=shown_here(),
        form=PinForm() if row.pin_hash else None,
        tries_left=PINS_ALLOWED - row.wrong_pins if row.wrong_pins else None,
    )


@openings.post("/s/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_share(token: str) -> ResponseReturnValue:
    """Open a link in this browser, and leave its secret behind."""
    row = share_link_of(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/s/{token}"))
    if row.pin_hash and not try_pin(session(), row, PinForm().digits):
        # Sent on, not refused: a refusal would take back that the try was counted.
        return go(f"/s/{token}")
    named = browser_name(
        request.headers.get("User-Agent", ""), request.headers.get("Sec-CH-UA", "")
    )
    note_link_use(session(), row, device=named[:LONGEST_DEVICE], now=now())
    remember_share(row.token_hash)
    first = next(name for name in PAGES if name in row.pages)
    return go(f"/shared/{row.id}/{first}")
