"""What pages of signing in share: which browser it is, what is asked and told."""

from flask import Response, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.passkeys import Asked, Browser
from pillweb.accounts.actions.telling import tell_change
from pillweb.base.browsers import browser_name
from pillweb.base.clock import now
from pillweb.web.security import client_key
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import (
    asked_challenge,
    current_viewer,
    remember_challenge,
    signed_in,
)

CHALLENGES = "100 per hour"


def this_browser() -> str:
    """Return what this browser is called."""
    return browser_name(
        request.headers.get("User-Agent", ""), request.headers.get("Sec-CH-UA", "")
    )


def account_key() -> str:
    """Return whom a limit counts: an account, wherever it is signed in."""
    # To raise here would count as a limiter that is out of order.
    viewer = current_viewer()
    return f"account:{viewer.account_id}" if viewer else client_key()


def browser_here() -> Browser:
    """Return which browser it is, of somebody who is signed in."""
    return Browser(asked_challenge(), signed_in().session_id)


def give(asked: Asked) -> ResponseReturnValue:
    """Answer our script with what a passkey is to sign."""
    remember_challenge(asked.secret)
    return Response(asked.options, mimetype="application/json")


def answered() -> str:
    """Return what the browser's passkey said, as our script sent it."""
    return request.form.get("answer", "")


def tell(account_id: int, change: str) -> None:
    """Mail an account what was changed here in how it is signed in to."""
    tell_change(session(), account_id, change, device=this_browser(), now=now())
    wake_after_commit("deliver")
