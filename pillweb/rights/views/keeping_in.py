"""The page by which sharing is stopped for a while, and begun again."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.rights.actions.keeping_in import keep_in, share_again
from pillweb.rights.forms import KeepInForm
from pillweb.rights.queries import is_kept_in, kept_out_of, told_where_time_matters
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

keeping_in = Blueprint("keeping_in", __name__)
HERE = "/patients/<int:patient_id>/sharing/for-now"


def _page(door: Door, form: KeepInForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
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
    return door, KeepInForm(told)


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
    return go(f"{door.base_url}/sharing/for-now", notice=_("It is stopped."))


@keeping_in.post(f"{HERE}/end")
def post_share_again(patient_id: int) -> ResponseReturnValue:
    """Share with everybody again."""
    door, _form = _open(patient_id)
    share_again(session(), door.patient_id)
    return go(f"{door.base_url}/sharing", notice=_("All is as it was."))
