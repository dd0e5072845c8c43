"""The page behind a reminder mail, where nobody signs in; and being told later."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import date_words, join_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import mark_taken, put_off_doses, undo_marks
from pillweb.doses.queries.days import day_of, doses_due_at
from pillweb.doses.rules.days import (
    LATER,
    OPEN,
    RECORDED,
    DoseFacts,
    may_undo,
    told_again_at,
    waiting,
)
from pillweb.patients.queries import zone_at
from pillweb.reminders.actions.arming import hold_reminders
from pillweb.reminders.models import Reminder
from pillweb.reminders.queries import reminder_behind
from pillweb.reminders.rules.lateness import is_too_late
from pillweb.sharing.queries import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import fragment, go, is_htmx, page
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

reminders = Blueprint("reminders", __name__)
# The secret in the address is the permission, so no cookie is needed or set.
csrf.exempt(reminders)
later = Blueprint("later", __name__)

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


_IN = {
    LATER[0]: gettext_noop("In 15 minutes, at %(time)s"),
    LATER[1]: gettext_noop("In 30 minutes, at %(time)s"),
    LATER[2]: gettext_noop("In 1 hour, at %(time)s"),
}
_WAITS = {str(wait // timedelta(minutes=1)): wait for wait in LATER}


def _waiting(door: Door) -> list[DoseFacts]:
    at = now()
    found = day_of(session(), door.patient_id, place=zone(door.zone), now=at)
    return waiting(found, now=at)


def _clock(door: Door, instant: datetime) -> str:
    return time_words(local(instant, zone(door.zone)).time())


def _who(door: Door) -> str:
    return "" if door.is_self else door.patient_name


def _picks(door: Door, doses: list[DoseFacts]) -> list[tuple[str, str, str]]:
    """Return the minutes that may be waited, in words, each leading to its own time."""
    at, offered = now(), {}
    for minutes, wait in _WAITS.items():
        until = told_again_at(doses, wait, now=at)
        if until is not None and until not in offered:
            words = _IN[wait] if until == at + wait else gettext_noop("At %(time)s")
            offered[until] = (minutes, _(words, time=_clock(door, until)), "")
    return [*offered.values()]


@later.get("/patients/<int:patient_id>/later")
def show_later(patient_id: int) -> ResponseReturnValue:
    """Ask when to speak again of what is due; nothing is changed by looking."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MARK)
    doses = _waiting(door)
    return page(
        "reminders/later.html",
        nav=nav_of(door),
        base_url=door.base_url,
        who=_who(door),
        times=join_words([*dict.fromkeys(time_words(dose.clock) for dose in doses)]),
        picks=_picks(door, doses),
        action=f"{door.base_url}/later",
    )


@later.post("/patients/<int:patient_id>/later")
def post_later(patient_id: int) -> ResponseReturnValue:
    """Say nothing more of what is due until the time that was chosen."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MARK)
    wait = _WAITS.get(request.form.get("minutes", ""))
    doses = _waiting(door)
    until = told_again_at(doses, wait, now=now()) if wait else None
    if until is None:
        return go(f"{door.base_url}/later")
    ids = [dose.id for dose in doses]
    put_off_doses(session(), ids, patient_id=patient_id, until=until)
    moments = {dose.due_at for dose in doses}
    hold_reminders(session(), patient_id, moments, until=until)
    return go(f"{door.base_url}/today")
