"""Being told later of what is due, from a page."""

from datetime import datetime, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.i18n import gettext_noop
from pillweb.base.words import join_words, time_words
from pillweb.base.zones import local, zone
from pillweb.doses.actions.marking import put_off_doses
from pillweb.doses.queries.days import day_of
from pillweb.doses.rules.days import LATER, DoseFacts, told_again_at, waiting
from pillweb.reminders.actions.arming import hold_reminders
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import who_asks

later = Blueprint("later", __name__)

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
    door = open_door(session(), who_asks(), patient_id, need=Level.MARK, shows=())
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
    door = open_door(session(), who_asks(), patient_id, need=Level.MARK, shows=())
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
