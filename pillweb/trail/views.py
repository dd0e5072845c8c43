"""The page on which the family reads what became of every message."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.words import long_date_words, time_words
from pillweb.base.zones import Zone, local, zone
from pillweb.channels.registry import channels
from pillweb.doses.rules.days import read_day
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import HISTORY, Level, nav_of
from pillweb.trail.queries import trails_of
from pillweb.trail.rules import Trail, gathered, kind_words, steps_of
from pillweb.web.htmx import page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

trail = Blueprint("trail", __name__)
A_DAY = timedelta(days=1)


@trail.get("/patients/<int:patient_id>/messages")
def show_messages(patient_id: int) -> ResponseReturnValue:
    """Show what was sent about a patient on a day, to whom, and what became of it."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.VIEW, shows=(HISTORY,))
    at, place = now(), zone(door.zone)
    today = local(at, place).date()
    asked = request.args.get("day")
    on = read_day(asked) if asked else today
    if on is None or on > today:
        raise NotFoundError
    found = trails_of(
        session(),
        door.patient_id,
        patient_name=door.patient_name,
        first=_midnight(on, place),
        before=_midnight(on + A_DAY, place),
    )
    here = f"{door.base_url}/messages"
    days = [(f"{here}?day={on - A_DAY}", _("The day before"))]
    if on < today:
        days.append((f"{here}?day={on + A_DAY}", _("The day after")))
    return page(
        "trail/messages.html",
        nav=nav_of(door),
        is_today=on == today,
        day_words=long_date_words(on),
        base_url=door.base_url,
        days=days,
        moments=[_moment(group, place, now=at) for group in gathered(found)],
    )


def _midnight(on: date, place: Zone) -> datetime:
    return datetime.combine(on, time(), place).astimezone(UTC)


def _moment(group: Sequence[Trail], place: Zone, *, now: datetime) -> dict[str, object]:
    first = group[0]
    return {
        "id": first.id,
        "time_words": time_words(local(first.due_at, place).time())
        if first.due_at
        else "",
        "kind_words": kind_words(first.kind),
        "messages": [
            {
                "id": one.id,
                "who": one.who,
                "by": _label(one.channel),
                "address": one.address,
                "steps": steps_of(one, place, now=now),
            }
            for one in group
        ],
    }


def _label(channel: str) -> str:
    known = channels().get(channel)
    return _(known.LABEL) if known else channel
