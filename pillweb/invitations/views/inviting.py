"""Pages to invite somebody, and to take that back."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.code import code_of
from pillweb.base.i18n import gettext as _
from pillweb.base.links import link
from pillweb.base.zones import local, zone
from pillweb.channels.registry import ready_channels
from pillweb.invitations.actions.inviting import invite, take_back_invitation
from pillweb.invitations.forms import InviteForm
from pillweb.invitations.queries import invitations_lately
from pillweb.invitations.rules import BY_HAND, INVITATIONS_A_DAY, WAYS
from pillweb.sharing.queries.access import has_own_account
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import Door, Level, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session, wake_after_commit
from pillweb.web.viewer import signed_in

inviting = Blueprint("inviting", __name__)

INVITE = "/patients/<int:patient_id>/sharing/invite"


def _form(door: Door) -> InviteForm:
    return InviteForm(
        local(now(), zone(door.home_zone)).date(),
        [channel for channel in ready_channels() if channel.NAME in WAYS],
        may_be_own=not has_own_account(session(), door.patient_id, now=now()),
    )


def _page(door: Door, form: InviteForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "patient_name": door.patient_name,
        "form": form,
        "action": f"{door.base_url}/sharing/invite",
    }


@inviting.get(INVITE)
def show_invite(patient_id: int) -> ResponseReturnValue:
    """Ask whom to invite, and to what."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("invitations/invite.html", **_page(door, _form(door)))


@inviting.post(INVITE)
def post_invite(patient_id: int) -> ResponseReturnValue:
    """Invite somebody; an invitation to hand over is shown, this once."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = _form(door)
    if not form.validate():
        return bad_form("invitations/invite.html", **_page(door, form))
    made = invitations_lately(session(), viewer.account_id, now=now())
    if made >= INVITATIONS_A_DAY:
        form.label.errors = [_("That is enough for today. Please go on tomorrow.")]
        return bad_form("invitations/invite.html", **_page(door, form))
    by_hand = form.how.data == BY_HAND
    row, token = invite(
        session(),
        patient_id=door.patient_id,
        patient_name=door.patient_name,
        made_by_id=viewer.account_id,
        label=said(form.label),
        terms=form.offered(zone(door.home_zone)),
        channel=None if by_hand else form.how.data,
        address=said(form.address),
        now=now(),
    )
    if not by_hand:
        wake_after_commit("deliver")
        return go(f"{door.base_url}/sharing", notice=_("The invitation is on its way."))
    url = link(f"/i/{token}")
    return page(
        "invitations/made.html",
        nav=nav_of(door),
        base_url=door.base_url,
        label=row.label,
        url=url,
        code=code_of(url),
    )


@inviting.post(
    "/patients/<int:patient_id>/sharing/invitations/<int:invitation_id>/stop"
)
def post_take_back(patient_id: int, invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    take_back_invitation(
        session(), patient_id=patient_id, invitation_id=invitation_id, now=now()
    )
    return go(f"{door.base_url}/sharing", notice=_("The invitation is taken back."))
