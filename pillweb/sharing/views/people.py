"""Pages of one who helps: what they may do, and the one press that ends it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.zones import local, zone
from pillweb.sharing.actions.granting import change_access, stop_access
from pillweb.sharing.forms import AccessForm
from pillweb.sharing.queries.access import helper_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Helper, Level, nav_of
from pillweb.sharing.views.words import last_day
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

people = Blueprint("people", __name__)

ONE = "/patients/<int:patient_id>/sharing/people/<int:grant_id>"


def _open(patient_id: int, grant_id: int) -> tuple[Door, Helper, AccessForm]:
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    helper = helper_of(session(), patient_id, grant_id)
    today = local(now(), zone(door.home_zone)).date()
    given = {
        "level": str(helper.level),
        "sees": helper.sees,
        "until": last_day(door, helper.ends_at) if helper.ends_at else None,
    }
    return door, helper, AccessForm(today, given, ends_at=helper.ends_at)


def _page(door: Door, helper: Helper, form: AccessForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "name": helper.name,
        "action": f"{door.base_url}/sharing/people/{helper.grant_id}",
        "form": form,
    }


@people.get(ONE)
def show_access(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """Show what one helper may do."""
    return page("sharing/person.html", **_page(*_open(patient_id, grant_id)))


@people.post(ONE)
def post_access(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """Let a helper do just what was chosen."""
    door, helper, form = _open(patient_id, grant_id)
    if not form.validate():
        return bad_form("sharing/person.html", **_page(door, helper, form))
    is_changed = change_access(
        session(),
        patient_id=patient_id,
        grant_id=helper.grant_id,
        terms=form.terms(helper.role, zone(door.home_zone)),
        now=now(),
    )
    if not is_changed:
        form.level.errors = [_last_words()]
        return bad_form("sharing/person.html", **_page(door, helper, form))
    return go(f"{door.base_url}/sharing", notice=_("Saved."))


@people.post(f"{ONE}/stop")
def post_stop_access(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """End at once what a helper may do and is told."""
    door, helper, form = _open(patient_id, grant_id)
    is_ended = stop_access(
        session(), patient_id=patient_id, grant_id=helper.grant_id, now=now()
    )
    if not is_ended:
        form.level.errors = [_last_words()]
        return bad_form("sharing/person.html", **_page(door, helper, form))
    mine = helper.account_id == signed_in().account_id
    made = f"{door.base_url}/sharing/people/{helper.grant_id}/made"
    return go("/" if mine else made, notice=_("It is stopped."))


def _last_words() -> str:
    return _("Somebody must be left who can change everything.")
