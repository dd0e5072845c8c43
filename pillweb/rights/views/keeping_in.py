"""Pages by which sharing is stopped for a while, and what a helper made is ended."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.rights.actions.keeping_in import end_ways, keep_in, share_again
from pillweb.rights.forms import KeepInForm, WaysForm
from pillweb.rights.queries import (
    is_kept_in,
    kept_out_of,
    made_by,
    told_where_time_matters,
    ways_while_stopped,
)
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import Form
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

keeping_in = Blueprint("keeping_in", __name__)
HERE = "/patients/<int:patient_id>/sharing/for-now"
MADE = "/patients/<int:patient_id>/sharing/people/<int:grant_id>/made"


def _page(door: Door, form: KeepInForm) -> dict[str, object]:
    stay, calendars = ways_while_stopped(session(), door.patient_id, now=now())
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "patient_name": door.patient_name,
        "stay": [way.words for way in stay],
        "calendars": [way.words for way in calendars],
        "is_stopped": is_kept_in(session(), door.patient_id),
        "kept_out": kept_out_of(session(), door.patient_id),
        "asks": "still" in form,
        "form": form,
        "action": f"{door.base_url}/sharing/for-now",
    }


def _open(patient_id: int) -> tuple[Door, KeepInForm]:
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    told = told_where_time_matters(session(), patient_id, besides=viewer.account_id)
    stay, _calendars = ways_while_stopped(session(), patient_id, now=now())
    return door, KeepInForm(told, stay)


@keeping_in.get(HERE)
def show_keep_in(patient_id: int) -> ResponseReturnValue:
    """Say what it is to stop sharing for now; or with whom it is stopped."""
    return page("rights/keep_in.html", **_page(*_open(patient_id)))


@keeping_in.post(HERE)
def post_keep_in(patient_id: int) -> ResponseReturnValue:
    """Share with nobody until that is taken back."""
    door, form = _open(patient_id)
    if not form.validate():
        return bad_form("rights/keep_in.html", **_page(door, form))
    keep_in(
        session(),
        door.patient_id,
        by_id=signed_in().account_id,
        still=form.grant_ids,
        now=now(),
    )
    end_ways(session(), door.patient_id, form.ended, now=now())
    return go(f"{door.base_url}/sharing/for-now", notice=_("It is stopped."))


@keeping_in.post(f"{HERE}/end")
def post_share_again(patient_id: int) -> ResponseReturnValue:
    """Share with everybody again."""
    door, _form = _open(patient_id)
    share_again(session(), door.patient_id)
    return go(f"{door.base_url}/sharing", notice=_("All is as it was."))


def _made(patient_id: int, grant_id: int) -> tuple[Door, str, WaysForm]:
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    name, ways = made_by(session(), patient_id, grant_id, now=now())
    return door, name, WaysForm(ways, ticked=True)


def _made_page(door: Door, grant_id: int, name: str, form: Form) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "name": name,
        "form": form,
        "action": f"{door.base_url}/sharing/people/{grant_id}/made",
    }


@keeping_in.get(MADE)
def show_made(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """Show what a helper made that still opens, to be ended by one press."""
    door, name, form = _made(patient_id, grant_id)
    if not form.ways:
        return go(f"{door.base_url}/sharing")
    return page("rights/made.html", **_made_page(door, grant_id, name, form))


@keeping_in.post(MADE)
def post_made(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """End what is ticked of what a helper made."""
    door, name, form = _made(patient_id, grant_id)
    if not form.validate():
        return bad_form("rights/made.html", **_made_page(door, grant_id, name, form))
    end_ways(session(), patient_id, form.ended, now=now())
    return go(f"{door.base_url}/sharing", notice=_("Saved."))
