"""Which tablet this is: a secret in a cookie of its own.

It is not in the cookie of who signs in: a helper may sign in on the tablet and out
again, and it is as it was.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from flask import Flask, Response, g, request, session

from pillweb.base.config import settings
from pillweb.base.viewer import Tablet
from pillweb.web.transaction import SAFE

# 400 days is as long as browsers keep a cookie.
LASTS = timedelta(days=400)
BEGIN = "/tablet"
RENEWED_EVERY = timedelta(days=1)

Load = Callable[[str], Tablet | None]
Seen = Callable[[Tablet, bool], None]


class _Install(NamedTuple):
    load: Load
    seen: Seen
    closes_after: timedelta


def _is_secure() -> bool:
    return settings().public_url.startswith("https://")


def _cookie() -> str:
    return "__Host-tablet" if _is_secure() else "tablet"


def tablet_secret() -> str:
    """Return the secret of the tablet that this is or was; empty for none."""
    return request.cookies.get(_cookie(), "")


def current_tablet() -> Tablet | None:
    """Return which tablet asks, or None; asked anew in every request."""
    if "tablet" not in g:
        secret = "" if "viewer_is_unknown" in g else tablet_secret()
        g.tablet = _installed().load(secret) if secret else None
    found: Tablet | None = g.tablet
    return found


def _installed() -> _Install:
    kept: _Install = g.tablet_installed
    return kept


def keep_tablet(secret: str) -> None:
    """Make this browser a tablet, once the answer leaves."""
    g.tablet_kept = secret
    # Its forms stay good when it was switched off meanwhile.
    session.permanent = True


def _is_used() -> bool:
    """Say whether somebody is here: a page that asks by itself is nobody's press."""
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    is_press = mode == "navigate" or "HX-Request" in request.headers
    return is_press or request.method not in SAFE


def _after(response: Response) -> Response:
    tablet: Tablet | None = g.get("tablet")
    secret = g.get("tablet_kept", "")
    if tablet is not None:
        seen = _installed().seen
        is_used = _is_used()
        response.call_on_close(lambda: seen(tablet, is_used))
        if tablet.open_until is not None and response.mimetype == "text/html":
            # What is left open on the screen goes, too; no script is needed for it.
            after_s = _installed().closes_after.total_seconds() + 1
            response.headers["refresh"] = f"{after_s:.0f}; url={BEGIN}"
        if not secret and tablet.at - tablet.seen_at >= RENEWED_EVERY:
            secret = tablet_secret()
            session.modified = True
    if secret:
        response.set_cookie(
            _cookie(),
            secret,
            max_age=LASTS,
            secure=_is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


def install_tablet(
    app: Flask, load: Load, seen: Seen, *, closes_after: timedelta
) -> None:
    """Let `load` say which tablet holds a secret, while it is one.

    `seen` is told of each that asked, and whether somebody pressed, once the answer has
    left; it may fail. A page of a tablet that somebody opened begins anew
    `closes_after` it was shown.
    """
    installed = _Install(load, seen, closes_after)

    @app.before_request
    def _know() -> None:
        g.tablet_installed = installed

    app.after_request(_after)
