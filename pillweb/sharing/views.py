"""Pages to make, stop and open shared links."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from pillweb.base.clock import now
from pillweb.base.i18n import gettext as _
from pillweb.base.links import link
from pillweb.base.words import date_words
from pillweb.base.zones import local, zone
from pillweb.sharing.actions import (
    make_link,
    note_link_use,
    revoke_link,
)
from pillweb.sharing.forms import LinkForm
from pillweb.sharing.models import ShareLink
from pillweb.sharing.queries import helpers_of, links_of, open_door, share_link_of
from pillweb.sharing.rules import Door, Level, link_is_live, nav_of
from pillweb.web.forms import said
from pillweb.web.htmx import bad_form, go, page
from pillweb.web.press import is_pressed, once_more, shown_here
from pillweb.web.security import is_miss, limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import remember_share, signed_in

sharing = Blueprint("sharing", __name__)

GUESSES = "30 per 10 minutes"


def _listed(row: ShareLink, door: Door) -> dict[str, object]:
    place = zone(door.zone)
    live = link_is_live(expires_at=row.expires_at, revoked_at=row.revoked_at, now=now())
    ends = date_words(local(row.expires_at, place).date())
    opened = row.last_used_at
    return {
        "id": row.id,
        "label": row.label,
        "made_words": date_words(local(row.created_at, place).date()),
        "expires_words": _("Works until %(date)s", date=ends)
        if live
        else _("Does not work any more"),
        "opened_words": _("Never opened")
        if opened is None
        else _("Last opened %(date)s", date=date_words(local(opened, place).date())),
        "can_revoke": live,
    }


def _links_page(door: Door, form: LinkForm) -> dict[str, object]:
    rows = links_of(session(), door.patient_id)
    return {
        "nav": nav_of(door),
        "base_url": door.base_url,
        "links": [_listed(row, door) for row in rows],
        "form": form,
        "action": f"{door.base_url}/sharing",
        "helpers": helpers_of(session(), door.patient_id),
    }


@sharing.get("/patients/<int:patient_id>/sharing")
def show_links(patient_id: int) -> ResponseReturnValue:
    """Show who has a link."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    return page("sharing/links.html", **_links_page(door, LinkForm()))


@sharing.post("/patients/<int:patient_id>/sharing")
def post_link(patient_id: int) -> ResponseReturnValue:
    """Make a link and show it, this once."""
    viewer = signed_in()
    door = open_door(session(), viewer, patient_id, need=Level.MANAGE)
    form = LinkForm()
    if not form.validate():
        return bad_form("sharing/links.html", **_links_page(door, form))
    row, token = make_link(
        session(),
        patient_id=door.patient_id,
        made_by_id=viewer.account_id,
        label=said(form.label),
        days=form.days.data,
        show_names=form.show_names.data,
        now=now(),
    )
    return page(
        "sharing/made.html",
        nav=nav_of(door),
        base_url=door.base_url,
        label=row.label,
        link_url=link(f"/s/{token}"),
        expires_words=_listed(row, door)["expires_words"],
    )


@sharing.post("/patients/<int:patient_id>/sharing/<int:link_id>/revoke")
def post_revoke(patient_id: int, link_id: int) -> ResponseReturnValue:
    """Stop a link at once."""
    door = open_door(session(), signed_in(), patient_id, need=Level.MANAGE)
    revoke_link(session(), patient_id=door.patient_id, link_id=link_id, now=now())
    return go(f"{door.base_url}/sharing", notice=_("The link is stopped."))


@sharing.get("/s/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def show_share(token: str) -> ResponseReturnValue:
    """Show one button: mail scanners open links, people press buttons."""
    share_link_of(session(), token, now=now())
    return page("sharing/open.html", action=f"/s/{token}", shown=shown_here())


@sharing.post("/s/<token>")
@limiter.limit(GUESSES, deduct_when=is_miss)
def post_share(token: str) -> ResponseReturnValue:
    """Open a link in this browser, and leave its secret behind."""
    row = share_link_of(session(), token, now=now())
    if not is_pressed():
        return go(once_more(f"/s/{token}"))
    note_link_use(session(), row, now=now())
    remember_share(row.id)
    return go(f"/shared/{row.id}/today")
