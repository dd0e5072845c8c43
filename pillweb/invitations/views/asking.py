"""Pages to ask for access by a code, and to answer who asked."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.zones import local, zone
from pillweb.invitations.actions.asking import (
    answer_request,
    ask_access,
    forget_code,
    make_code,
)
from pillweb.invitations.forms import AskForm
from pillweb.invitations.queries import request_of
from pillweb.invitations.rules import Request
from pillweb.invitations.views.overview import role_words
from pillweb.sharing.forms import AccessForm
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import (
    OWN_TERMS,
    SELF,
    USUAL,
    Door,
    Level,
    Nav,
    nav_of,
)
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.security import client_key, limiter
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import current_viewer, signed_in

asking = Blueprint("asking", __name__)

ASK = "/ask"
GUESSES = "20 per hour"
GUESSES_PER_ACCOUNT = "10 per hour"
CODE = "/patients/<int:patient_id>/sharing/code"
REQUEST = "/patients/<int:patient_id>/sharing/requests/<int:request_id>"


def _account() -> str:
    viewer = current_viewer()
    return f"account:{viewer.account_id}" if viewer else client_key()


@asking.get(ASK)
def show_ask() -> ResponseReturnValue:
    """Ask for the code of a patient."""
    signed_in()
    return page("invitations/ask.html", nav=Nav(), form=AskForm(), action=ASK)


@asking.post(ASK)
@limiter.limit(GUESSES)
@limiter.limit(GUESSES_PER_ACCOUNT, key_func=_account)
def post_ask() -> ResponseReturnValue:
    """Ask the patient's side for access; nothing of the patient is shown."""
    viewer, form = signed_in(), AskForm()
    if not form.validate():
        return bad_form("invitations/ask.html", nav=Nav(), form=form, action=ASK)
    is_known = ask_access(
        session(),
        account_id=viewer.account_id,
        code=said(form.code),
        role=form.role.data,
        now=now(),
    )
    if not is_known:
        form.code.errors = [_("Nobody has this code. Please check it.")]
        return bad_form("invitations/ask.html", nav=Nav(), form=form, action=ASK)
    wake_after_commit("look_after_access")
    return go("/people", notice=_("You asked. Now they decide."))


@asking.post(CODE)
def post_code(patient_id: int) -> ResponseReturnValue:
    """Make a new code; the one before does not work any more."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    make_code(session(), door.patient_id, now=now())
    return go(f"{door.base_url}/sharing", notice=_("The new code is below."))


@asking.post(f"{CODE}/stop")
def post_stop_code(patient_id: int) -> ResponseReturnValue:
    """Let nobody ask by a code any more."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    forget_code(session(), door.patient_id)
    return go(f"{door.base_url}/sharing", notice=_("The code does not work any more."))


def _open(patient_id: int, grant_id: int) -> tuple[Door, Request, AccessForm]:
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    request = request_of(session(), patient_id, grant_id)
    today = local(now(), zone(door.home_zone)).date()
    return door, request, AccessForm(today, {"sees": sorted(USUAL[request.role])})


def _page(door: Door, request: Request, form: AccessForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "name": request.name,
        "email": request.email,
        "role": role_words(request.role),
        "is_own": request.role == SELF,
        "patient_name": door.patient_name,
        "action": f"{door.base_url}/sharing/requests/{request.grant_id}",
        "form": form,
    }


@asking.get(REQUEST)
def show_request(patient_id: int, request_id: int) -> ResponseReturnValue:
    """Show who asks for access, and ask what they may do."""
    return page("invitations/request.html", **_page(*_open(patient_id, request_id)))


@asking.post(REQUEST)
def post_request(patient_id: int, request_id: int) -> ResponseReturnValue:
    """Let in who asked, for just what was chosen; or say that it is the patient."""
    door, request, form = _open(patient_id, request_id)
    is_own = request.role == SELF
    if not is_own and not form.validate():
        return bad_form("invitations/request.html", **_page(door, request, form))
    answer_request(
        session(),
        patient_id=patient_id,
        grant_id=request_id,
        terms=OWN_TERMS if is_own else form.terms(request.role, zone(door.home_zone)),
        given_by_id=signed_in().account_id,
        now=now(),
    )
    return go(f"{door.base_url}/sharing", notice=_("Saved."))


@asking.post(f"{REQUEST}/decline")
def post_decline_request(patient_id: int, request_id: int) -> ResponseReturnValue:
    """Say no to who asked; they are shown nothing."""
    door, _request, _form = _open(patient_id, request_id)
    answer_request(
        session(),
        patient_id=patient_id,
        grant_id=request_id,
        terms=None,
        given_by_id=signed_in().account_id,
        now=now(),
    )
    return go(f"{door.base_url}/sharing", notice=_("You said no. Nothing was shared."))
