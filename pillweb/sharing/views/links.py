"""Pages to make and stop links, and to see when they were opened."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.links import link
from pillweb.base.tokens import new_pin
from pillweb.sharing.actions.linking import make_link, revoke_link, revoke_links
from pillweb.sharing.forms import LinkForm
from pillweb.sharing.queries.access import link_of, openings_of
from pillweb.sharing.queries.doors import open_door
from pillweb.sharing.rules import PIN_DIGITS, Door, Level, nav_of
from pillweb.sharing.views.words import link_card, moment_words
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

sharing = Blueprint("sharing", __name__)

LINKS = "/patients/<int:patient_id>/sharing/links"


def _form_page(door: Door, form: LinkForm) -> dict[str, object]:
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "form": form,
        "action": f"{door.base_url}/sharing/links",
    }


@sharing.get(LINKS)
def show_new_link(patient_id: int) -> ResponseReturnValue:
    """Ask for whom a new link is, and what it shows."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("sharing/link.html", **_form_page(door, LinkForm()))


@sharing.post(LINKS)
def post_link(patient_id: int) -> ResponseReturnValue:
    """Make a link and show it, this once."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = LinkForm()
    if not form.validate():
        return bad_form("sharing/link.html", **_form_page(door, form))
    pin = new_pin(PIN_DIGITS) if form.with_pin.data else None
    row, token = make_link(
        session(),
        patient_id=door.patient_id,
        made_by_id=viewer.account_id,
        label=said(form.label),
        days=form.days.data,
        show_names=form.show_names.data,
        pages=form.pages.data or [],
        pin=pin,
        now=now(),
    )
    return page(
        "sharing/made.html",
        nav=nav_of(door),
        base_url=door.base_url,
        label=row.label,
        link_url=link(f"/s/{token}"),
        pin=pin,
        expires_words=link_card(door, row)["expires_words"],
    )


@sharing.get(f"{LINKS}/<int:link_id>")
def show_openings(patient_id: int, link_id: int) -> ResponseReturnValue:
    """Show when a link was opened, and with what."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    row = link_of(session(), door.patient_id, link_id)
    return page(
        "sharing/openings.html",
        nav=nav_of(door),
        base_url=door.base_url,
        label=row.label,
        openings=[
            (moment_words(door, opening.at), opening.device)
            for opening in openings_of(session(), row.id)
        ],
    )


@sharing.post("/patients/<int:patient_id>/sharing/<int:link_id>/revoke")
def post_revoke(patient_id: int, link_id: int) -> ResponseReturnValue:
    """Stop a link at once."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    revoke_link(session(), patient_id=door.patient_id, link_id=link_id, now=now())
    return go(f"{door.base_url}/sharing", notice=_("The link is stopped."))


@sharing.post(f"{LINKS}/stop")
def post_revoke_all(patient_id: int) -> ResponseReturnValue:
    """Stop every link at once."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    revoke_links(session(), patient_id=door.patient_id, now=now())
    return go(f"{door.base_url}/sharing", notice=_("All links are stopped."))
