"""The page of who has access: people, links, requests and invitations."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.invitations.models import Invitation
from pillweb.invitations.queries import (
    code_of_patient,
    invitations_of,
    live_invitations,
    requests_of,
)
from pillweb.invitations.rules import (
    OVER,
    OWN_ROLE,
    STATUS_WORDS,
    Request,
    code_shown,
)
from pillweb.patients.models import Patient
from pillweb.sharing.queries.access import helpers_of, links_of, own_accounts_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import (
    PENDING,
    ROLES,
    SELF,
    Door,
    Level,
    access_words,
    nav_of,
)
from pillweb.sharing.views.words import day_words, helper_card, link_card, until_words
from pillweb.web.htmx import page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

access = Blueprint("access", __name__)


def role_words(role: str) -> str:
    """Return what somebody is to a patient."""
    return _(OWN_ROLE) if role == SELF else _(ROLES[role])


def _request_card(door: Door, request: Request) -> dict[str, object]:
    return {
        "id": request.grant_id,
        "name": request.name,
        "email": request.email,
        "role": role_words(request.role),
        "asked": _("Asked on %(date)s.", date=day_words(door, request.asked_at)),
    }


def _invitation_card(door: Door, row: Invitation, *, live: bool) -> dict[str, object]:
    over = row.status == PENDING and not live
    return {
        "id": row.id,
        "label": row.label,
        "role": role_words(row.role),
        "access": access_words(row.level, row.sees),
        "until": until_words(door, row.ends_at),
        "status": _(OVER) if over else _(STATUS_WORDS[row.status]),
        "can_take_back": live,
    }


@access.get("/patients/<int:patient_id>/sharing")
def show_access_list(patient_id: int) -> ResponseReturnValue:
    """Show who has access, who was offered it, and who asks."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    live = live_invitations(session(), patient_id, now=now())
    helpers = [helper_card(door, one) for one in helpers_of(session(), patient_id)]
    links = [link_card(door, row) for row in links_of(session(), patient_id)]
    return page(
        "invitations/access.html",
        nav=nav_of(door),
        base_url=door.base_url,
        here=f"{door.base_url}/sharing",
        is_stopped=session().get_one(Patient, patient_id).kept_in_at is not None,
        own=[
            {"name": name, "email": email, "since": day_words(door, since)}
            for name, email, since in own_accounts_of(session(), patient_id, now=now())
        ],
        own_role=role_words(SELF),
        helpers=[card | {"role": role_words(str(card["role"]))} for card in helpers],
        requests=[
            _request_card(door, request)
            for request in requests_of(session(), patient_id)
        ],
        invitations=[
            _invitation_card(door, row, live=row.id in live)
            for row in invitations_of(session(), patient_id)
        ],
        links=links,
        some_links_work=any(card["can_revoke"] for card in links),
        code=code_shown(code_of_patient(session(), patient_id)),
    )
