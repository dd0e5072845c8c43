"""The page behind a notice: yes, I asked for it; or stop it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import LinkGoneError
from pillweb.base.i18n import gettext as _
from pillweb.base.visits import MESSAGE, Visit, note_visit
from pillweb.recovery.actions.starting import agree_to_recovery, stop_recovery
from pillweb.recovery.queries import Notice, notice_behind, shared_patients
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session

let_in_notices = Blueprint("let_in_notices", __name__)

GUESSES = "30 per 10 minutes"


def _noted(token: str) -> Notice:
    notice = notice_behind(session(), token, now=now())
    account_id, helper_id = notice.recovery.account_id, notice.recovery.helper_id
    for patient_id in shared_patients(session(), account_id, helper_id, now=now()):
        note_visit(session(), Visit(patient_id, MESSAGE, account_id=account_id))
    return notice


@let_in_notices.get("/r/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_notice(token: str) -> ResponseReturnValue:
    """Say who wants to let somebody in, and ask whether that is right."""
    notice = notice_behind(session(), token, now=now())
    return page(
        "recovery/notice.html",
        action=f"/r/{token}",
        shown=shown_here(),
        helper_name=notice.helper_name,
        may_agree=notice.may_agree and notice.recovery.ready_at > now(),
    )


@let_in_notices.post("/r/<token>/yes")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_yes(token: str) -> ResponseReturnValue:
    """Let it go on at once."""
    notice = _noted(token)
    if not notice.may_agree:
        raise LinkGoneError
    if not is_pressed():
        return go(once_more(f"/r/{token}"))
    agree_to_recovery(notice.recovery, now=now())
    return go("/sign-in/helped", notice=_("Somebody you trust lets you in again."))


@let_in_notices.post("/r/<token>/stop")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_stop(token: str) -> ResponseReturnValue:
    """Stop it: nobody is let in."""
    notice = _noted(token)
    if not is_pressed():
        return go(once_more(f"/r/{token}"))
    stop_recovery(notice.recovery, now=now())
    return go("/sign-in", notice=_("It is stopped. Nobody is let in."))
