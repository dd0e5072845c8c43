"""The page behind a reminder's link, where nobody signs in."""

from collections.abc import Sequence

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.answers.actions import answer_reminder, doubt_link, note_delivery
from pillweb.answers.queries import (
    doses_told,
    link_behind,
    names_may_show,
    said_last,
)
from pillweb.answers.rules import (
    ALREADY,
    CANNOT_WAIT,
    LATE,
    LATER,
    SKIP,
    TAKEN,
    TEN_MINUTES,
    UNDO,
    Outcome,
    is_late,
    left_out,
    recorded_words,
    times_words,
)
from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import safety
from pillweb.base.words import date_words, time_words
from pillweb.base.zones import Zone, local, zone
from pillweb.doses.forms import SkipForm
from pillweb.doses.rules.days import (
    OPEN,
    RECORDED,
    DoseFacts,
    may_undo,
    told_again_at,
    waiting,
)
from pillweb.doses.rules.sentences import amount_of
from pillweb.patients.queries import zone_at
from pillweb.reminders.models import Reminder, ReminderLink
from pillweb.web.htmx import fragment, go, is_htmx, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session

answers = Blueprint("answers", __name__)
# The secret in the address is the permission, so no cookie is needed or set.
csrf.exempt(answers)

GUESSES = "30 per 10 minutes"
WARNED = "warned"


def _answer(
    token: str,
    link: ReminderLink,
    reminder: Reminder,
    *,
    said: str = "",
    doubted: bool = False,
) -> dict[str, object]:
    at = now()
    place = zone(zone_at(session(), reminder.patient_id, at=at))
    doses = doses_told(session(), reminder, link.delivery_id)
    left = [dose for dose in doses if dose.state == OPEN]
    done = [dose for dose in doses if dose.state in RECORDED]
    moments = [dose.due_at for dose in left or doses] or [reminder.due_at]
    times = times_words(moments, place)
    return {
        "url": f"/t/{token}",
        "shown": shown_here(again=doubted),
        "several": len(left) > 1,
        "lines": _lines(reminder, left),
        "time_words": times,
        "date_words": date_words(local(moments[0], place).date()),
        "now_words": times_words([at], place),
        "too_late": is_late(left, now=at),
        "may_wait": told_again_at(waiting(doses, now=at), TEN_MINUTES, now=at),
        "put_off_words": _put_off_words(left, place),
        "nothing": not left and not done,
        "recorded": len(done) if left else 0,
        "recorded_words": "" if left else _recorded(done, place),
        "shape": "skipped" if left_out(done) else "taken",
        "may_undo": any(may_undo(dose.recorded_at, now=at) for dose in done),
        "notice": _notice(said, due_words=times),
        "reasons": _reasons(),
        "arrived": is_htmx(),
    }


def _lines(reminder: Reminder, left: Sequence[DoseFacts]) -> list[tuple[str, str]]:
    """Return (what, how much) of what is open, where the patient lets names show."""
    if not left or not names_may_show(session(), reminder.patient_id):
        return []
    return [(f"{dose.name} {dose.strength}".strip(), amount_of(dose)) for dose in left]


def _reasons() -> list[tuple[str, str]]:
    """Return why somebody may not take a medicine, in words; none must be said."""
    return [(value, words) for value, words, *_rest in SkipForm().reason.iter_choices()]


def _put_off_words(left: Sequence[DoseFacts], place: Zone) -> str:
    times = [dose.later_until for dose in left]
    if not times or not all(time and time > now() for time in times):
        return ""
    until = local(min(time for time in times if time), place)
    return _("We remind you again at %(time)s.", time=time_words(until.time()))


def _recorded(done: Sequence[DoseFacts], place: Zone) -> str:
    if not done:
        return ""
    said = said_last(session(), [dose.id for dose in done])
    return recorded_words(done, said, place)


def _notice(said: str, *, due_words: str) -> str:
    """Return what a press led to where the page alone does not tell it."""
    if said == ALREADY:
        return safety("Already recorded. It was not recorded twice.")
    if said == CANNOT_WAIT:
        return _("The medicines of %(times)s cannot wait much longer.", times=due_words)
    return ""


@answers.get("/t/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_link(token: str) -> ResponseReturnValue:
    """Show what the reminder was about; nothing is recorded by looking."""
    link, reminder = link_behind(session(), token, now=now())
    said = request.args.get("said", "")
    return page("answers/link.html", **_answer(token, link, reminder, said=said))


def _respond(
    token: str,
    link: ReminderLink,
    reminder: Reminder,
    *,
    said: str = "",
    doubted: bool = False,
) -> ResponseReturnValue:
    if is_htmx():
        context = _answer(token, link, reminder, said=said, doubted=doubted)
        return fragment("answers/_answer.html", **context)
    path = f"/t/{token}"
    if doubted:
        return go(once_more(path))
    return go(f"{path}?said={said}" if said else path)


def _do(token: str, verb: str, *, reason: str = "") -> ResponseReturnValue:
    """Do what was pressed, where a person pressed it; else ask for one more press."""
    link, reminder = link_behind(session(), token, now=now())
    if not is_pressed():
        doubt_link(link, now=now())
        return _respond(token, link, reminder, doubted=True)
    outcome = _record(link, reminder, verb, reason=reason)
    told = outcome.kind if outcome.kind in (ALREADY, CANNOT_WAIT, LATE) else ""
    return _respond(token, link, reminder, said=told)


def _record(
    link: ReminderLink, reminder: Reminder, verb: str, *, reason: str
) -> Outcome:
    return answer_reminder(
        session(),
        reminder,
        verb=verb,
        channel="link",
        now=now(),
        reason=reason,
        delivery_id=link.delivery_id,
        # A page may have been open since before it was late.
        is_warned=WARNED in request.form,
    )


@answers.post("/t/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_link(token: str) -> ResponseReturnValue:
    """Record as taken what the reminder was about and is still open."""
    return _do(token, TAKEN)


@answers.post("/t/<token>/later")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_in_ten_minutes(token: str) -> ResponseReturnValue:
    """Say nothing more of this reminder for ten minutes."""
    return _do(token, LATER)


@answers.post("/t/<token>/skip")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_not_taking(token: str) -> ResponseReturnValue:
    """Record that this reminder's doses are not taken, and why where that is told."""
    reason = request.form.get("reason", "")
    return _do(token, SKIP, reason=reason if reason in dict(_reasons()) else "")


@answers.post("/t/<token>/undo")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_undo(token: str) -> ResponseReturnValue:
    """Take back what was recorded about this reminder's doses."""
    return _do(token, UNDO)


@answers.post("/t/<token>/opened")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_opened(token: str) -> ResponseReturnValue:
    """Note that the page was on a screen for a while; nothing else follows from it."""
    link, _reminder = link_behind(session(), token, now=now())
    if link.delivery_id is not None:
        note_delivery(session(), link.delivery_id, opened_at=now())
    return "", 204
