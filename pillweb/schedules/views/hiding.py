"""A quiet page on which a patient says who does not see a medicine."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.medications.models import Medication
from pillweb.medications.queries import medication_of
from pillweb.schedules.forms.hiding import HidingForm
from pillweb.sharing.actions.hiding import hide_from
from pillweb.sharing.queries.access import helpers_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.queries.hiding import hidden_from
from pillweb.sharing.rules import Door, Helper, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

hiding = Blueprint("hiding", __name__)
HERE = "/patients/<int:patient_id>/medicines/<int:medication_id>/who-sees"


def _opened(
    patient_id: int, medication_id: int
) -> tuple[Door, Medication, list[Helper], HidingForm]:
    """Open the page to the patient's own account, and to nobody who helps."""
    door = open_door(session(), signed_in(), patient_id, need=Level.VIEW)
    if not door.is_self:
        raise NotFoundError
    medication = medication_of(session(), door.patient_id, medication_id)
    helpers = helpers_of(session(), door.patient_id)
    form = HidingForm(helpers, hidden_from(session(), medication.id))
    return door, medication, helpers, form


def _page(
    door: Door, medication: Medication, helpers: list[Helper], form: HidingForm
) -> dict[str, object]:
    here = f"{door.base_url}/medicines/{medication.id}"
    return {
        "nav": nav_of(door),
        "back": here if door.may_manage else f"{door.base_url}/medicines",
        "action": f"{here}/who-sees",
        "medicine": medication,
        "helpers": helpers,
        "form": form,
    }


@hiding.get(HERE)
def show_hidden(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Show who does not see a medicine."""
    return page("schedules/who_sees.html", **_page(*_opened(patient_id, medication_id)))


@hiding.post(HERE)
def post_hidden(patient_id: int, medication_id: int) -> ResponseReturnValue:
    """Hide a medicine from just those who were chosen. Nobody is told."""
    door, medication, helpers, form = _opened(patient_id, medication_id)
    if not form.validate():
        context = _page(door, medication, helpers, form)
        return bad_form("schedules/who_sees.html", **context)
    chosen = set(form.hidden.data or ())
    hide_from(
        session(),
        patient_id=door.patient_id,
        medication_id=medication.id,
        account_ids=[h.account_id for h in helpers if str(h.grant_id) in chosen],
        among=[h.account_id for h in helpers],
        now=now(),
    )
    here = f"{door.base_url}/medicines/{medication.id}/who-sees"
    return go(here, notice=_("Saved."))
