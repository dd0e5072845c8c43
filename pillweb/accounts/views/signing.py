"""What pages with passkeys share: which browser it is, what it is asked and answers."""

from flask import Response, request
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.passkeys import Asked, Browser
from pillweb.base.browsers import browser_name
from pillweb.web.viewer import asked_challenge, remember_challenge, signed_in

CHALLENGES = "100 per hour"


def this_browser() -> str:
    """Return what this browser is called."""
    return browser_name(
        request.headers.get("User-Agent", ""), request.headers.get("Sec-CH-UA", "")
    )


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
