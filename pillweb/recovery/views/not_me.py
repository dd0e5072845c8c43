"""The page behind a message about how somebody signs in: it was not me."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.queries import live_notice
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.recovery.actions.moving import stop_change
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit

not_me = Blueprint("not_me", __name__)

GUESSES = "30 per 10 minutes"
# Where new ways in are made, once whoever it is has signed in.
THEN = "/sign-in?next=/account/sign-in"


@not_me.get("/w/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_not_me(token: str) -> ResponseReturnValue:
    """Say what one press ends."""
    notice = live_notice(session(), token, now=now())
    return page(
        "recovery/not_me.html",
        action=f"/w/{token}",
        shown=shown_here(),
        email=notice.email,
    )


@not_me.post("/w/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_not_me(token: str) -> ResponseReturnValue:
    """End every way in but mail to the address that was written to."""
    live_notice(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/w/{token}"))
    is_yours = stop_change(session(), token, now=now())
    wake_after_commit("deliver")
    if is_yours:
        return go(THEN, notice=_("All is stopped. Sign in, and look at what is here."))
    return go(THEN, notice=_("All is stopped. Another account has this address now."))
