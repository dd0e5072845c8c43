"""Pages by which all about a patient is erased, and by which that is taken back."""

from datetime import datetime

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.visits import ACCOUNT, Visit, note_visit
from pillweb.base.words import full_date_words
from pillweb.rights.actions.leaving import leave_patient, stay_patient
from pillweb.rights.forms import LeaveForm
from pillweb.rights.queries import leaving_patient, urgent_medicines
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, Nav, nav_of
from pillweb.web.errors import elsewhere, not_found
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import current_viewer, signed_in

leaving = Blueprint("leaving", __name__)
ONE = "/patients/<int:patient_id>"


def _page(door: Door, form: LeaveForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "name": door.patient_name,
        "is_self": door.is_self,
        "urgent": urgent_medicines(session(), door.patient_id),
        "form": form,
        "action": f"{door.base_url}/leave",
    }


@leaving.get(f"{ONE}/leave")
def show_leave(patient_id: int) -> ResponseReturnValue:
    """Say what happens when all about a patient is deleted, and ask for the name."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("rights/leave.html", **_page(door, LeaveForm(door.patient_name)))


@leaving.post(f"{ONE}/leave")
def post_leave(patient_id: int) -> ResponseReturnValue:
    """End everything at once; what is written goes in thirty days."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = LeaveForm(door.patient_name)
    if not form.validate():
        return bad_form("rights/leave.html", **_page(door, form))
    leave_patient(session(), door.patient_id, by_id=viewer.account_id, now=now())
    wake_after_commit("deliver")
    return go(f"{door.base_url}/leaving")


@leaving.get(f"{ONE}/leaving")
def show_leaving(patient_id: int) -> ResponseReturnValue:
    """Say until when it can be taken back."""
    name, leaves_at = _leaving(patient_id)
    return page(
        "rights/leaving.html",
        nav=Nav(),
        name=name,
        last_words=full_date_words(leaves_at.date()),
        action=f"/patients/{patient_id}/leaving",
    )


@leaving.post(f"{ONE}/leaving")
def post_stay(patient_id: int) -> ResponseReturnValue:
    """Take it back."""
    _leaving(patient_id)
    stay_patient(session(), patient_id, by_id=signed_in().account_id, now=now())
    wake_after_commit("plan_doses")
    wake_after_commit("deliver")
    return go(f"/patients/{patient_id}/today", notice=_("All is as it was."))


def _leaving(patient_id: int) -> tuple[str, datetime]:
    viewer = signed_in()
    found = leaving_patient(session(), viewer, patient_id)
    if found is None:
        raise NotFoundError
    note_visit(session(), Visit(patient_id, ACCOUNT, viewer.account_id))
    return found


def _not_found(error: NotFoundError) -> ResponseReturnValue:
    """Answer that there is no page; or who can bring a patient back, where."""
    viewer = current_viewer()
    patient_id = (request.view_args or {}).get("patient_id")
    if viewer and patient_id and leaving_patient(session(), viewer, patient_id):
        return elsewhere(f"/patients/{patient_id}/leaving")
    return not_found(error)


def install_leaving(app: Flask) -> None:
    """Let those who can bring a patient back find the page for it at every door."""
    app.register_error_handler(NotFoundError, _not_found)
