"""The page behind a reminder's link, where nobody signs in."""

from collections.abc import Callable

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import mark_taken, undo_marks
from pillweb.doses.queries.days import doses_due_at
from pillweb.doses.rules.days import (
    OPEN,
    RECORDED,
    may_undo,
)
from pillweb.patients.queries import zone_at
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries.links import reminder_behind
from pillweb.reminders.rules.lateness import is_too_late
from pillweb.web.htmx import fragment, go, is_htmx, page
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session

reminders = Blueprint("reminders", __name__)
# The secret in the address is the permission, so no cookie is needed or set.
csrf.exempt(reminders)

GUESSES = "30 per 10 minutes"


def _answer(token: str, reminder: Reminder) -> dict[str, object]:
    at = now()
    place = zone(zone_at(session(), reminder.patient_id, at=at))
    doses = doses_due_at(session(), reminder.patient_id, reminder.due_at)
    left = [dose for dose in doses if dose.state == OPEN]
    done = [dose for dose in doses if dose.state in RECORDED]
    due = local(reminder.due_at, place)
    context: dict[str, object] = {
        "take_url": f"/t/{token}",
        "several": len(left) > 1,
        "time_words": time_words(due.time()),
        "date_words": date_words(due.date()),
        "now_words": time_words(local(at, place).time()),
        "too_late": is_too_late(reminder.due_at, now=at),
        "nothing": not left and not done,
        "recorded_words": None,
        "undo_url": None,
    }
    if done and not left:
        newest = max(dose.recorded_at or at for dose in done)
        clock = time_words(local(newest, place).time())
        context["recorded_words"] = _("Recorded at %(time)s.", time=clock)
        if any(may_undo(dose.recorded_at, now=at) for dose in done):
            context["undo_url"] = f"/t/{token}/undo"
    return context


def _respond(token: str, reminder: Reminder) -> ResponseReturnValue:
    if is_htmx():
        return fragment(
            "reminders/_answer.html", swapped=True, **_answer(token, reminder)
        )
    return go(f"/t/{token}")


@reminders.get("/t/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_link(token: str) -> ResponseReturnValue:
    """Show what the reminder was about; nothing is recorded by looking."""
    reminder = reminder_behind(session(), token, now=now())
    return page("reminders/link.html", **_answer(token, reminder))


def _record(token: str, change: Callable[..., object]) -> ResponseReturnValue:
    """Change what is recorded of everything the reminder was about."""
    reminder = reminder_behind(session(), token, now=now())
    found = doses_due_at(session(), reminder.patient_id, reminder.due_at)
    change(
        session(),
        [dose.id for dose in found],
        patient_id=reminder.patient_id,
        account_id=None,
        channel="link",
        now=now(),
    )
    return _respond(token, reminder)


@reminders.post("/t/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_link(token: str) -> ResponseReturnValue:
    """Record as taken what the reminder was about and is still open."""
    return _record(token, mark_taken)


@reminders.post("/t/<token>/undo")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_undo(token: str) -> ResponseReturnValue:
    """Take back what was recorded about this reminder's doses."""
    return _record(token, undo_marks)
