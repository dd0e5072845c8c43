"""Pages by which an account is corrected or erased, and by which that is taken back."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.accounts.actions.joining import rename_account
from pillweb.base.clock import now
from pillweb.base.errors import NotFoundError
from pillweb.base.i18n import gettext as _
from pillweb.base.viewer import Viewer
from pillweb.base.words import full_date_words
from pillweb.rights.actions.leaving import (
    hold_managed,
    leave_account,
    leave_patient,
    stay_account,
)
from pillweb.rights.forms import LeaveForm, NameForm
from pillweb.rights.queries import alone_managed_by
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Level, Nav
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import sign_out, signed_in, who_signed_in

own_leaving = Blueprint("own_leaving", __name__)
LEAVE, LEAVING, NAME = "/account/leave", "/account/leaving", "/account/name"


def _form(viewer: Viewer) -> LeaveForm:
    whole = alone_managed_by(session(), viewer.account_id, now=now())
    return LeaveForm(viewer.name, whole)


def _page(viewer: Viewer, form: LeaveForm) -> dict[str, object]:
    return {"nav": Nav(), "name": viewer.name, "form": form, "action": LEAVE}


@own_leaving.get(LEAVE)
def show_leave_account() -> ResponseReturnValue:
    """Say what happens when an account is deleted, and ask for the name."""
    viewer = signed_in()
    return page("rights/leave_account.html", **_page(viewer, _form(viewer)))


@own_leaving.post(LEAVE)
def post_leave_account() -> ResponseReturnValue:
    """End the account at once, and all about whom nobody else helps."""
    viewer = signed_in()
    hold_managed(session(), viewer.account_id)
    form = _form(viewer)
    if not form.validate():
        return bad_form("rights/leave_account.html", **_page(viewer, form))
    for patient_id in form.whole:
        door = open_door(session(), viewer, int(patient_id), need=Level.MANAGE)
        leave_patient(session(), door.patient_id, by_id=viewer.account_id, now=now())
    leave_account(session(), viewer.account_id, now=now())
    wake_after_commit("deliver")
    sign_out()
    return go("/sign-in", notice=_("Your account has ended. We wrote you a mail."))


@own_leaving.get(LEAVING)
def show_account_leaving() -> ResponseReturnValue:
    """Say until when it can be taken back."""
    viewer = who_signed_in()
    if viewer.leaves_at is None:
        raise NotFoundError
    return page(
        "rights/account_leaving.html",
        last_words=full_date_words(viewer.leaves_at.date()),
        action=LEAVING,
    )


@own_leaving.post(LEAVING)
def post_stay_account() -> ResponseReturnValue:
    """Take it back."""
    stay_account(session(), who_signed_in().account_id, now=now())
    return go("/people", notice=_("All is as it was."))


def _name_page(form: NameForm) -> dict[str, object]:
    return {"nav": Nav(), "form": form, "action": NAME}


@own_leaving.get(NAME)
def show_name() -> ResponseReturnValue:
    """Ask how the viewer is called."""
    form = NameForm({"name": signed_in().name})
    return page("rights/name.html", **_name_page(form))


@own_leaving.post(NAME)
def post_name() -> ResponseReturnValue:
    """Call the viewer so from now on."""
    viewer, form = signed_in(), NameForm()
    if not form.validate():
        return bad_form("rights/name.html", **_name_page(form))
    rename_account(session(), viewer.account_id, name=said(form.name))
    return go("/people", notice=_("Saved."))
