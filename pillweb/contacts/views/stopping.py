"""The page behind the link that stops messages (RFC 8058), where nobody signs in."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.contacts.actions.changing import start_contact, stop_contact
from pillweb.contacts.models import ContactPoint
from pillweb.contacts.queries import contact_to_stop, ways_to_remind
from pillweb.contacts.rules import STOPPED, is_reached
from pillweb.contacts.views.points import label_of
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit

stops = Blueprint("stops", __name__)
# A mail program presses it for its reader: no cookie, no sign-in, no redirect.
csrf.exempt(stops)

GUESSES = "30 per 10 minutes"
ONE_CLICK = "One-Click"


def _stop_page(token: str, contact: ContactPoint) -> ResponseReturnValue:
    patient_id = contact.patient_id
    left = (
        ways_to_remind(session(), patient_id, besides=contact.id) if patient_id else ()
    )
    return page(
        "contacts/stop.html",
        action=f"/u/{token}",
        shown=shown_here(),
        label=label_of(contact.channel),
        for_helper=patient_id is None,
        is_stopped=contact.state == STOPPED,
        is_last=patient_id is not None and not is_reached(left, has_lost=True),
    )


@stops.get("/u/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_stop(token: str) -> ResponseReturnValue:
    """Show what would stop, and one button; nothing is stopped by looking."""
    return _stop_page(token, contact_to_stop(session(), token))


@stops.post("/u/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_stop(token: str) -> ResponseReturnValue:
    """Stop the messages to one address; pressed twice it stays stopped."""
    contact = contact_to_stop(session(), token)
    is_one_click = request.form.get("List-Unsubscribe") == ONE_CLICK
    if not is_one_click and not is_pressed():
        return go(once_more(f"/u/{token}"))
    stop_contact(session(), contact, now=now())
    wake_after_commit("deliver")
    if is_one_click:
        return _stop_page(token, contact)
    return go(f"/u/{token}")


@stops.post("/u/<token>/start")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_start(token: str) -> ResponseReturnValue:
    """Send messages to a stopped address again."""
    contact = contact_to_stop(session(), token)
    if not is_pressed():
        return go(once_more(f"/u/{token}"))
    start_contact(session(), contact, now=now())
    return go(f"/u/{token}")
