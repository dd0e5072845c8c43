"""The page behind an alert's link: a helper says that they see to it."""

from datetime import datetime, timedelta

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.viewer import Viewer
from pillweb.base.words import date_words, join_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import mark_told
from pillweb.doses.queries.days import doses_among
from pillweb.reminders.actions.resolving import see_to
from pillweb.reminders.queries.alerts import (
    AlertLink,
    alert_behind,
    outcome_of,
    seen_to,
    seen_to_since,
)
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level
from pillweb.web.htmx import go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import csrf, is_miss, limiter
from pillweb.web.transaction import session, wake_after_commit

alerts = Blueprint("alerts", __name__)
# The secret in the address is the permission, so no cookie is needed or set.
csrf.exempt(alerts)

GUESSES = "30 per 10 minutes"
A_DAY = timedelta(days=1)


def _opened(token: str, need: Level) -> tuple[AlertLink, Door]:
    """Return what a link is about, if whom it was sent to still helps as much."""
    found = alert_behind(session(), token, now=now())
    viewer = Viewer(found.account_id, session_id=0, name="", email="", at=now())
    return found, open_door(session(), viewer, found.patient_id, need=need, shows=())


def _times(found: AlertLink, door: Door) -> str:
    place = zone(door.zone)
    here = [local(moment, place) for moment in found.moments]
    today = local(now(), place).date()
    words = [
        time_words(at.time())
        if at.date() == today
        else _(
            "%(time)s on %(date)s",
            time=time_words(at.time()),
            date=date_words(at.date()),
        )
        for at in here
    ]
    return join_words(list(dict.fromkeys(words)))


def _recorded(found: AlertLink, door: Door) -> str:
    """Return in one sentence what was recorded, and by whom."""
    outcome = outcome_of(session(), found.reminder_ids, patient_name="")
    if outcome.at is None or outcome.is_taken is None:
        return ""
    clock = time_words(local(outcome.at, zone(door.zone)).time())
    if not outcome.by:
        return _("Recorded at %(time)s.", time=clock)
    return _("Recorded at %(time)s by %(name)s.", time=clock, name=outcome.by)


def seen_to_words(door: Door, at: datetime) -> list[str]:
    """Return who sees to what of a patient's has no record today, in sentences."""
    place = zone(door.zone)
    found = seen_to_since(session(), door.patient_id, since=at - A_DAY, now=at)
    return list(
        dict.fromkeys(
            _(
                "%(name)s is seeing to it, %(time)s.",
                name=one.name,
                time=time_words(local(one.at, place).time()),
            )
            for one in found
        )
    )


@alerts.get("/h/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_alert(token: str) -> ResponseReturnValue:
    """Show what has no record, and who sees to it; nothing is noted by looking.

    Whoever holds the link may be anybody, so it does not say whose medicines they are.
    """
    found, door = _opened(token, Level.VIEW)
    place = zone(door.zone)
    helpers = seen_to(session(), found.reminder_ids)
    return page(
        "reminders/alert.html",
        url=f"/h/{token}",
        shown=shown_here(),
        times=_times(found, door),
        is_open=bool(found.open_ids),
        is_gone=not found.dose_ids,
        recorded_words="" if found.open_ids else _recorded(found, door),
        seen_to=[
            (one.name, time_words(local(one.at, place).time())) for one in helpers[:1]
        ],
        may_mark=door.may_mark,
    )


@alerts.post("/h/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_seen_to(token: str) -> ResponseReturnValue:
    """Note that whom the link was sent to sees to it, so that nobody else need."""
    found, _door = _opened(token, Level.VIEW)
    if not is_pressed():
        return go(once_more(f"/h/{token}"))
    see_to(session(), found.reminder_ids, account_id=found.account_id, now=now())
    return go(f"/h/{token}")


@alerts.post("/h/<token>/taken")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_taken(token: str) -> ResponseReturnValue:
    """Record as taken what the alert was about and is still open."""
    found, door = _opened(token, Level.MARK)
    if not is_pressed():
        return go(once_more(f"/h/{token}"))
    mark_told(
        session(),
        doses_among(session(), found.patient_id, found.open_ids),
        today=local(now(), zone(door.zone)).date(),
        patient_id=found.patient_id,
        account_id=found.account_id,
        channel="link",
        now=now(),
    )
    wake_after_commit("fire_reminders")
    return go(f"/h/{token}")
