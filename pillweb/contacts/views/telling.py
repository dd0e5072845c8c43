"""What each helper is told of a patient; nothing is on before somebody chose it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.i18n import gettext as _
from pillweb.contacts.forms import HelperForm
from pillweb.sharing.actions.granting import choose_told
from pillweb.sharing.queries.access import helper_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Helper, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

helpers = Blueprint("helpers", __name__)

HELPER = "/patients/<int:patient_id>/sharing/helpers/<int:grant_id>"


def _open(patient_id: int, grant_id: int) -> tuple[Door, Helper, HelperForm]:
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    helper = helper_of(session(), patient_id, grant_id)
    place = "" if helper.ladder_place is None else str(helper.ladder_place)
    told = {"alerts": helper.alerts, "place": place, "wants": helper.wants}
    return door, helper, HelperForm(data=told)


def _page(door: Door, helper: Helper, form: HelperForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "name": helper.name,
        "patient_name": door.patient_name,
        "action": f"{door.base_url}/sharing/helpers/{helper.grant_id}",
        "form": form,
    }


@helpers.get(HELPER)
def show_helper(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """Show what one helper is told."""
    return page("contacts/helper.html", **_page(*_open(patient_id, grant_id)))


@helpers.post(HELPER)
def post_helper(patient_id: int, grant_id: int) -> ResponseReturnValue:
    """Tell a helper just what was chosen."""
    door, helper, form = _open(patient_id, grant_id)
    if not form.validate():
        return bad_form("contacts/helper.html", **_page(door, helper, form))
    choose_told(
        session(),
        patient_id=patient_id,
        grant_id=helper.grant_id,
        alerts=form.alerts.data,
        ladder_place=int(form.place.data) if form.place.data else None,
        wants=form.wants.data or [],
    )
    return go(f"{door.base_url}/sharing", notice=_("Saved."))
